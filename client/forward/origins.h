/* SPDX-License-Identifier: MIT */
/*
 * origins.h - the sources of the stream that is forwarded: which lane each goes to, how far its segments
 * reach, and what it has lost since the durable log began
 *
 * Zero-initialised is empty.
 */
#ifndef FORWARD_ORIGINS_H
#define FORWARD_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checkpoint.h"

struct lane;

struct origin {
	uint32_t source_id; /* 0: the whole subscription */
	uint16_t group;
	int state;
	bool is_named;     /* netns, group and state are known */
	bool is_gone;      /* nothing more will come */
	char *netns;       /* owned; NULL where it is of no source */
	struct lane *lane; /* borrowed; NULL: none yet */
	/* Sequence that its segments reach; 0: not known yet. */
	uint64_t covered;
	/* Behind the server's intake, in this run: sequences without a packet, and losses told. Either may
	 * come first: a report stands before its gap, or is joined with later ones. */
	uint64_t gaps;
	uint64_t told;
	uint64_t lost[LOSS_STAGES]; /* since the log began */
};

struct origins {
	struct origin **items; /* owned, by ascending source_id */
	size_t count;
	size_t last; /* index of the one that was asked for last */
};

/* The origin of this id, made where there is none. Valid until it is removed. NULL: no memory. */
struct origin *origins_get(struct origins *origins, uint32_t source_id);

/* Takes what a source is called. 0 or -ENOMEM. */
int origin_name(struct origin *origin, const char *netns, uint16_t group, int state);

void origins_remove(struct origins *origins, size_t at);
void origins_done(struct origins *origins);

/* For a checkpoint. @ret: the caller's. Returns their number, or -ENOMEM. */
int origins_counts(const struct origins *origins, struct checkpoint_count **ret);

/* A packet comes next, or a loss has been told that no gap was seen of: *ret_after to covered is new. */
void origin_take_packet(struct origin *origin, uint64_t sequence, uint64_t *ret_after);
void origin_take_loss(struct origin *origin, uint64_t count, uint64_t *ret_after);

/* Goes on counting where a checkpoint ends. 0 or -ENOMEM. */
int origins_restore(struct origins *origins, const struct checkpoint *checkpoint);

#endif
