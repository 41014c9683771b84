/* SPDX-License-Identifier: MIT */
/* rpc/server.h - what all calls of a server share; private to the room */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "call.h"
#include "cq.h"
#include "rpc.h"
#include "subscription.h"

#define RPC_EPOCH_MAX  17
#define RPC_TOKEN_KEYS 4

struct acceptor;
struct contract;
struct peers;
struct policy;
struct rpc_sockets;
struct ports;

/* Const after rpc_new unless said otherwise. */
struct rpc {
	struct registry *registry; /* borrowed */
	char *version;             /* owned */
	uint64_t epoch_number;
	char epoch[RPC_EPOCH_MAX];           /* the same as text */
	uint64_t token_keys[RPC_TOKEN_KEYS]; /* random; for what tokens hide */
	int64_t start_time_ns;               /* CLOCK_REALTIME */
	_Atomic int64_t config_load_time_ns; /* the same */
	pthread_mutex_t policy_lock;
	struct policy *policy;              /* [policy_lock] a reference */
	_Atomic uint64_t policy_generation; /* set with the policy */
	_Atomic uint64_t refused;           /* calls of no tenant */
	_Atomic int64_t refused_ns;         /* when that was logged last */
	_Atomic uint32_t anonymous_calls;   /* that need no credentials, now */
	_Atomic bool draining;              /* the end is near: health says so */
	struct contract *contract;          /* owned; what reflection tells */
	struct rpc_limits limits;           /* every field set */
	grpc_server *server;
	struct peers *peers;
	struct rpc_sockets *sockets; /* owned */
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
