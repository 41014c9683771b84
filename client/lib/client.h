/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "address.h"
#include "secure.h"

/* Messages of the server larger than this end the call: a batch has 1 MiB at most. */
#define CLIENT_MESSAGE_MAX_BYTES (16 * 1024 * 1024)

/* Const after nfl_client_new(); the channel is safe for any thread. */
struct nfl_client {
	char *server;                    /* owned, as the user named it */
	char target[ADDRESS_TARGET_MAX]; /* as gRPC names it */
	uint32_t connect_timeout_ms;
	struct secure secure;
	grpc_channel *channel; /* owned */
};

/* A channel to the client's server, owned by the caller; NULL without memory. Any thread. */
grpc_channel *client_connect(const struct nfl_client *client);

#endif
