/* SPDX-License-Identifier: MIT */
/* A flag, a call and a condition; see cancel.h. */
#include "cancel.h"

#include <errno.h>
#include <time.h>

#include "call.h"
#include "clock.h"

/* Waits are to a monotonic time, which is not what a condition takes by itself. */
static int cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int r = -pthread_condattr_init(&attr);

	if (r < 0)
		return r;
	r = -pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = -pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr); /* cannot fail */
	return r;
}

int cancel_init(struct cancel *cancel)
{
	if (cond_init(&cancel->changed) < 0)
		return -ENOMEM;
	if (pthread_mutex_init(&cancel->lock, NULL) != 0) {
		(void)pthread_cond_destroy(&cancel->changed);
		return -ENOMEM;
	}
	return 0;
}

void cancel_done(struct cancel *cancel)
{
	(void)pthread_mutex_destroy(&cancel->lock);
	(void)pthread_cond_destroy(&cancel->changed);
}

void cancel_watch(struct cancel *cancel, struct call *call)
{
	(void)pthread_mutex_lock(&cancel->lock);
	cancel->call = call;
	if (call && cancel_is_set(cancel))
		call_cancel(call);
	(void)pthread_mutex_unlock(&cancel->lock);
}

void cancel_now(struct cancel *cancel)
{
	(void)pthread_mutex_lock(&cancel->lock);
	atomic_store_explicit(&cancel->set, true, memory_order_relaxed);
	if (cancel->call)
		call_cancel(cancel->call);
	(void)pthread_cond_broadcast(&cancel->changed);
	(void)pthread_mutex_unlock(&cancel->lock);
}

bool cancel_is_set(const struct cancel *cancel)
{
	return atomic_load_explicit(&cancel->set, memory_order_relaxed);
}

void cancel_sleep(struct cancel *cancel, int64_t until_ns)
{
	const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
				       .tv_nsec = (long)(until_ns % NS_PER_S)};
	int r = 0;

	(void)pthread_mutex_lock(&cancel->lock);
	while (r == 0 && !cancel_is_set(cancel))
		r = pthread_cond_timedwait(&cancel->changed, &cancel->lock, &until);
	(void)pthread_mutex_unlock(&cancel->lock);
}
