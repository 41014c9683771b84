/* SPDX-License-Identifier: MIT */
/*
 * The pump: one message in flight; its completion is the client's "more". What comes next, by rank:
 * losses that are due, the end, states of sources, the end of the history, a batch, a heartbeat.
 */
#include "pump.h"

#include "changes.h"
#include "clock.h"
#include "events.h"
#include "grants.h"
#include "merge.h"
#include "pace.h"
#include "server.h"
#include "source.h"
#include "subscription.h"

/* A live stream ends so long after its `until`: what has just been received is in its log then. */
#define UNTIL_LATE_NS (50 * NS_PER_MS)

static int64_t now_of(const struct subscription *sub)
{
	return sub->call->cq->now_ns;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool is_heartbeat_due(const struct subscription *sub)
{
	return now_of(sub) >= sub->sent_ns + sub->terms.heartbeat_ns;
}

static void send_packets(struct subscription *sub, struct batch *batch)
{
	/* Before: who has seen a packet finds it counted. */
	(void)atomic_fetch_add_explicit(&sub->packets_sent, batch->packets, memory_order_relaxed);
	events_count(sub, call_send_slices(sub->call, batch->slices, BATCH_SLICES));
	if (atomic_load(&sub->packets_sent) == sub->terms.max_packets)
		subscription_end(sub, GRPC_STATUS_OK, "max_packets reached");
}

/* Returns false when that was enough for this turn. */
static bool send_batch(struct subscription *sub)
{
	/* When the server stops, everything was published before. */
	uint64_t watermark =
	    sub->draining ? UINT64_MAX : registry_order(sub->call->cq->rpc->registry);
	struct batch batch;

	if (changes_are_due(sub))
		return true; /* a source that joins may have records up to the watermark */
	merge_batch(sub, watermark, &batch);
	sub->backlog = batch.full || batch.stop;
	sub->pending_seen = 0;
	(void)atomic_fetch_add_explicit(&sub->packets_filtered, batch.filtered,
					memory_order_relaxed);
	if (batch.packets > 0 || batch.filtered > 0)
		pace_rest(sub, batch.packets + batch.filtered);
	if (!sub->backlog)
		sub->order_done = watermark;
	if (sub->terms.follow && !sub->draining)
		sub->order = watermark;
	if (batch.packets > 0)
		send_packets(sub, &batch);
	if (batch.over)
		subscription_end(sub, GRPC_STATUS_OK, "until reached");
	if (batch.packets > 0 || !batch.full)
		return true;
	if (is_heartbeat_due(sub)) { /* nothing passes the filters */
		events_send_heartbeat(sub);
		return true;
	}
	call_set_timer(sub->call, now_of(sub)); /* passes after a poll of the network */
	return false;
}

/* Losses that no packet has told of yet, when there is no packet to wait for. */
static bool check_sources(struct subscription *sub)
{
	bool due = false;

	for (size_t i = 0; i < sub->follow_count; i++)
		due |= subscription_check_source(sub, sub->follows[i]);
	return due;
}

/* Is the history sent? */
static bool is_replayed(const struct subscription *sub)
{
	for (size_t i = 0; i < sub->follow_count; i++)
		if (sub->follows[i]->cursor.record < sub->follows[i]->replay_end)
			return false;
	return true;
}

static bool is_ended_by_clock(const struct subscription *sub)
{
	return sub->terms.until_ns < INT64_MAX - UNTIL_LATE_NS;
}

static bool is_until_over(const struct subscription *sub)
{
	return is_ended_by_clock(sub) && realtime_ns() >= sub->terms.until_ns + UNTIL_LATE_NS;
}

/* Nothing waits: is that the end? */
static bool end_if_complete(struct subscription *sub)
{
	if (sub->draining)
		subscription_end(sub, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	else if (!sub->terms.follow && subscription_pending(sub) == 0)
		subscription_end(sub, GRPC_STATUS_OK, "the history is sent");
	else if (is_until_over(sub))
		subscription_end(sub, GRPC_STATUS_OK, "until reached");
	return sub->ending;
}

static void finish(struct subscription *sub)
{
	struct status status = sub->end;

	if (status.code == GRPC_STATUS_OK)
		status.text[0] = '\0';
	call_finish(sub->call, &status);
}

/* When to look at the latest, whatever comes. */
static int64_t next_look(const struct subscription *sub)
{
	int64_t heartbeat_ns = sub->sent_ns + sub->terms.heartbeat_ns;
	int64_t until_ns; /* from now on */

	if (!is_ended_by_clock(sub))
		return heartbeat_ns;
	until_ns = sub->terms.until_ns + UNTIL_LATE_NS - realtime_ns();
	return until_ns < heartbeat_ns - now_of(sub) ? now_of(sub) + until_ns : heartbeat_ns;
}

/* Nothing is to be sent now. Returns false when there is nothing but to wait, with the timer set. */
static bool idle(struct subscription *sub, int64_t next_ns)
{
	bool gathering = pace_has_records(sub);

	if (!gathering && (check_sources(sub) || end_if_complete(sub)))
		return true;
	if (is_heartbeat_due(sub)) {
		events_send_heartbeat(sub);
		return true;
	}
	if (gathering)
		next_ns = earlier(next_ns, pace_gather(sub));
	else if (!pace_wait_for_news(sub))
		return true;
	call_set_timer(sub->call, earlier(next_ns, next_look(sub)));
	return false;
}

/* One thing to do. Returns false when there is nothing more in this turn, with the timer set. */
static bool step(struct subscription *sub)
{
	int64_t next_ns;

	if (!grants_renew(sub)) {
		finish(sub); /* at once: nothing more is told */
		return true;
	}
	if (grants_step(sub))
		return true;
	if (events_send_loss(sub, &next_ns))
		return true;
	if (sub->ending) {
		if (atomic_load(&sub->packets_filtered) != sub->filtered_told)
			events_send_heartbeat(sub); /* the last word on what was held back */
		else
			finish(sub);
		return true;
	}
	if (changes_step(sub))
		return true;
	if (sub->replaying && is_replayed(sub)) {
		sub->replaying = false;
		events_send_caught_up(sub);
		return true;
	}
	if (pace_has_records(sub) && pace_is_batch_due(sub))
		return send_batch(sub);
	return idle(sub, next_ns);
}

static void turn(struct subscription *sub)
{
	while (!sub->call->sending && !sub->call->finished && step(sub))
		;
}

void pump_look(struct subscription *sub)
{
	sub->burst = 0;
	turn(sub);
}

void pump_sent(struct subscription *sub)
{
	bool more = sub->backlog || changes_are_due(sub);

	if (sub->draining || sub->ending || (!more && now_of(sub) >= sub->rest_ns))
		pump_look(sub);
	else if (!more)
		call_set_timer(sub->call, sub->rest_ns);
	else if (pace_may_go_on(sub))
		turn(sub);
	else
		call_set_timer(sub->call, now_of(sub)); /* passes after a poll of the network */
}

void pump_stop(struct subscription *sub)
{
	sub->draining = true;
	sub->backlog = true; /* look at all once more */
	for (size_t i = 0; i < sub->follow_count; i++)
		follow_stop(sub->follows[i]);
	pump_look(sub);
}
