/* SPDX-License-Identifier: MIT */
/* The times of a live stream. */
#include "pace.h"

#include "clock.h"
#include "server.h"
#include "source.h"
#include "subscription.h"

/* The longest rest: what gathers meanwhile is looked at this often. */
#define REST_NS (2 * NS_PER_MS)
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
	return sub->backlog || subscription_pending(sub) > 0;
}

bool pace_is_batch_due(struct subscription *sub)
{
	uint64_t pending;

	if (sub->backlog || sub->draining || now_of(sub) >= sub->batch_ns + sub->terms.max_delay_ns)
		return true;
	pending = subscription_pending(sub);
	if (pending >= sub->terms.batch_packets)
		return true;
	/* Within a rest the bytes do not matter. Stored ones are an upper bound of those sent. */
	return sub->terms.max_delay_ns > REST_NS &&
	       subscription_lag_bytes(sub) >= sub->terms.batch_bytes;
}

int64_t pace_gather(struct subscription *sub)
{
	int64_t due_ns = sub->batch_ns + sub->terms.max_delay_ns;
	uint64_t pending = subscription_pending(sub);

	if (pending == sub->pending_seen) {
		cq_arm(sub->call->cq);
		pending = subscription_pending(sub);
		sub->call->wants_news = pending == sub->pending_seen;
		if (sub->call->wants_news)
			return due_ns;
	}
	sub->pending_seen = pending;
	return earlier(due_ns, now_of(sub) + REST_NS);
}

bool pace_wait_for_news(struct subscription *sub)
{
	cq_arm(sub->call->cq);
	if (pace_has_records(sub))
		return false;
	sub->call->wants_news = true;
	return true;
}

void pace_rest(struct subscription *sub)
{
	sub->batch_ns = now_of(sub);
	sub->rest_ns = sub->batch_ns + earlier(sub->terms.max_delay_ns, REST_NS);
}

bool pace_may_go_on(struct subscription *sub)
{
	return ++sub->burst < BURST_MAX;
}
