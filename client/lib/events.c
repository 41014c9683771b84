/* SPDX-License-Identifier: MIT */
/* From nflog.v1.SubscribeResponse to struct nfl_client_event, for all that is not per packet. */
#include "events.h"

#include <errno.h>

#include <nflog/v1/nflog.pb-c.h>

#include "convert.h"

static int take_sources(struct events *events, const Nflog__V1__Started *message,
			struct sources *sources)
{
	struct nfl_client_source *list =
	    arena_extend(&events->arena, NULL, 0, message->n_sources, sizeof(*list));

	if (!list)
		return arena_error(&events->arena);
	for (size_t i = 0; i < message->n_sources; i++) {
		int r = source_from_proto(message->sources[i], &list[i]);

		if (r == 0)
			r = sources_put(sources, &list[i]);
		if (r < 0)
			return r;
	}
	events->started.sources = list;
	events->started.source_count = message->n_sources;
	return 0;
}

static int take_started(struct events *events, const Nflog__V1__Started *message,
			struct sources *sources, struct nfl_client_event *ret)
{
	events->started = (struct nfl_client_started){
	    .subscription_id = message->subscription_id,
	    .server_epoch = message->server_epoch,
	    .view = (enum nfl_client_view)message->view,
	    .payload_limit = message->payload_limit,
	    .heartbeat_ms = ms_from_proto(message->heartbeat_interval),
	    .resume_status = (enum nfl_client_resume_status)message->resume_status,
	    .max_lag_bytes = message->max_lag_bytes,
	};
	ret->type = NFL_CLIENT_STARTED;
	ret->started = &events->started;
	sources_done(sources); /* ids of an earlier epoch meant other sources */
	return take_sources(events, message, sources);
}

static void name_source(struct sources *sources, uint32_t id, struct nfl_client_event *ret)
{
	ret->source = sources_find(sources, id);
	if (ret->source)
		ret->render_source = (struct nfl_render_source){.netns = ret->source->netns,
								.group = ret->source->group};
}

static int take_loss(struct events *events, const Nflog__V1__LossReport *message,
		     struct sources *sources, struct nfl_client_event *ret)
{
	events->loss = (struct nfl_client_loss){
	    .stage = (enum nfl_client_loss_stage)message->stage,
	    .source_id = message->source_id,
	    .count = message->count,
	    .cumulative_count = message->cumulative_count,
	    .lower_bound = message->lower_bound,
	    .first_time_ns = time_from_proto(message->first_time),
	    .last_time_ns = time_from_proto(message->last_time),
	};
	ret->type = NFL_CLIENT_LOSS;
	ret->loss = &events->loss;
	if (message->source_id != 0)
		name_source(sources, message->source_id, ret);
	return 0;
}

static int take_heartbeat(struct events *events, const Nflog__V1__Heartbeat *message,
			  struct nfl_client_event *ret)
{
	events->heartbeat = (struct nfl_client_heartbeat){
	    .time_ns = time_from_proto(message->time),
	    .packets_sent = message->packets_sent,
	    .packets_lost = message->packets_lost,
	    .packets_filtered = message->packets_filtered,
	    .lag_bytes = message->lag_bytes,
	};
	ret->type = NFL_CLIENT_HEARTBEAT;
	ret->heartbeat = &events->heartbeat;
	return 0;
}

static int take_source_event(const Nflog__V1__SourceEvent *message, struct sources *sources,
			     struct nfl_client_event *ret)
{
	struct nfl_client_source source;
	int r = source_from_proto(message->source, &source);

	if (r == 0)
		r = sources_put(sources, &source);
	if (r < 0)
		return r;
	ret->type = NFL_CLIENT_SOURCE;
	ret->source_time_ns = time_from_proto(message->time);
	name_source(sources, source.id, ret);
	return 0;
}

/* Fills the event; its type stays 0 for one that this version does not know. */
static int take_event(struct events *events, const Nflog__V1__SubscribeResponse *message,
		      struct sources *sources, struct nfl_client_event *ret)
{
	switch (message->event_case) {
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_STARTED:
		return take_started(events, message->started, sources, ret);
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS:
		return take_loss(events, message->loss, sources, ret);
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT:
		return take_heartbeat(events, message->heartbeat, ret);
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT:
		return take_source_event(message->source_event, sources, ret);
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_CAUGHT_UP:
		ret->type = NFL_CLIENT_CAUGHT_UP;
		ret->packets_replayed = message->caught_up->packets_replayed;
		return 0;
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH:
	case NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT__NOT_SET:
	case _NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT__CASE_IS_INT_SIZE:
		return 0;
	}
	return 0;
}

int events_read(struct events *events, struct nfl_bytes bytes, struct sources *sources,
		struct nfl_client_event *ret)
{
	ProtobufCMessage *message;
	int r;

	arena_reset(&events->arena);
	message = arena_unpack(&events->arena, &nflog__v1__subscribe_response__descriptor,
			       bytes.data, bytes.len);
	if (!message)
		return arena_error(&events->arena);
	/* Generated structs begin with a ProtobufCMessage. */
	r = take_event(events, (const Nflog__V1__SubscribeResponse *)(const void *)message, sources,
		       ret);
	if (r < 0)
		return r;
	return ret->type != 0;
}
