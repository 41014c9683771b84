/* SPDX-License-Identifier: MIT */
/*
 * rpc/bearer.h - bearer tokens as they come in a request's headers
 *
 * Only their SHA-256 is kept; the token stays where gRPC has it. Threads: any.
 */
#ifndef RPC_BEARER_H
#define RPC_BEARER_H

#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>

#define BEARER_TOKEN_MIN    ((size_t)16)
#define BEARER_TOKEN_MAX    ((size_t)4096)
#define BEARER_SHA256_BYTES ((size_t)32)

/* For whoever sent a header that is none. */
#define BEARER_EXPECTED_TEXT                                                                       \
	"authorization: expected it once, as 'Bearer' and a token of 16 to 4096 printable "        \
	"characters without spaces"

/* OpenSSL reads its configuration with the first hash: now, and not when the process may no longer open
 * files. */
void bearer_start(void);

/**
 * bearer_parse - the token in the value of an `authorization` header
 * @value: "Bearer TOKEN"; the scheme in any case (RFC 9110), spaces between them; no terminator
 * @ret_token: borrowed from @value
 * Returns 0, or -EBADMSG when it is nothing of the kind.
 */
int bearer_parse(const char *value, size_t len, const char **ret_token, size_t *ret_len);

/**
 * bearer_find - the token of a call
 * Returns 1 with its SHA-256 in @ret, 0 when there is no `authorization`, -EBADMSG when it is
 * malformed or there are two, or -ENOMEM.
 */
int bearer_find(const grpc_metadata_array *metadata, uint8_t ret[BEARER_SHA256_BYTES]);

#endif
