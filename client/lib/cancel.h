/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - how another thread ends a stream that changes its calls
 *
 * A stream that begins again has one call after the other, and none in the pauses between. What
 * cancel() has to end at the moment is kept here under a lock.
 *
 * Threads: cancel_now() and cancel_is_set() are for any thread, the others for the stream's.
 */
#ifndef CLIENT_CANCEL_H
#define CLIENT_CANCEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

struct cancel {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic bool set;
	struct call *call; /* [lock] borrowed; NULL: none is under way */
};

/* 0 or -ENOMEM. */
int cancel_init(struct cancel *cancel);
void cancel_done(struct cancel *cancel);

/* The call that cancel_now() is to end, at once if it was set before; NULL before call_done(). */
void cancel_watch(struct cancel *cancel, struct call *call);

void cancel_now(struct cancel *cancel);
bool cancel_is_set(const struct cancel *cancel);

/* Waits until a monotonic time or until it is set. */
void cancel_sleep(struct cancel *cancel, int64_t until_ns);

#endif
