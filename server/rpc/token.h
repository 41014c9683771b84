/* SPDX-License-Identifier: MIT */
/*
 * rpc/token.h - a place in a stream that a client can come back to: opaque to it, self-contained
 *
 * For each source that had a packet or a loss: which record comes next, what of its losses was
 * reported, and what was noted but not yet reported. A source that a token does not name had nothing
 * when it was written: its place is its first record. So the token grows with the sources that talk,
 * and a source that appears later is complete. It holds nothing that its bearer could not see, and is
 * checked like any other input.
 *
 * Threads: the subscription's.
 */
#ifndef RPC_TOKEN_H
#define RPC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

struct arena;
struct subscription;

struct token_place {
	uint32_t source_id;
	uint64_t record;      /* the next one; also sequence of the last one sent */
	uint32_t lost_kernel; /* reported, of the source's totals, modulo 2^32 */
	uint32_t lost_decode;
	uint64_t history;    /* noted at LOSS_HISTORY and not reported */
	uint64_t rate_limit; /* the same at LOSS_RATE_LIMIT */
};

struct token {
	uint64_t epoch;
	struct token_place *places; /* in the arena, ascending by source_id */
	size_t count;
};

/* The most that token_write() writes for this subscription now. */
size_t token_bound(const struct subscription *sub);

/* The token for the place after everything sent so far. Returns its bytes. */
size_t token_write(const struct subscription *sub, uint8_t *buf);

/* Returns 0, -EBADMSG when it is no token of ours, or -ENOMEM. */
int token_parse(const void *bytes, size_t len, struct arena *arena, struct token *ret);

/* NULL: not named. */
const struct token_place *token_find(const struct token *token, uint32_t source_id);

#endif
