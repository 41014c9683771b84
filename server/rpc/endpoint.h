/* SPDX-License-Identifier: MIT */
/*
 * rpc/endpoint.h - where clients come in: unix sockets with an acceptor of our own
 *
 * gRPC's own unix listener tells nothing about the peer, leaves the mode of the socket file to the
 * umask, and is dead for good after one accept without a free descriptor. This one is none of it.
 *
 * Threads: main; accepting is done by a thread of its own.
 */
#ifndef RPC_ENDPOINT_H
#define RPC_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>

struct peers;
struct rpc_endpoint;
struct rpc_error;

struct acceptor;

/* @server, @peers: borrowed. NULL without memory. */
struct acceptor *acceptor_new(grpc_server *server, struct peers *peers);

/**
 * acceptor_add - bind a unix socket and listen; before start
 * Replaces the socket file of a server that is dead; one that lives is -EADDRINUSE.
 * Returns 0, or -errno with the reason in @err.
 */
int acceptor_add(struct acceptor *acceptor, const struct rpc_endpoint *endpoint,
		 struct rpc_error *err);

int acceptor_start(struct acceptor *acceptor);
/* No further connection comes, and the socket files are gone. */
void acceptor_stop(struct acceptor *acceptor);
void acceptor_free(struct acceptor *acceptor);

/**
 * endpoint_is_loopback - is this "127.0.0.1:7443" or "[::1]:7443", a number that leads nowhere but
 * to this host, with a port
 */
bool endpoint_is_loopback(const char *tcp);

#endif
