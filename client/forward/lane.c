/* SPDX-License-Identifier: MIT */
/* The head of a message is made when it is finished: it names what came to lie in the body. */
#include "lane.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "segment.h"

#define NO_RUN     SIZE_MAX
#define SOURCE_MAX 128 /* of a source's fields beside its texts */

/* FNV-1a: an id has to differ where the content does; nobody gains by making two the same. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct nfl_bytes text_bytes(const char *text)
{
	return (struct nfl_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

struct lane *lane_new(char *subject, bool is_json)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane || out_init(&lane->body, -1) < 0) {
		free(lane);
		free(subject);
		return NULL;
	}
	lane->subject = subject;
	lane->run = NO_RUN;
	lane->hash = HASH_BEGIN;
	lane->is_json = is_json;
	return lane;
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	out_done(&lane->body);
	free(lane->parts);
	free(lane->subject);
	free(lane);
}

/* --- parts ------------------------------------------------------------------------------- */

static size_t find_part(const struct lane *lane, uint32_t source_id)
{
	size_t low = 0, high = lane->part_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lane->parts[middle].origin->source_id < source_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: no memory. */
static struct lane_part *get_part(struct lane *lane, struct origin *origin)
{
	size_t at = lane->part_last, capacity = lane->part_capacity ? lane->part_capacity * 2 : 4;
	struct lane_part *grown;

	if (at < lane->part_count && lane->parts[at].origin == origin)
		return &lane->parts[at];
	at = find_part(lane, origin->source_id);
	lane->part_last = at;
	if (at < lane->part_count && lane->parts[at].origin == origin)
		return &lane->parts[at];
	if (lane->part_count == lane->part_capacity) {
		grown = reallocarray(lane->parts, capacity, sizeof(*grown));
		if (!grown)
			return NULL;
		lane->parts = grown;
		lane->part_capacity = capacity;
	}
	memmove(lane->parts + at + 1, lane->parts + at,
		(lane->part_count - at) * sizeof(lane->parts[0]));
	lane->parts[at] = (struct lane_part){.origin = origin};
	lane->part_count++;
	return &lane->parts[at];
}

static void cover(struct lane_part *part, uint64_t after)
{
	if (part->last == 0 || after < part->after)
		part->after = after;
	if (part->last < part->origin->covered)
		part->last = part->origin->covered;
}

static bool is_behind_intake(const struct nfl_client_loss *loss)
{
	return loss->stage == NFL_CLIENT_LOSS_HISTORY || loss->stage == NFL_CLIENT_LOSS_RATE_LIMIT;
}

/* --- events ------------------------------------------------------------------------------ */

static void end_run(struct lane *lane)
{
	if (lane->run == NO_RUN)
		return;
	wire_put_run((uint8_t *)lane->body.buffer + lane->run,
		     lane->body.used - lane->run - WIRE_RUN_HEADER);
	lane->run = NO_RUN;
}

static int add_packet(struct lane *lane, struct nfl_bytes packet)
{
	uint8_t *room = (uint8_t *)out_reserve(&lane->body, WIRE_RUN_HEADER + WIRE_FIELD_MAX +
								(size_t)packet.len);

	if (!room)
		return -ENOMEM;
	if (lane->run == NO_RUN) {
		lane->run = lane->body.used;
		out_commit(&lane->body, WIRE_RUN_HEADER);
		room += WIRE_RUN_HEADER;
	}
	out_commit(&lane->body, wire_put_packet(room, packet));
	return 0;
}

static size_t put_loss(uint8_t *room, const struct nfl_client_loss *loss)
{
	const struct wire_loss stored = {
	    .stage = (int)loss->stage,
	    .source_id = loss->source_id,
	    .count = loss->count,
	    .cumulative_count = loss->cumulative_count,
	    .lower_bound = loss->lower_bound,
	    .first_time_ns = loss->first_time_ns,
	    .last_time_ns = loss->last_time_ns,
	};

	return wire_put_loss(room, &stored);
}

/* Whatever is no packet; 0 bytes for what a durable log does not hold. */
static size_t put_rare(uint8_t *room, const struct nfl_client_event *event)
{
	switch (event->type) {
	case NFL_CLIENT_STARTED:
		return wire_put_started(room, text_bytes(event->started->server_epoch),
					(int)event->started->resume_status);
	case NFL_CLIENT_LOSS:
		return put_loss(room, event->loss);
	case NFL_CLIENT_SOURCE:
		return wire_put_response(room, event->message);
	case NFL_CLIENT_PACKET:
	case NFL_CLIENT_HEARTBEAT:
	case NFL_CLIENT_CAUGHT_UP:
	case NFL_CLIENT_RECONNECTING:
		break;
	}
	return 0;
}

static int add_rare(struct lane *lane, const struct nfl_client_event *event)
{
	size_t room = WIRE_LOSS_MAX + event->message.len + WIRE_FIELD_MAX, len;
	uint8_t *at;

	end_run(lane);
	if (event->type == NFL_CLIENT_STARTED)
		room += strlen(event->started->server_epoch);
	at = (uint8_t *)out_reserve(&lane->body, room);
	if (!at)
		return -ENOMEM;
	len = put_rare(at, event);
	lane->hash = hash_bytes(lane->hash, at, len);
	out_commit(&lane->body, len);
	return 0;
}

/* Says of which source the next event is, and how far it reaches. */
static int take_event(struct lane *lane, struct origin *origin,
		      const struct nfl_client_event *event)
{
	struct lane_part *part = get_part(lane, origin);
	uint64_t after;

	if (!part)
		return -ENOMEM;
	if (event->type == NFL_CLIENT_PACKET) {
		lane->packets++;
		origin_take_packet(origin, event->packet->sequence, &after);
		cover(part, after);
	} else if (event->type == NFL_CLIENT_LOSS && is_behind_intake(event->loss)) {
		origin_take_loss(origin, event->loss->count, &after);
		if (origin->covered > after)
			cover(part, after);
	}
	return 0;
}

int lane_note(struct lane *lane, struct origin *origin, const struct nfl_client_event *event)
{
	/* Texts of events hold their times: what is hashed of packets is their number and their place. */
	if (event->type != NFL_CLIENT_PACKET)
		lane->hash = hash_bytes(lane->hash, event->message.data, event->message.len);
	return take_event(lane, origin, event);
}

int lane_add(struct lane *lane, struct origin *origin, const struct nfl_client_event *event)
{
	int r = take_event(lane, origin, event);

	if (r < 0)
		return r;
	return event->type == NFL_CLIENT_PACKET ? add_packet(lane, event->message)
						: add_rare(lane, event);
}

/* --- the message ------------------------------------------------------------------------- */

static int put_names(const struct lane_names *names, struct out *buffer)
{
	size_t max = strlen(names->host) + strlen(names->stream_id) + strlen(names->epoch) +
		     3 * WIRE_FIELD_MAX;
	uint8_t *room = (uint8_t *)out_reserve(buffer, max);

	if (!room)
		return -ENOMEM;
	out_commit(buffer,
		   wire_put_segment_head(room, text_bytes(names->host),
					 text_bytes(names->stream_id), text_bytes(names->epoch)));
	return 0;
}

static int put_part(const struct lane_part *part, struct out *buffer)
{
	const struct origin *origin = part->origin;
	const struct wire_span span = {origin->source_id, part->after, part->last};
	const struct wire_source source = {
	    .source_id = origin->source_id,
	    .netns = text_bytes(origin->netns ? origin->netns : ""),
	    .group = origin->group,
	    .state = origin->state,
	};
	uint8_t *room =
	    (uint8_t *)out_reserve(buffer, SOURCE_MAX + source.netns.len + WIRE_SPAN_MAX);
	size_t len = 0;

	if (!room)
		return -ENOMEM;
	if (origin->is_named)
		len += wire_put_source(room, &source);
	if (part->last)
		len += wire_put_span(room + len, &span);
	out_commit(buffer, len);
	return 0;
}

static int put_head(const struct lane *lane, const struct lane_names *names, struct out *buffer)
{
	int r = put_names(names, buffer);

	for (size_t i = 0; i < lane->part_count && r == 0; i++)
		r = put_part(&lane->parts[i], buffer);
	return r;
}

int lane_finish(struct lane *lane, const struct lane_names *names, struct out *buffer,
		char id[LANE_ID_MAX])
{
	uint64_t hash;
	int r;

	end_run(lane);
	buffer->used = 0;
	r = put_head(lane, names, buffer);
	if (r < 0)
		return r;
	hash = hash_bytes(lane->hash, buffer->buffer, buffer->used);
	hash = hash_bytes(hash, lane->subject, strlen(lane->subject));
	hash = hash_bytes(hash, &lane->packets, sizeof(lane->packets));
	(void)snprintf(id, LANE_ID_MAX, "%s.%016" PRIx64, names->stream_id, hash);
	if (lane->is_json)
		buffer->used = 0;
	out_append(buffer, lane->body.buffer, lane->body.used, NULL, 0);
	lane->body.used = 0;
	lane->part_count = lane->part_last = 0;
	lane->packets = 0;
	lane->hash = HASH_BEGIN;
	return buffer->error;
}
