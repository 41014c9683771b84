/* SPDX-License-Identifier: MIT */
/*
 * rpc/identify.h - who makes a call: what its connection and its headers prove
 *
 * Kept with the call, so that a reload can ask again which tenant it is. Threads: the call's.
 */
#ifndef RPC_IDENTIFY_H
#define RPC_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct principal;
struct status;

#define IDENTITY_TEXT_MAX ((size_t)256)

struct identity;

/**
 * identity_new - from the unix socket's credentials, the TLS peer's certificate, and `authorization`
 * A bearer token that came by plaintext TCP, or a header that is malformed or sent twice, is refused.
 * Returns false with UNAUTHENTICATED (or for want of memory) in @err.
 */
bool identity_new(const struct call *call, struct identity **ret, struct status *err);
void identity_free(struct identity *identity); /* NULL is allowed */

/* Borrowed from it. */
const struct principal *identity_principal(const struct identity *identity);

/* "unix uid 1000 pid 4711", "cert spiffe://corp/red/x", "token 9f86d081", "loopback ipv4:127.0.0.1:5000":
 * for logs and GetServerInfo.principal. Nothing secret. */
const char *identity_text(const struct identity *identity);

#endif
