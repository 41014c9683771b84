/* SPDX-License-Identifier: MIT */
/*
 * The loop of a completion thread: completed operations, timers of calls, and being woken.
 *
 * gRPC's C core has no call that wakes a completion queue. But a batch of no operations completes
 * at once, so its tag comes out of the queue: it is started on a client call of a channel that
 * leads nowhere. It takes no lock of a call and sends nothing, so intake may do it.
 *
 * grpc_completion_queue_next() hands out all that is queued before it polls for more. A call that
 * always has something to send would starve the others; so work that can wait is done by a timer,
 * which passes only after a poll.
 */
#include "cq.h"

#include <errno.h>
#include <stddef.h>

#include <grpc/support/time.h>

#include "call.h"
#include "clock.h"

#define REQUESTS_POSTED 16 /* calls that may arrive between two turns without waiting */
#define POST_AGAIN_NS   (100 * NS_PER_MS)
#define TIMER_LATE_NS   (2 * NS_PER_MS) /* a busy queue looks at its timers this late */

/* Where no place is waiting no call can arrive any more, and nothing but time would make one. */
static int post_requests(struct cq *cq)
{
	int r = 0;

	while (cq->posted < REQUESTS_POSTED && !cq->quitting && r == 0) {
		r = call_request(cq);
		cq->posted += r == 0;
	}
	cq->post_ns = r < 0 ? cq->now_ns + POST_AGAIN_NS : CQ_NEVER;
	if (cq->post_ns < cq->timer_ns)
		cq->timer_ns = cq->post_ns;
	return r;
}

void cq_call_came(struct cq *cq)
{
	cq->posted--;
	(void)post_requests(cq); /* tried again by a timer */
}

/* Looks at the timers of all calls: there are at most some thousands, and finding the next one
 * costs less than keeping them sorted at every message. */
static void run_timers(struct cq *cq)
{
	cq->timer_ns = CQ_NEVER;
	if (cq->post_ns <= cq->now_ns)
		(void)post_requests(cq);
	else
		cq->timer_ns = cq->post_ns;
	for (struct call *call = cq->calls; call; call = call->next) {
		if (call->timer_ns <= cq->now_ns)
			call_look(call);
		if (call->timer_ns < cq->timer_ns)
			cq->timer_ns = call->timer_ns;
	}
}

static void on_wake(struct tag *tag, bool ok)
{
	struct cq *cq = CONTAINER_OF(tag, struct cq, on_wake);

	(void)ok;
	for (struct call *call = cq->calls; call; call = call->next)
		if (call->wants_news)
			call_look(call);
}

static void on_renew(struct tag *tag, bool ok)
{
	struct cq *cq = CONTAINER_OF(tag, struct cq, on_renew);

	(void)ok;
	for (struct call *call = cq->calls; call; call = call->next)
		call_renew(call);
}

static void on_stop(struct tag *tag, bool ok)
{
	struct cq *cq = CONTAINER_OF(tag, struct cq, on_stop);

	(void)ok;
	cq->stopping = true;
	for (struct call *call = cq->calls; call; call = call->next)
		call_stop(call);
}

/*
 * gRPC's server is down when its connections are, which may be before the last tags have come out
 * of the queue. What handles them must not start anything any more: gRPC aborts when an operation
 * is started on a queue that is shut down. So it is shut down here, between two tags.
 */
static void on_quit(struct tag *tag, bool ok)
{
	struct cq *cq = CONTAINER_OF(tag, struct cq, on_quit);

	(void)ok;
	cq->quitting = true;
	grpc_completion_queue_shutdown(cq->queue);
}

static gpr_timespec deadline(const struct cq *cq)
{
	if (cq->timer_ns == CQ_NEVER)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_from_nanos(cq->timer_ns, GPR_CLOCK_MONOTONIC);
}

static void *run(void *data)
{
	struct cq *cq = data;

	for (;;) {
		grpc_event event = grpc_completion_queue_next(cq->queue, deadline(cq), NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		cq->now_ns = monotonic_ns();
		if (event.type == GRPC_OP_COMPLETE) {
			struct tag *tag = event.tag;

			tag->fn(tag, event.success != 0);
		}
		if (event.type == GRPC_QUEUE_TIMEOUT || cq->now_ns - TIMER_LATE_NS > cq->timer_ns)
			run_timers(cq);
	}
}

int cq_init(struct cq *cq, struct rpc *rpc)
{
	cq->rpc = rpc;
	cq->timer_ns = CQ_NEVER;
	cq->post_ns = CQ_NEVER;
	cq->on_wake.fn = on_wake;
	cq->on_renew.fn = on_renew;
	cq->on_stop.fn = on_stop;
	cq->on_quit.fn = on_quit;
	cq->queue = grpc_completion_queue_create_for_next(NULL);
	if (!cq->queue)
		return -ENOMEM;
	cq->wake_channel =
	    grpc_lame_client_channel_create("wake", GRPC_STATUS_UNAVAILABLE, "leads nowhere");
	if (!cq->wake_channel)
		return -ENOMEM;
	cq->wake_call = grpc_channel_create_call(cq->wake_channel, NULL, 0, cq->queue,
						 grpc_slice_from_static_string("/wake"), NULL,
						 gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	return cq->wake_call ? 0 : -ENOMEM;
}

int cq_start(struct cq *cq)
{
	int r = post_requests(cq);

	if (r < 0)
		return r;
	r = pthread_create(&cq->thread, NULL, run, cq);
	if (r)
		return -r;
	cq->running = true;
	return 0;
}

static void start_empty_batch(struct cq *cq, struct tag *tag)
{
	/* Cannot fail while the queue is not shut down, and that is after the last wake. */
	(void)grpc_call_start_batch(cq->wake_call, NULL, 0, tag, NULL);
}

/*
 * Why no news is lost: publishing comes before the exchange here, and the exchange in cq_arm()
 * comes before the last look at the logs. The one of the two exchanges that comes second sees what
 * happened before the first: either cq_wake() finds the flag, or the look finds the news.
 */
void cq_wake(struct cq *cq)
{
	if (atomic_exchange(&cq->armed, false))
		start_empty_batch(cq, &cq->on_wake);
}

void cq_arm(struct cq *cq)
{
	(void)atomic_exchange(&cq->armed, true);
}

void cq_renew(struct cq *cq)
{
	start_empty_batch(cq, &cq->on_renew);
}

void cq_stop(struct cq *cq)
{
	start_empty_batch(cq, &cq->on_stop);
}

void cq_join(struct cq *cq)
{
	if (!cq->queue)
		return;
	if (cq->running) {
		start_empty_batch(cq, &cq->on_quit);
		(void)pthread_join(cq->thread, NULL);
	} else {
		grpc_completion_queue_shutdown(cq->queue);
		(void)run(cq); /* takes the requests back that were posted */
	}
	cq->running = false;
}

void cq_done(struct cq *cq)
{
	if (cq->wake_call)
		grpc_call_unref(cq->wake_call);
	if (cq->wake_channel)
		grpc_channel_destroy(cq->wake_channel);
	if (cq->queue)
		grpc_completion_queue_destroy(cq->queue);
}
