/* SPDX-License-Identifier: MIT */
/*
 * The pump: one message in flight; its completion is the client's "more". What comes next, by rank:
 * losses that are due, the end, a batch, a heartbeat.
 *
 * Pace. An idle stream waits for news and is written at once. After a batch that took all there was
 * it rests for max_delay without being woken, so that a busy source costs one turn for each batch,
 * not for each datagram. A batch ended by a bound is followed by the next at once. With a longer
 * max_delay packets gather: the stream looks from time to time whether a bound is reached.
 */
#include "pump.h"

#include "clock.h"
#include "loss.h"
#include "merge.h"
#include "source.h"
#include "subscription.h"
#include "times.h"

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

static void count_sent(struct subscription *sub, size_t bytes)
{
	(void)atomic_fetch_add_explicit(&sub->bytes_sent, bytes, memory_order_relaxed);
	sub->sent_ns = now_of(sub);
}

static void send_event(struct subscription *sub, const Nflog__V1__SubscribeResponse *response)
{
	count_sent(sub, call_send(sub->call, &response->base));
}

static void send_loss(struct subscription *sub, struct follow *follow, enum loss_stage stage)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	struct loss_report report;

	loss_take(&follow->losses[stage], stage, follow->source->id, now_of(sub), &report);
	sub->losses_pending--;
	(void)atomic_fetch_add_explicit(&sub->packets_lost, report.message.count,
					memory_order_relaxed);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS;
	response.loss = &report.message;
	send_event(sub, &response);
}

/* Sends one loss that is due; at the end of a stream each one is. @ret_next_ns: when there is
 * another, CQ_NEVER: none is pending. */
static bool send_due_loss(struct subscription *sub, int64_t *ret_next_ns)
{
	*ret_next_ns = CQ_NEVER;
	if (sub->losses_pending == 0)
		return false;
	for (size_t i = 0; i < sub->follow_count; i++) {
		for (unsigned stage = 0; stage < LOSS_STAGES; stage++) {
			const struct loss *loss = &sub->follows[i]->losses[stage];

			if (loss->pending == 0)
				continue;
			if (sub->ending || loss_is_due(loss, now_of(sub))) {
				send_loss(sub, sub->follows[i], (enum loss_stage)stage);
				return true;
			}
			*ret_next_ns = earlier(*ret_next_ns, loss->report_ns);
		}
	}
	return false;
}

static void send_heartbeat(struct subscription *sub)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	Nflog__V1__Heartbeat heartbeat = NFLOG__V1__HEARTBEAT__INIT;
	Google__Protobuf__Timestamp time;

	times_timestamp(realtime_ns(), &time);
	heartbeat.time = &time;
	heartbeat.packets_sent = atomic_load(&sub->packets_sent);
	heartbeat.packets_lost = atomic_load(&sub->packets_lost);
	heartbeat.lag_bytes = subscription_lag_bytes(sub);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT;
	response.heartbeat = &heartbeat;
	send_event(sub, &response);
}

static void send_batch(struct subscription *sub)
{
	struct batch batch;

	merge_batch(sub, &batch);
	sub->backlog = batch.full || batch.stop;
	sub->pending_seen = 0;
	if (batch.packets == 0)
		return;
	sub->batch_ns = now_of(sub);
	sub->rest_ns = sub->batch_ns + earlier(sub->terms.max_delay_ns, REST_NS);
	count_sent(sub, call_send_slices(sub->call, batch.slices, 2));
	(void)atomic_fetch_add_explicit(&sub->packets_sent, batch.packets, memory_order_relaxed);
	if (atomic_load(&sub->packets_sent) == sub->terms.max_packets)
		subscription_end(sub, GRPC_STATUS_OK, "");
}

/* Losses that no packet has told of yet, when there is no packet to wait for. */
static bool check_tail_losses(struct subscription *sub)
{
	bool due = false;

	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];
		const struct source *source = follow->source;

		due |= subscription_check_gaps(sub, follow,
					       (uint32_t)atomic_load(&source->lost_kernel),
					       (uint32_t)atomic_load(&source->lost_decode));
	}
	return due;
}

static bool is_batch_due(struct subscription *sub, uint64_t pending)
{
	if (sub->backlog || sub->draining || pending >= sub->terms.batch_packets ||
	    now_of(sub) >= sub->batch_ns + sub->terms.max_delay_ns)
		return true;
	/* Within a rest the bytes do not matter. Stored ones are an upper bound of those sent. */
	return sub->terms.max_delay_ns > REST_NS &&
	       subscription_lag_bytes(sub) >= sub->terms.batch_bytes;
}

/* Some packets wait for more. Returns when to look at the latest. */
static int64_t gather(struct subscription *sub, uint64_t pending)
{
	int64_t due_ns = sub->batch_ns + sub->terms.max_delay_ns;

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

/* Nothing waits. Returns false when something has come in the meantime. */
static bool wait_for_news(struct subscription *sub)
{
	cq_arm(sub->call->cq);
	if (subscription_pending(sub) > 0)
		return false;
	sub->call->wants_news = true;
	return true;
}

/* One thing to do. Returns false when there is nothing but to wait, with the timer set. */
static bool step(struct subscription *sub)
{
	int64_t next_ns;
	uint64_t pending;

	if (send_due_loss(sub, &next_ns))
		return true;
	if (sub->ending) {
		call_finish(sub->call, &sub->end);
		return true;
	}
	pending = subscription_pending(sub);
	if (pending > 0 && is_batch_due(sub, pending)) {
		send_batch(sub);
		return true;
	}
	sub->backlog = false;
	if (pending == 0 && check_tail_losses(sub))
		return true;
	if (pending == 0 && sub->draining) {
		subscription_end(sub, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
		return true;
	}
	if (now_of(sub) >= sub->sent_ns + sub->terms.heartbeat_ns) {
		send_heartbeat(sub);
		return true;
	}
	if (pending > 0)
		next_ns = earlier(next_ns, gather(sub, pending));
	else if (!wait_for_news(sub))
		return true;
	call_set_timer(sub->call, earlier(next_ns, sub->sent_ns + sub->terms.heartbeat_ns));
	return false;
}

void pump_look(struct subscription *sub)
{
	sub->burst = 0;
	while (!sub->call->sending && !sub->call->finished && step(sub))
		;
}

void pump_sent(struct subscription *sub)
{
	struct call *call = sub->call;

	if (sub->draining || sub->ending || (!sub->backlog && now_of(sub) >= sub->rest_ns))
		pump_look(sub);
	else if (!sub->backlog)
		call_set_timer(call, sub->rest_ns);
	else if (++sub->burst == BURST_MAX)
		call_set_timer(call, now_of(sub)); /* passes after a poll of the network */
	else
		while (!call->sending && !call->finished && step(sub))
			;
}

void pump_stop(struct subscription *sub)
{
	sub->draining = true;
	for (size_t i = 0; i < sub->follow_count; i++)
		follow_stop(sub->follows[i]);
	pump_look(sub);
}
