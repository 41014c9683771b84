/* SPDX-License-Identifier: MIT */
/*
 * A gate that every thread passes with what it takes off a completion queue (--wrap), and that is
 * its own until it asks for more. Whoever closes it knows that no stream looks at anything: without
 * it a stream may look between any two steps of a test, as soon as the machine is busy.
 */
#include <pthread.h>
#include <stdbool.h>

#include <grpc/grpc.h>

#include "hall.h"

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static bool is_held;
static _Thread_local bool is_inside;

grpc_event __real_grpc_completion_queue_next(grpc_completion_queue *queue, gpr_timespec deadline,
					     void *reserved);
grpc_event __wrap_grpc_completion_queue_next(grpc_completion_queue *queue, gpr_timespec deadline,
					     void *reserved);

static void leave(void)
{
	if (is_inside)
		(void)pthread_rwlock_unlock(&gate);
	is_inside = false;
}

grpc_event __wrap_grpc_completion_queue_next(grpc_completion_queue *queue, gpr_timespec deadline,
					     void *reserved)
{
	grpc_event event;

	leave();
	event = __real_grpc_completion_queue_next(queue, deadline, reserved);
	if (event.type == GRPC_QUEUE_SHUTDOWN)
		return event; /* the thread asks no more */
	(void)pthread_rwlock_rdlock(&gate);
	is_inside = true;
	return event;
}

void hall_hold(void)
{
	leave(); /* the test's own thread is a client */
	(void)pthread_rwlock_wrlock(&gate);
	is_held = true;
}

void hall_go_on(void)
{
	if (is_held)
		(void)pthread_rwlock_unlock(&gate);
	is_held = false;
}
