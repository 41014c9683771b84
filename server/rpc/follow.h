/* SPDX-License-Identifier: MIT */
/*
 * rpc/follow.h - one source of one subscription: where it is in the log, and what it has missed
 *
 * Threads: the subscription's; the cursor also has its lock, for statistics.
 */
#ifndef RPC_FOLLOW_H
#define RPC_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "history.h"
#include "loss.h"
#include "wire.h"

struct source;

struct follow {
	struct source *source;        /* owned reference */
	struct history_cursor cursor; /* [subscription's lock] */
	uint64_t end;                 /* records from here on are not sent: UINT64_MAX, or where
					 the log ended when a stream that does not follow began,
					 or when the server began to stop */
	uint64_t replay_end;          /* records before it are history; 0: none is */
	uint32_t lost[2];             /* at LOSS_KERNEL_SOCKET and LOSS_DECODE, as last seen */
	uint64_t searched; /* START_LAST with filters: the records from here to replay_end were */
	uint64_t matches;  /* counted: so many of them match */
	struct loss losses[LOSS_STAGES];
	struct wire_cut cut; /* what the tenant may not have of the source's packets */
	bool revoked;        /* not to be read any more: to be told and let go of */
	bool gone; /* the source is: once all is read, it is told and the follow is dropped */

	/* what the subscriber knows of the source's state */
	uint64_t told;              /* fingerprint of the status told last; 0: none */
	bool untold;                /* in the queue of those that may have another by now */
	struct follow *next_untold; /* borrowed */

	/* while a batch is made */
	struct history_span span;
	const uint8_t *at; /* next record of the span */
	bool open;         /* has a span with records left */
};

/* Begins at the end of the source's log: live. NULL without memory. */
struct follow *follow_new(struct source *source);
void follow_free(struct follow *follow);

/**
 * follow_place - begin elsewhere instead
 * @cursor: of the source's log
 * @lost_kernel, @lost_decode: what the subscriber knows of already, modulo 2^32: what the records
 *     and counters tell beyond it is reported. A source that the subscriber saw from its first packet
 *     on has 0 and 0.
 */
void follow_place(struct follow *follow, const struct history_cursor *cursor, uint32_t lost_kernel,
		  uint32_t lost_decode);
/* Begins at the source's first record, with all its losses: nothing of it is to be missed. */
void follow_place_first(struct follow *follow);

/* Nothing that is published from now on is sent. */
void follow_stop(struct follow *follow);

/* Records that can be read, without a lock. */
uint64_t follow_pending(const struct follow *follow);

/* Gets the records at the cursor; @ret_lost: overwritten before they were read. */
bool follow_open(struct follow *follow, uint64_t *ret_lost);
void follow_close(struct follow *follow);

/* The next record of an open span. */
static inline const struct wire_stored *follow_peek(const struct follow *follow)
{
	return (const struct wire_stored *)(const void *)follow->at;
}
/* Moves past it; closes the span after its last record. */
void follow_take(struct follow *follow, const struct wire_stored *stored);

/**
 * follow_gap - packets lost at a stage since the last time
 * @total: the source's losses at that stage, modulo 2^32
 */
uint32_t follow_gap(struct follow *follow, enum loss_stage stage, uint32_t total);

/* Are all losses up to and including this record's gap told already? Nearly always. */
static inline bool follow_has_told(const struct follow *follow, const struct wire_stored *stored)
{
	return stored->lost_kernel == follow->lost[LOSS_KERNEL_SOCKET] &&
	       stored->lost_decode == follow->lost[LOSS_DECODE];
}

/* What was lost up to and including this record's gap is not this subscriber's loss. */
void follow_forgive(struct follow *follow, const struct wire_stored *stored);

#endif
