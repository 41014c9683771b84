/* SPDX-License-Identifier: MIT */
/*
 * top_count.h - the packets of a stream, counted by source, by prefix and by flow
 *
 * Memory does not grow with the traffic: each view is a table of TOP_ROWS_MAX keys (heavy.h).
 * Threads: the reader of the stream calls top_count_event(), the screen everything else; the
 * lock is inside.
 */
#ifndef NFLOGCTL_TOP_COUNT_H
#define NFLOGCTL_TOP_COUNT_H

#include <pthread.h>

#include <nfl/client.h>

#include "heavy.h"
#include "totals.h"

enum top_view {
	TOP_SOURCES,
	TOP_PREFIXES,
	TOP_FLOWS,
};
#define TOP_VIEW_COUNT 3

#define TOP_ROWS_MAX    512
#define TOP_MESSAGE_MAX 256

struct top_count {
	pthread_mutex_t lock;
	struct heavy *views[TOP_VIEW_COUNT]; /* owned; [lock], as all that follows */
	struct totals totals;
	uint64_t bytes;
	uint64_t packets_before; /* as of the last snapshot */
	uint64_t bytes_before;
	char message[TOP_MESSAGE_MAX]; /* what the stream is about: connected, or why not */
};

/* What the screen shows, of one moment. */
struct top_snapshot {
	struct heavy_entry rows[TOP_VIEW_COUNT][TOP_ROWS_MAX];
	size_t counts[TOP_VIEW_COUNT];
	uint64_t packets;
	uint64_t bytes;
	uint64_t lost;
	bool lost_is_bound;
	double packet_rate;
	double byte_rate;
	char message[TOP_MESSAGE_MAX];
};

/* 0 or -ENOMEM. */
int top_count_init(struct top_count *count);
void top_count_done(struct top_count *count);

void top_count_event(struct top_count *count, const struct nfl_client_event *event);

/* @seconds: since the last one, for the rates. */
void top_count_snapshot(struct top_count *count, double seconds, struct top_snapshot *ret);

/* Begins to count anew. */
void top_count_clear(struct top_count *count);

/* The name of a row, safe for a terminal: "red/100", a prefix, "red 10.0.0.1:1 > 10.0.0.2:2 TCP". */
void top_row_name(enum top_view view, const struct heavy_entry *row, char *buf, size_t cap);

#endif
