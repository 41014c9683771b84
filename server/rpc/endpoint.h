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
struct rpc_sockets;

struct acceptor;

/* All borrowed. NULL without memory. */
struct acceptor *acceptor_new(grpc_server *server, struct peers *peers,
			      struct rpc_sockets *sockets);

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
