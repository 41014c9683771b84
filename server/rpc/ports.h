/* SPDX-License-Identifier: MIT */
/*
 * rpc/ports.h - the TCP endpoints of a server: TLS anywhere, plaintext on this host only
 *
 * Threads: main.
 */
#ifndef RPC_PORTS_H
#define RPC_PORTS_H

#include <stddef.h>

#include <grpc/grpc.h>

struct ports;
struct rpc_endpoint;
struct rpc_error;

/* @server: borrowed; @max: how many there will be. NULL without memory. */
struct ports *ports_new(grpc_server *server, size_t max);
/* After the server; NULL is allowed. */
void ports_free(struct ports *ports);

/**
 * ports_add - listen; served when the server starts
 * Returns 0, -EINVAL: an address that is not served so, or a broken file of TLS; -EADDRINUSE; or
 * another -errno. @err says why.
 */
int ports_add(struct ports *ports, const struct rpc_endpoint *endpoint, struct rpc_error *err);

/* As rpc_reload_tls(). */
int ports_reload_tls(struct ports *ports, struct rpc_error *err);

#endif
