/* SPDX-License-Identifier: MIT */
/*
 * Part of builds with ThreadSanitizer, which cannot see into Debian's gRPC: what a thread did before it
 * started an operation is seen by the thread that takes the operation's tag off its completion queue.
 * That is all the order that gRPC promises, so that races it does not exclude are still found.
 *
 * The functions stand in front of those of the library, which they call.
 */
#include <dlfcn.h>
#include <stdint.h>

#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#define MARKS 65536u

/* Tags may be small numbers; two that share a mark are ordered a little too well. */
static char marks[MARKS];

static void *mark_of(const void *tag)
{
	uintptr_t number = (uintptr_t)tag;

	return &marks[(number ^ number >> 16) % MARKS];
}

#define NEXT(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

grpc_call_error grpc_call_start_batch(grpc_call *call, const grpc_op *ops, size_t nops, void *tag,
				      void *reserved)
{
	__tsan_release(mark_of(tag));
	return NEXT(grpc_call_start_batch)(call, ops, nops, tag, reserved);
}

grpc_call_error grpc_server_request_call(grpc_server *server, grpc_call **call,
					 grpc_call_details *details, grpc_metadata_array *metadata,
					 grpc_completion_queue *bound_to,
					 grpc_completion_queue *notified, void *tag_new)
{
	__tsan_release(mark_of(tag_new));
	return NEXT(grpc_server_request_call)(server, call, details, metadata, bound_to, notified,
					      tag_new);
}

void grpc_server_shutdown_and_notify(grpc_server *server, grpc_completion_queue *queue, void *tag)
{
	__tsan_release(mark_of(tag));
	NEXT(grpc_server_shutdown_and_notify)(server, queue, tag);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue *queue, gpr_timespec deadline,
				      void *reserved)
{
	grpc_event event = NEXT(grpc_completion_queue_next)(queue, deadline, reserved);

	if (event.type == GRPC_OP_COMPLETE)
		__tsan_acquire(mark_of(event.tag));
	return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue *queue, void *tag,
				       gpr_timespec deadline, void *reserved)
{
	grpc_event event = NEXT(grpc_completion_queue_pluck)(queue, tag, deadline, reserved);

	if (event.type == GRPC_OP_COMPLETE)
		__tsan_acquire(mark_of(tag));
	return event;
}
