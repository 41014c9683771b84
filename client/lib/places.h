/* SPDX-License-Identifier: MIT */
/*
 * places.h - how far a reader of a durable log has come, for each source of each stream
 *
 * What a segment covers is a range of sequences. Ranges that meet become one; a forwarder that begins
 * anew behind what it has lost leaves a hole, and a message that was stored late fills one. Few holes are
 * kept: the oldest is given up, as if it had been filled.
 *
 * Losses behind the server's intake (HISTORY, RATE_LIMIT) leave sequences without a packet. A forwarder that
 * was killed may report as lost, because the server has it no more, what it had stored before: so no more
 * is lost than there are sequences that never came.
 */
#ifndef CLIENT_PLACES_H
#define CLIENT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#include "sources.h"

#define PLACE_RANGES 8
#define PLACE_STAGES 8 /* numbers of enum nfl_client_loss_stage, and some to come */
#define PLACES_MAX   ((size_t)262144)

struct place_range { /* after < sequence <= last */
	uint64_t after;
	uint64_t last;
};

struct place {
	uint32_t source_id; /* 0: losses of a whole subscription */
	uint32_t shown_id;  /* the reader's, one for each place there ever was */
	uint32_t range_count;
	struct place_range ranges[PLACE_RANGES]; /* ascending, apart from each other */
	struct place_range arriving;             /* of the segment in hand; last 0: none */
	uint64_t arrived;                        /* packets of it that were not there */
	uint64_t holes;                          /* sequences covered without a packet */
	uint64_t lost[PLACE_STAGES];             /* as reported, each loss once */
	uint64_t told;                           /* as lost behind the intake */
	struct nfl_client_loss report;           /* the last one of those */
};

/* One run of a server, as one forwarder saw it. */
struct place_stream {
	char *key; /* owned */
	uint64_t used;
	struct sources sources;
	struct place *items; /* owned, by ascending source_id */
	size_t count;
	size_t capacity;
	size_t last; /* index of the one that was asked for last */
};

/* Zero-initialised is empty. */
struct places {
	struct place_stream **streams; /* owned, by ascending key */
	size_t count;
	size_t total; /* places */
	uint64_t uses;
	uint32_t ids; /* given */
};

/**
 * places_open - the stream of this key, which is made where there is none
 * Where there are too many places the stream that was opened longest ago is forgotten.
 * Valid until the next call. NULL: no memory.
 */
struct place_stream *places_open(struct places *places, const char *key);
void places_done(struct places *places);

/* The place of a source, made where there is none; valid until another is made. NULL: no memory, or more
 * sources than a stream may have. */
struct place *places_get(struct places *places, struct place_stream *stream, uint32_t source_id);

bool place_has(const struct place *place, uint64_t sequence);

/* The segment in hand is behind us: what it covered is there, or is a hole. */
void place_settle(struct place *place);

/* The same for one that is malformed. */
void place_forget(struct place *place);

#endif
