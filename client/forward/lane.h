/* SPDX-License-Identifier: MIT */
/*
 * lane.h - the message that is being filled for one subject
 *
 *	packets, losses, events of its sources ──▶ body          lane_finish(): head + body = LogSegment
 *
 * Packets are copied as the bytes that the server sent. For JSON the caller renders into the body
 * itself; the rest, and above all the id, is the same.
 */
#ifndef FORWARD_LANE_H
#define FORWARD_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#include "origins.h"
#include "out.h"

/* What the message in hand has of one source. */
struct lane_part {
	struct origin *origin; /* borrowed */
	uint64_t after;
	uint64_t last; /* 0: no packet */
};

struct lane {
	char *subject;   /* owned */
	struct out body; /* in memory */
	size_t run;      /* where the run of packets begins that is being filled; NO_RUN: none */
	struct lane_part *parts; /* owned; by ascending source_id */
	size_t part_count;
	size_t part_capacity;
	size_t part_last;
	uint64_t packets;
	uint64_t hash; /* of what is no packet: a part of the id */
	bool is_json;
};

/* What all messages have in common. */
struct lane_names {
	const char *host;
	const char *stream_id;
	const char *epoch;
};

/* @subject: becomes the lane's. NULL: no memory. */
struct lane *lane_new(char *subject, bool is_json);
void lane_free(struct lane *lane);

static inline bool lane_is_empty(const struct lane *lane)
{
	return lane->body.used == 0;
}

/* An event of this source: packets and sources that change as the server sent them, losses, and `started`
 * (of the origin 0). Events of other kinds are left out. 0 or -ENOMEM. */
int lane_add(struct lane *lane, struct origin *origin, const struct nfl_client_event *event);

/* JSON: notes the event, whose text the caller has put into body. */
int lane_note(struct lane *lane, struct origin *origin, const struct nfl_client_event *event);

#define LANE_ID_MAX 64

/**
 * lane_finish - the message, and a lane that is empty again
 * @buffer: in memory; holds the message, and is used up before
 * @id: the same for the same content of the same stream only
 * Returns 0 or -ENOMEM.
 */
int lane_finish(struct lane *lane, const struct lane_names *names, struct out *buffer,
		char id[LANE_ID_MAX]);

#endif
