/* SPDX-License-Identifier: MIT */
/*
 * rpc/token.h - a place in a stream that a client can come back to: opaque to it, self-contained
 *
 * For each source that had a packet or a loss: which record comes next, what of its losses was
 * reported, and what was noted but not yet reported. What a source that is not named has missed is
 * told by the order of arrival: all of it up to the token's order, nothing later. So the token grows
 * with the sources that talk, not with those that come and go. It holds nothing that its bearer could
 * not see, and is checked like any other input.
 *
 * Threads: the subscription's.
 */
#ifndef RPC_TOKEN_H
#define RPC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/slice.h>

struct arena;
struct rpc;
struct subscription;

/* A stream that needs more has no tokens: a request with one would be too large. Places of 4096
 * sources fit, whatever is in them; of sources with few losses two or three times as many. */
#define TOKEN_PLACES_MAX ((size_t)16384)
#define TOKEN_BYTES_MAX  ((size_t)196608)

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
	uint64_t order;             /* as subscription's; means nothing in another epoch */
	uint64_t skip;              /* as subscription's */
	bool lost_unknown;          /* the same */
	struct token_place *places; /* in the arena, ascending by source_id */
	size_t count;
};

/**
 * token_slice - SubscribeResponse.resume_token for the place after everything taken so far
 * The field with tag and length, to follow the other fields of a response. Empty where it would
 * be too large. The caller's.
 */
grpc_slice token_slice(const struct subscription *sub);

/**
 * token_parse - what a client sent as a token
 * Returns 0, -EBADMSG when it is no token of ours, or -ENOMEM.
 */
int token_parse(const struct rpc *rpc, const void *bytes, size_t len, struct arena *arena,
		struct token *ret);

/* NULL: not named. */
const struct token_place *token_find(const struct token *token, uint32_t source_id);

#endif
