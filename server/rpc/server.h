/* SPDX-License-Identifier: MIT */
/* rpc/server.h - what all calls of a server share; private to the room */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include <stdint.h>

#include <grpc/grpc.h>

#include "call.h"
#include "cq.h"
#include "rpc.h"
#include "subscription.h"

#define RPC_EPOCH_MAX  17
#define RPC_TOKEN_KEYS 4

struct acceptor;
struct peers;
struct ports;

/* Const after rpc_new unless said otherwise. */
struct rpc {
	struct registry *registry; /* borrowed */
	char *version;             /* owned */
	char *tenant;              /* owned */
	uint64_t epoch_number;
	char epoch[RPC_EPOCH_MAX];           /* the same as text */
	uint64_t token_keys[RPC_TOKEN_KEYS]; /* random; for what tokens hide */
	int64_t start_time_ns;               /* CLOCK_REALTIME */
	int64_t config_load_time_ns;         /* the same */
	uint32_t max_subscriptions;
	uint32_t max_payload_bytes;
	uint64_t packets_per_second;
	int64_t stall_timeout_ns;
	struct rpc_limits limits; /* every field set */
	grpc_server *server;
	struct peers *peers;
	struct acceptor *acceptor;
	struct ports *ports; /* main only */
	struct cq *cqs;
	size_t cq_count;
	grpc_completion_queue *stop_queue; /* main only: tells when the shutdown is complete */
	bool stopped;                      /* main only */
	struct subscriptions live;         /* has its own lock */
};

/* What can be called; ends with an entry without a path. */
extern const struct method rpc_methods[];

#endif
