/* SPDX-License-Identifier: MIT */
/* Which event goes to which lane. Sources that are gone give their lane back once it was published. */
#include "lanes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "subject.h"

int lanes_init(struct lanes *lanes, const struct lanes_options *options,
	       const struct checkpoint *place)
{
	*lanes = (struct lanes){.options = *options};
	memcpy(lanes->stream_id, place->stream_id, sizeof(lanes->stream_id));
	memcpy(lanes->epoch, place->epoch, sizeof(lanes->epoch));
	if (out_init(&lanes->buffer, -1) < 0)
		return -ENOMEM;
	return origins_restore(&lanes->origins, place);
}

void lanes_done(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++)
		lane_free(lanes->items[i]);
	free(lanes->items);
	origins_done(&lanes->origins);
	out_done(&lanes->buffer);
}

/* --- publishing -------------------------------------------------------------------------- */

static int publish_lane(struct lanes *lanes, struct lane *lane)
{
	const struct lane_names names = {lanes->options.host, lanes->stream_id, lanes->epoch};
	char id[LANE_ID_MAX];
	struct broker_message message;
	int r;

	if (lane_is_empty(lane))
		return 0;
	r = lane_finish(lane, &names, &lanes->buffer, id);
	if (r < 0)
		return r;
	message = (struct broker_message){
	    .subject = lane->subject,
	    .id = id,
	    .data = lanes->buffer.buffer,
	    .len = lanes->buffer.used,
	};
	r = lanes->options.publish(lanes->options.data, &message);
	if (r == 0)
		lanes->published++;
	return r;
}

static bool has_origin(const struct lanes *lanes, const struct lane *lane)
{
	for (size_t i = 0; i < lanes->origins.count; i++)
		if (lanes->origins.items[i]->lane == lane)
			return true;
	return false;
}

static void remove_lane(struct lanes *lanes, struct lane *lane)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (lanes->items[i] != lane)
			continue;
		lanes->items[i] = lanes->items[--lanes->count];
		lane_free(lane);
		return;
	}
}

/* All lanes are empty: nothing refers to an origin. Losses are kept until the source is gone for good;
 * then nobody asks for their sum any more. */
static void forget_gone(struct lanes *lanes)
{
	for (size_t i = lanes->origins.count; i > 0; i--) {
		struct origin *origin = lanes->origins.items[i - 1];
		struct lane *lane = origin->lane;

		if (!origin->is_gone)
			continue;
		origins_remove(&lanes->origins, i - 1);
		if (lane && !has_origin(lanes, lane))
			remove_lane(lanes, lane);
	}
}

int lanes_flush(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		int r = publish_lane(lanes, lanes->items[i]);

		if (r < 0)
			return r;
	}
	lanes->has_filled = false;
	forget_gone(lanes);
	return 0;
}

/* --- events ------------------------------------------------------------------------------ */

static struct lane *find_lane(const struct lanes *lanes, const char *subject)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (strcmp(lanes->items[i]->subject, subject) == 0)
			return lanes->items[i];
	return NULL;
}

static int add_lane(struct lanes *lanes, char *subject, struct lane **ret)
{
	struct lane **grown = reallocarray(lanes->items, lanes->count + 1, sizeof(struct lane *));

	if (!grown) {
		free(subject);
		return -ENOMEM;
	}
	lanes->items = grown;
	*ret = lane_new(subject, lanes->options.render != NULL);
	if (!*ret)
		return -ENOMEM;
	grown[lanes->count++] = *ret;
	return 0;
}

/* The lane of an origin whose name is known by now, or will never be. */
static int give_lane(struct lanes *lanes, struct origin *origin)
{
	const char *netns = origin->source_id == 0 ? NULL : origin->netns ? origin->netns : "?";
	char *subject =
	    subject_render(lanes->options.subject, lanes->options.host, netns, origin->group);

	if (!subject)
		return -ENOMEM;
	origin->lane = find_lane(lanes, subject);
	if (!origin->lane)
		return add_lane(lanes, subject, &origin->lane);
	free(subject);
	return 0;
}

/* A new run of the server: its ids mean other sources. */
static int take_started(struct lanes *lanes, const struct nfl_client_started *started)
{
	int r;

	if (strcmp(lanes->epoch, started->server_epoch) == 0)
		return 0;
	r = lanes_flush(lanes);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lanes->origins.count && *lanes->epoch; i++)
		lanes->origins.items[i]->is_gone = true;
	forget_gone(lanes);
	(void)snprintf(lanes->epoch, sizeof(lanes->epoch), "%s", started->server_epoch);
	return 0;
}

/* Is there something to tell a reader? That a stream goes on where it was is what it takes for granted. */
static bool is_stored(const struct nfl_client_event *event)
{
	switch (event->type) {
	case NFL_CLIENT_PACKET:
	case NFL_CLIENT_LOSS:
	case NFL_CLIENT_SOURCE:
		return true;
	case NFL_CLIENT_STARTED:
		return event->started->resume_status == NFL_CLIENT_RESUME_NONE ||
		       event->started->resume_status == NFL_CLIENT_RESUME_EPOCH_CHANGED;
	case NFL_CLIENT_HEARTBEAT:
	case NFL_CLIENT_CAUGHT_UP:
	case NFL_CLIENT_RECONNECTING:
		break;
	}
	return false;
}

static uint32_t event_source(const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_PACKET)
		return event->packet->source_id;
	if (event->type == NFL_CLIENT_LOSS)
		return event->loss->source_id;
	return event->type == NFL_CLIENT_SOURCE ? event->source->id : 0;
}

static int take_name(struct origin *origin, const struct nfl_client_event *event)
{
	const struct nfl_client_source *source = event->source;

	if (!source || (origin->is_named && event->type != NFL_CLIENT_SOURCE))
		return 0;
	origin->is_gone = source->state == NFL_CLIENT_SOURCE_GONE;
	return origin_name(origin, source->netns, source->group, (int)source->state);
}

static int append(struct lanes *lanes, struct origin *origin, const struct nfl_client_event *event)
{
	struct lane *lane = origin->lane;
	int r;

	if (!lanes->options.render) {
		r = lane_add(lane, origin, event);
	} else {
		lanes->options.render(lanes->options.data, &lane->body, event);
		r = lane->body.error ? lane->body.error : lane_note(lane, origin, event);
	}
	if (r < 0)
		return r;
	lanes->has_filled = true;
	if (lane->body.used < LANE_BYTES_MAX && lane->packets < LANE_PACKETS_MAX)
		return 0;
	return publish_lane(lanes, lane);
}

/* What a loss adds up to is counted from the beginning of the log, not of the connection. */
static int append_loss(struct lanes *lanes, struct origin *origin,
		       const struct nfl_client_event *event)
{
	struct nfl_client_loss loss = *event->loss;
	struct nfl_client_event counted = *event;
	unsigned stage = (unsigned)loss.stage;

	if (stage < LOSS_STAGES) {
		origin->lost[stage] += loss.count;
		loss.cumulative_count = origin->lost[stage];
	}
	counted.loss = &loss;
	return append(lanes, origin, &counted);
}

int lanes_take(struct lanes *lanes, const struct nfl_client_event *event)
{
	struct origin *origin;
	int r = 0;

	if (event->type == NFL_CLIENT_STARTED)
		r = take_started(lanes, event->started);
	if (r < 0 || !is_stored(event))
		return r;
	origin = origins_get(&lanes->origins, event_source(event));
	if (!origin)
		return -ENOMEM;
	r = take_name(origin, event);
	if (r == 0 && !origin->lane)
		r = give_lane(lanes, origin);
	if (r < 0)
		return r;
	return event->type == NFL_CLIENT_LOSS ? append_loss(lanes, origin, event)
					      : append(lanes, origin, event);
}

int lanes_place(const struct lanes *lanes, struct checkpoint *place)
{
	struct checkpoint_count *counts;
	int count = origins_counts(&lanes->origins, &counts);

	if (count < 0)
		return count;
	memcpy(place->stream_id, lanes->stream_id, sizeof(place->stream_id));
	memcpy(place->epoch, lanes->epoch, sizeof(place->epoch));
	place->counts = counts;
	place->count_count = (size_t)count;
	return 0;
}
