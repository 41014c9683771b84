/* SPDX-License-Identifier: MIT */
/* A resume token from a client: one that is taken is the same when it was written and read again. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fuzz.h"
#include "server.h"
#include "stand_in.h"
#include "token.h"
#include "wire.h"

static struct rpc rpc = {.token_keys = {1, 2, 3, 4}};

static void check_written(const struct token *token, struct arena *arena)
{
	grpc_slice slice = stand_in_token(&rpc, token);
	struct nfl_bytes batch, bytes;
	struct token again;

	if (GRPC_SLICE_LENGTH(slice) == 0)
		return; /* too large to be written */
	FUZZ_CHECK(wire_response_batch(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice),
				       &batch, &bytes) == 0);
	FUZZ_CHECK(token_parse(&rpc, bytes.data, bytes.len, arena, &again) == 0);
	FUZZ_CHECK(again.order == token->order && again.skip == token->skip &&
		   again.lost_unknown == token->lost_unknown && again.count == token->count);
	FUZZ_CHECK(memcmp(again.places, token->places, token->count * sizeof(*again.places)) == 0);
	grpc_slice_unref(slice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct token token;
	struct arena arena;

	arena_init(&arena, (size_t)1 << 24);
	if (token_parse(&rpc, bytes, len, &arena, &token) == 0)
		check_written(&token, &arena);
	arena_done(&arena);
	return 0;
}
