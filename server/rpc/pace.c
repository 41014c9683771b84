/* SPDX-License-Identifier: MIT */
/*
 * What is new is known without a look at the logs: the order of arrival has moved past what was
 * taken. It moves after records are published, and the wake comes after that.
 */
#include "pace.h"

#include "changes.h"
#include "clock.h"
#include "server.h"
#include "source.h"
#include "subscription.h"

/* The longest rest: what gathers meanwhile is looked at this often. */
#define REST_NS (2 * NS_PER_MS)
/* A rest where nobody asked for another: 1 ms, gRPC's shortest timer, for so many records of the batch.
 * What comes more slowly is sent at once, and what comes faster in messages that are worth it. */
#define RECORDS_PER_MS 10
/* Full batches in a row before other calls and the network get their turn. */
#define BURST_MAX 16

static int64_t now_of(const struct subscription *sub)
{
	return sub->call->cq->now_ns;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool pace_has_records(const struct subscription *sub)
{
	return sub->backlog || registry_order(sub->call->cq->rpc->registry) > sub->order_done;
}

bool pace_is_batch_due(struct subscription *sub)
{
	uint64_t pending;

	if (sub->backlog || sub->draining || now_of(sub) >= sub->due_ns)
		return true;
	pending = subscription_pending(sub);
	if (pending == 0 || pending >= sub->terms.batch_packets)
		return true; /* a look without records is cheap, and the next one is O(1) */
	/* Within a rest the bytes do not matter. Stored ones are an upper bound of those sent. */
	return sub->terms.max_delay_ns > REST_NS &&
	       subscription_lag_bytes(sub) >= sub->terms.batch_bytes;
}

int64_t pace_gather(struct subscription *sub)
{
	uint64_t pending = subscription_pending(sub);

	if (pending == sub->pending_seen) {
		cq_arm(sub->call->cq);
		pending = subscription_pending(sub);
		sub->call->wants_news = pending == sub->pending_seen && !changes_are_due(sub);
		if (sub->call->wants_news)
			return sub->due_ns;
	}
	sub->pending_seen = pending;
	return earlier(sub->due_ns, now_of(sub) + REST_NS);
}

bool pace_wait_for_news(struct subscription *sub)
{
	cq_arm(sub->call->cq);
	if (pace_has_records(sub) || changes_are_due(sub))
		return false;
	sub->call->wants_news = true;
	return true;
}

void pace_rest(struct subscription *sub, uint64_t records)
{
	int64_t delay_ns = sub->terms.max_delay_ns;

	if (sub->terms.delay_by_load && records < RECORDS_PER_MS * (uint64_t)(delay_ns / NS_PER_MS))
		delay_ns = (int64_t)(records / RECORDS_PER_MS) * NS_PER_MS;
	sub->due_ns = now_of(sub) + delay_ns;
	sub->rest_ns = now_of(sub) + earlier(delay_ns, REST_NS);
}

bool pace_may_go_on(struct subscription *sub)
{
	return ++sub->burst < BURST_MAX;
}
