/* SPDX-License-Identifier: MIT */
/*
 * A durable log as its reader sees it. In come messages that a broker has stored, of many hosts and in
 * any order; out go events as those of a stream, without what is there a second time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

#include "arena.h"
#include "cleanup.h"
#include "convert.h"
#include "events.h"
#include "places.h"
#include "segment.h"
#include "wire.h"

#define KEY_PART_MAX 256 /* of host, stream_id and epoch: those of a forwarder are shorter */

struct nfl_client_log {
	struct places places;
	struct place_stream *stream; /* of the segment in hand; NULL: there is none */
	struct nfl_bytes segment;    /* what is left of it */
	struct nfl_bytes batch;      /* the same of a batch in it */
	char host[KEY_PART_MAX + 1];
	struct arena arena;
	struct events events;
	struct sources scratch; /* what events_read() learns */
	struct nfl_packet packet;
	struct nfl_client_source shown; /* with the reader's id */
	uint32_t *arriving;             /* owned: sources with a span in the segment in hand */
	size_t arriving_count;
	size_t arriving_capacity;
	size_t settled; /* of them, at the end of the segment */
	struct nfl_client_loss loss;
	uint64_t repeated;
};

int nfl_client_log_new(struct nfl_client_log **ret)
{
	if (!ret)
		return -EINVAL;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void nfl_client_log_free(struct nfl_client_log *log)
{
	if (!log)
		return;
	places_done(&log->places);
	arena_reset(&log->arena);
	arena_reset(&log->events.arena);
	sources_done(&log->scratch);
	free(log->arriving);
	free(log);
}

const char *nfl_client_log_host(const struct nfl_client_log *log)
{
	return log->host;
}

uint64_t nfl_client_log_repeated(const struct nfl_client_log *log)
{
	return log->repeated;
}

/* --- the head of a segment --------------------------------------------------------------- */

/* The segment in hand is over. What it covered counts from now on, unless it was malformed. */
static void end_segment(struct nfl_client_log *log, bool is_sound)
{
	for (; log->stream && log->settled < log->arriving_count; log->settled++) {
		struct place *place =
		    places_get(&log->places, log->stream, log->arriving[log->settled]);

		if (place && is_sound)
			place_settle(place);
		else if (place)
			place_forget(place);
	}
	log->arriving_count = log->settled = 0;
	log->stream = NULL;
	log->segment = log->batch = (struct nfl_bytes){0};
}

static int copy_text(char to[KEY_PART_MAX + 1], struct nfl_bytes text)
{
	if (text.len > KEY_PART_MAX || memchr(text.data, '\0', text.len))
		return -EBADMSG;
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return 0;
}

/* Which stream of which run of the server. */
static int open_stream(struct nfl_client_log *log, struct nfl_bytes segment)
{
	char id[KEY_PART_MAX + 1] = "", epoch[KEY_PART_MAX + 1] = "";
	char key[2 * (KEY_PART_MAX + 1)];
	enum wire_segment_part part;
	struct nfl_bytes bytes;
	int r;

	log->host[0] = '\0';
	while ((r = wire_segment_next(&segment, &part, &bytes)) > 0) {
		if (part == WIRE_SEGMENT_HOST)
			r = copy_text(log->host, bytes);
		else if (part == WIRE_SEGMENT_STREAM_ID)
			r = copy_text(id, bytes);
		else if (part == WIRE_SEGMENT_EPOCH)
			r = copy_text(epoch, bytes);
		if (r < 0)
			break;
	}
	if (r < 0 || !*id || !*epoch)
		return -EBADMSG;
	(void)snprintf(key, sizeof(key), "%s %s", id, epoch);
	log->stream = places_open(&log->places, key);
	return log->stream ? 0 : -ENOMEM;
}

static bool same_source(const struct nfl_client_source *a, const struct nfl_client_source *b)
{
	return a->group == b->group && a->state == b->state && strcmp(a->netns, b->netns) == 0 &&
	       strcmp(a->detail, b->detail) == 0;
}

static int take_source(struct nfl_client_log *log, struct nfl_bytes bytes)
{
	const struct nfl_client_source *known;
	struct nfl_client_source source;
	ProtobufCMessage *message;
	int r;

	arena_clear(&log->arena);
	message = arena_unpack(&log->arena, &nflog__v1__source__descriptor, bytes.data, bytes.len);
	if (!message)
		return -EBADMSG;
	/* Generated structs begin with a ProtobufCMessage. */
	r = source_from_proto((const Nflog__V1__Source *)(const void *)message, &source);
	if (r < 0)
		return r;
	known = sources_find(&log->stream->sources, source.id);
	return known && same_source(known, &source) ? 0
						    : sources_put(&log->stream->sources, &source);
}

static int add_arriving(struct nfl_client_log *log, uint32_t source_id)
{
	size_t capacity = log->arriving_capacity ? log->arriving_capacity * 2 : 16;
	uint32_t *grown;

	if (log->arriving_count == log->arriving_capacity) {
		grown = reallocarray(log->arriving, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		log->arriving = grown;
		log->arriving_capacity = capacity;
	}
	log->arriving[log->arriving_count++] = source_id;
	return 0;
}

static int take_span(struct nfl_client_log *log, struct nfl_bytes bytes)
{
	struct wire_span span;
	struct place *place;
	int r = wire_read_span(bytes, &span);

	if (r < 0)
		return r;
	place = places_get(&log->places, log->stream, span.source_id);
	if (!place)
		return -ENOMEM;
	place->arriving = (struct place_range){span.after, span.last};
	return add_arriving(log, span.source_id);
}

static int take_parts(struct nfl_client_log *log, struct nfl_bytes segment)
{
	enum wire_segment_part part;
	struct nfl_bytes bytes;
	int r;

	while ((r = wire_segment_next(&segment, &part, &bytes)) > 0) {
		if (part == WIRE_SEGMENT_SOURCE)
			r = take_source(log, bytes);
		else if (part == WIRE_SEGMENT_SPAN)
			r = take_span(log, bytes);
		if (r < 0)
			return r;
	}
	return r;
}

int nfl_client_log_take(struct nfl_client_log *log, const void *bytes, size_t len)
{
	struct nfl_bytes segment = {bytes, (uint32_t)len};
	int r;

	if (!log || (!bytes && len > 0))
		return -EINVAL;
	end_segment(log, true);
	if (len > UINT32_MAX)
		return -EBADMSG;
	r = open_stream(log, segment);
	if (r == 0)
		r = take_parts(log, segment);
	if (r < 0) {
		end_segment(log, false);
		return r;
	}
	log->segment = segment;
	return 0;
}

/* --- its events -------------------------------------------------------------------------- */

/* Says of which source the event is; NULL where the segment did not name it. */
static void name_source(struct nfl_client_log *log, uint32_t source_id, uint32_t shown_id,
			struct nfl_client_event *ret)
{
	const struct nfl_client_source *source = sources_find(&log->stream->sources, source_id);

	if (!source) {
		ret->render_source.netns = "?";
		return;
	}
	log->shown = *source;
	log->shown.id = shown_id;
	ret->source = &log->shown;
	ret->render_source =
	    (struct nfl_render_source){.netns = source->netns, .group = source->group};
}

/* 1, 0 for one that was there already, -EBADMSG, -ENOMEM. */
static int take_packet(struct nfl_client_log *log, struct nfl_bytes bytes,
		       struct nfl_client_event *ret)
{
	struct place *place;

	if (wire_read_packet(bytes, &log->packet) < 0)
		return -EBADMSG;
	place = places_get(&log->places, log->stream, log->packet.source_id);
	if (!place)
		return -ENOMEM;
	if (place_has(place, log->packet.sequence)) {
		log->repeated++;
		return 0;
	}
	place->arrived++;
	ret->type = NFL_CLIENT_PACKET;
	ret->packet = &log->packet;
	ret->message = bytes;
	name_source(log, log->packet.source_id, place->shown_id, ret);
	log->packet.source_id = place->shown_id;
	log->packet.record.group = ret->render_source.group;
	return 1;
}

static bool is_behind_intake(enum nfl_client_loss_stage stage)
{
	return stage == NFL_CLIENT_LOSS_HISTORY || stage == NFL_CLIENT_LOSS_RATE_LIMIT;
}

/* A loss that was told before comes with a count that is no higher; one that was told in part has the rest.
 * What the server's rate limit took in one run of the forwarder it may have let pass in another: there is
 * no order of counts then, and all are summed up. Returns what is new. */
static uint64_t count_loss(struct place *place, const struct nfl_client_loss *loss)
{
	uint64_t *lost = &place->lost[loss->stage];
	uint64_t count = loss->count;

	if (loss->stage != NFL_CLIENT_LOSS_RATE_LIMIT) {
		uint64_t before = *lost;

		if (loss->cumulative_count <= before)
			return 0;
		if (count > loss->cumulative_count - before)
			count = loss->cumulative_count - before;
		*lost = loss->cumulative_count;
		return count;
	}
	*lost = *lost > UINT64_MAX - count ? UINT64_MAX : *lost + count;
	return count;
}

/* 1, 0 for nothing new or nothing yet, -EBADMSG, -ENOMEM. */
static int take_loss(struct nfl_client_log *log, struct nfl_client_event *ret)
{
	struct nfl_client_loss *loss = &log->events.loss;
	struct place *place = places_get(&log->places, log->stream, loss->source_id);
	bool is_some = loss->count == 0 && loss->lower_bound;
	uint64_t fresh;

	if (!place)
		return -ENOMEM;
	if ((unsigned)loss->stage >= PLACE_STAGES)
		return -EBADMSG;
	fresh = count_loss(place, loss);
	if (loss->source_id != 0 && is_behind_intake(loss->stage)) {
		place->report = *loss;
		return add_arriving(log, loss->source_id); /* told at the end of the segment */
	}
	if (fresh == 0 && !is_some)
		return 0;
	loss->count = fresh;
	if (loss->source_id != 0)
		name_source(log, loss->source_id, place->shown_id, ret);
	loss->source_id = loss->source_id ? place->shown_id : 0;
	return 1;
}

/* At the end of a segment: what was lost behind the intake and not told yet. 1, or 0 for nothing. */
static int tell_holes(struct nfl_client_log *log, uint32_t source_id, struct nfl_client_event *ret)
{
	struct place *place = places_get(&log->places, log->stream, source_id);
	uint64_t lost;

	if (!place)
		return 0;
	place_settle(place);
	lost = place->lost[NFL_CLIENT_LOSS_HISTORY] + place->lost[NFL_CLIENT_LOSS_RATE_LIMIT];
	if (lost > place->holes)
		lost = place->holes;
	if (lost <= place->told)
		return 0;
	log->loss = place->report;
	log->loss.source_id = place->shown_id;
	log->loss.count = lost - place->told;
	log->loss.cumulative_count = place->told = lost;
	log->loss.lower_bound = false;
	*ret = (struct nfl_client_event){.type = NFL_CLIENT_LOSS, .loss = &log->loss};
	name_source(log, source_id, place->shown_id, ret);
	return 1;
}

static int take_source_event(struct nfl_client_log *log, struct nfl_client_event *ret)
{
	uint32_t id = ret->source->id;
	struct place *place = places_get(&log->places, log->stream, id);
	int r;

	if (!place)
		return -ENOMEM;
	r = sources_put(&log->stream->sources, ret->source);
	if (r == 0)
		name_source(log, id, place->shown_id, ret);
	return r < 0 ? r : 1;
}

/* What is no batch. 1, 0 for nothing to tell, or why not. */
static int take_event(struct nfl_client_log *log, struct nfl_bytes bytes,
		      struct nfl_client_event *ret)
{
	int r;

	sources_done(&log->scratch);
	r = events_read(&log->events, bytes, &log->scratch, ret);
	if (r > 0 && ret->type == NFL_CLIENT_LOSS)
		r = take_loss(log, ret);
	else if (r > 0 && ret->type == NFL_CLIENT_SOURCE)
		r = take_source_event(log, ret);
	ret->message = bytes;
	return r;
}

static int take_response(struct nfl_client_log *log, struct nfl_bytes bytes,
			 struct nfl_client_event *ret)
{
	struct nfl_bytes token;
	int r = wire_response_batch(bytes.data, bytes.len, &log->batch, &token);

	if (r < 0)
		return r;
	if (r > 0)
		return 0;
	log->batch = (struct nfl_bytes){0};
	return take_event(log, bytes, ret);
}

/* One step: 1 with an event, 0 with none yet, -ENODATA at the end, or why not. */
static int step(struct nfl_client_log *log, struct nfl_client_event *ret)
{
	enum wire_segment_part part;
	struct nfl_bytes bytes;
	int r = wire_batch_next(&log->batch, &bytes);

	if (r > 0)
		return take_packet(log, bytes, ret);
	if (r == 0)
		r = wire_segment_next(&log->segment, &part, &bytes);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	return part == WIRE_SEGMENT_RESPONSE ? take_response(log, bytes, ret) : 0;
}

int nfl_client_log_next(struct nfl_client_log *log, struct nfl_client_event *ret)
{
	int r;

	if (!log || !ret)
		return -EINVAL;
	if (!log->stream)
		return 0;
	do {
		*ret = (struct nfl_client_event){0};
		r = step(log, ret);
	} while (r == 0);
	if (r > 0) {
		ret->ends_response = true;
		return r;
	}
	while (r == -ENODATA && log->settled < log->arriving_count) {
		if (tell_holes(log, log->arriving[log->settled++], ret) > 0) {
			ret->ends_response = true;
			return 1;
		}
	}
	end_segment(log, r == -ENODATA);
	return r == -ENODATA ? 0 : r;
}
