/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>

/**
 * probe_channel - why a channel does not connect
 * @tls: whether it is to have TLS
 * @ret: gRPC's words, or ours for them; untouched when it has none
 *
 * gRPC keeps them from a call that waits for a connection, so one that does not is made. Without a
 * request: where the server answers after all, it has nothing to do. Waits a moment at most.
 */
void probe_channel(grpc_channel *channel, bool tls, char *ret, size_t cap);

#endif
