/* SPDX-License-Identifier: MIT */
/* expect.h - what must come next on a stream, or the test fails */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#include "caller.h"
#include "source.h"

/* An event of this kind; free it with hall_free_event(). */
Nflog__V1__SubscribeResponse *expect_event(struct caller *caller,
					   Nflog__V1__SubscribeResponse__EventCase kind);

/* One batch of exactly these packets. */
void expect_packets(struct caller *caller, uint32_t source_id, uint64_t first, uint64_t count);
/* Batches with exactly these packets between them. */
void expect_run(struct caller *caller, uint32_t source_id, uint64_t first, uint64_t count);

/* An exact loss. */
void expect_loss(struct caller *caller, const struct source *source, int stage, uint64_t count,
		 uint64_t cumulative);
/* At least so many. */
void expect_bound(struct caller *caller, const struct source *source, int stage, uint64_t count,
		  uint64_t cumulative);

void expect_state(struct caller *caller, const struct source *source, enum source_state state,
		  const char *detail);

/* What came on a stream. */
struct tally {
	uint64_t packets, lost, batches, reports, heartbeats, states;
	uint64_t largest_batch;
	uint64_t last_sequence; /* of the last packet */
};

/* Counts an event. */
void tally_event(struct tally *tally, const Nflog__V1__SubscribeResponse *event);
/* Reads until packets and losses add up to exactly so many. */
struct tally tally_read(struct caller *caller, uint64_t total);

#endif
