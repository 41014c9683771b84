/* SPDX-License-Identifier: MIT */
/* stand_in.h - a subscription that no client has, at the place that a token names */
#ifndef TEST_FUZZ_STAND_IN_H
#define TEST_FUZZ_STAND_IN_H

#include <grpc/slice.h>

struct rpc;
struct token;

/* What token_slice() writes at that place; the caller's. */
grpc_slice stand_in_token(struct rpc *rpc, const struct token *token);

#endif
