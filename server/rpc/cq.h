/* SPDX-License-Identifier: MIT */
/*
 * rpc/cq.h - one completion queue, its thread, and the calls that live on it
 *
 * A call stays on the queue where it arrived, so its state is touched by one thread only and needs
 * no lock. The thread sleeps in gRPC until an operation completes, a timer of a call passes, or
 * another thread wakes it.
 *
 * Threads: init, start, join, done from main; wake, renew and stop from any; all else the queue's own.
 */
#ifndef RPC_CQ_H
#define RPC_CQ_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>

struct call;
struct rpc;

#define CQ_NEVER INT64_MAX

/* What gRPC hands back when an operation completes; embedded in its owner. */
struct tag {
	void (*fn)(struct tag *tag, bool ok);
};

/* The struct that a member is embedded in. */
#define CONTAINER_OF(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct cq {
	struct rpc *rpc;              /* const; borrowed */
	grpc_completion_queue *queue; /* const; owned */
	grpc_channel *wake_channel;   /* const; owned; leads nowhere */
	grpc_call *wake_call;         /* const; owned; its empty batches wake the thread */
	struct tag on_wake, on_renew, on_stop, on_quit; /* const */
	_Atomic bool armed;                             /* some call wants to be woken */
	pthread_t thread;
	bool running; /* main only */

	/* the queue's thread only */
	struct call *calls; /* every call that has arrived and is not over */
	int64_t now_ns;     /* monotonic time of this turn */
	int64_t timer_ns;   /* no call has an earlier timer */
	int posted;         /* places for calls that may arrive */
	int64_t post_ns;    /* when to make places that there was no memory for; or never */
	bool stopping;
	bool quitting; /* nothing more may be started */
};

int cq_init(struct cq *cq, struct rpc *rpc);
/* Asks gRPC for calls and starts the thread. */
int cq_start(struct cq *cq);
/* Has every stream look at the policy. Never waits. */
void cq_renew(struct cq *cq);
/* Ends every call: streams after what they have queued. Once. */
void cq_stop(struct cq *cq);
/* Ends the thread; after the server's shutdown has completed. */
void cq_join(struct cq *cq);
void cq_done(struct cq *cq);

/* A place is taken: makes another one, now or as soon as there is memory. The queue's thread only. */
void cq_call_came(struct cq *cq);

/* There is news for calls that asked for it. Never waits; costs an atomic load when nobody did. */
void cq_wake(struct cq *cq);

/* From now on the next cq_wake() wakes the thread. Look for news once more after it: what was
 * published before goes unnoticed otherwise. */
void cq_arm(struct cq *cq);

#endif
