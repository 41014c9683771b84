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

struct source;
struct wire_stored;

struct follow {
	struct source *source;        /* owned reference */
	struct history_cursor cursor; /* [subscription's lock] */
	uint64_t end;                 /* records from here on are not sent: UINT64_MAX, or where
					 the log ended when the server began to stop */
	uint32_t lost[2];             /* at LOSS_KERNEL_SOCKET and LOSS_DECODE, as last seen */
	struct loss losses[LOSS_STAGES];

	/* while a batch is made */
	struct history_span span;
	const uint8_t *at; /* next record of the span */
	bool open;         /* has a span with records left */
};

/* Begins at the end of the source's log; takes the reference. */
void follow_init(struct follow *follow, struct source *source);
void follow_done(struct follow *follow);

/* Nothing that is published from now on is sent. */
void follow_stop(struct follow *follow);

/* Records that can be read, without a lock. */
uint64_t follow_pending(const struct follow *follow);

/* Gets the records at the cursor; @ret_lost: overwritten before they were read. */
bool follow_open(struct follow *follow, uint64_t *ret_lost);
void follow_close(struct follow *follow);

/* The next record of an open span. */
const struct wire_stored *follow_peek(const struct follow *follow);
/* Moves past it; closes the span after its last record. */
void follow_take(struct follow *follow, const struct wire_stored *stored);

/**
 * follow_gap - packets lost at a stage since the last time
 * @total: the source's losses at that stage, modulo 2^32
 */
uint32_t follow_gap(struct follow *follow, enum loss_stage stage, uint32_t total);

#endif
