/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - from the events of a stream to messages, one lane for each subject
 *
 * A lane is published when it is full, and all of them by lanes_flush(). What is of no source - the stream
 * begins again, losses of the whole subscription - has a subject of its own, with "_" for the namespace
 * and the group.
 */
#ifndef FORWARD_LANES_H
#define FORWARD_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#include "broker.h"
#include "checkpoint.h"
#include "lane.h"
#include "origins.h"

/* Of a message: a packet more may lie behind them. Brokers take 1 MiB as they come. */
#define LANE_BYTES_MAX   ((size_t)256 * 1024)
#define LANE_PACKETS_MAX 4096

/* Publishes; may wait. 0, or -errno, which lanes_take() and lanes_flush() return. */
typedef int (*lanes_publish_fn)(void *data, const struct broker_message *message);

/* The lines of an event, as JSON, into body; -errno in body->error. */
typedef void (*lanes_render_fn)(void *data, struct out *body, const struct nfl_client_event *event);

struct lanes_options {
	const char *subject; /* borrowed: pattern */
	const char *host;    /* borrowed */
	lanes_publish_fn publish;
	lanes_render_fn render; /* NULL: nflog.v1.LogSegment */
	void *data;
};

struct lanes {
	struct lanes_options options;
	char stream_id[STREAM_ID_LEN + 1];
	char epoch[EPOCH_MAX + 1]; /* of the server; empty: not known yet */
	struct origins origins;
	struct lane **items; /* owned, in no order */
	size_t count;
	struct out buffer; /* of the message that is published */
	uint64_t published;
	bool has_filled; /* some lane is not empty */
};

/* @place: of an earlier run, or with a stream_id alone. 0 or -ENOMEM. */
int lanes_init(struct lanes *lanes, const struct lanes_options *options,
	       const struct checkpoint *place);
void lanes_done(struct lanes *lanes);

/* The next event of the stream. 0, -ENOMEM, or what publish returned. */
int lanes_take(struct lanes *lanes, const struct nfl_client_event *event);

/* Publishes whatever there is. The same. */
int lanes_flush(struct lanes *lanes);

static inline bool lanes_are_empty(const struct lanes *lanes)
{
	return !lanes->has_filled;
}

/* Messages so far. */
static inline uint64_t lanes_published(const struct lanes *lanes)
{
	return lanes->published;
}

/* The stream's id, its epoch and the counts, for a checkpoint; @place: counts are the caller's. 0 or
 * -ENOMEM. */
int lanes_place(const struct lanes *lanes, struct checkpoint *place);

#endif
