/* SPDX-License-Identifier: MIT */
/* Losses, heartbeats, caught_up and states of sources, each with the place in the stream. */
#include "events.h"

#include "arena.h"
#include "clock.h"
#include "loss.h"
#include "messages.h"
#include "source.h"
#include "subscription.h"
#include "times.h"
#include "token.h"

void events_count(struct subscription *sub, size_t bytes)
{
	(void)atomic_fetch_add_explicit(&sub->bytes_sent, bytes, memory_order_relaxed);
	sub->sent_ns = sub->call->cq->now_ns;
}

/* With the place after it. */
static void send_place(struct subscription *sub, const Nflog__V1__SubscribeResponse *response)
{
	events_count(sub, call_send_and(sub->call, &response->base, token_slice(sub)));
}

static void send_loss(struct subscription *sub, struct follow *follow, enum loss_stage stage)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	struct loss_report report;

	loss_take(&follow->losses[stage], stage, follow->source->id, sub->call->cq->now_ns,
		  &report);
	sub->losses_pending--;
	(void)atomic_fetch_add_explicit(&sub->packets_lost, report.message.count,
					memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&sub->packets_lost_at[stage], report.message.count,
					memory_order_relaxed);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS;
	response.loss = &report.message;
	send_place(sub, &response);
}

/* A token named sources that nobody knows any more: what they had is lost, however much. */
static void send_unknown_loss(struct subscription *sub)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	Nflog__V1__LossReport report = NFLOG__V1__LOSS_REPORT__INIT;
	Google__Protobuf__Timestamp time;

	times_timestamp(realtime_ns(), &time);
	report.stage = NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY;
	report.lower_bound = true;
	report.first_time = &time;
	report.last_time = &time;
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS;
	response.loss = &report;
	sub->lost_unknown = false;
	send_place(sub, &response);
}

bool events_send_loss(struct subscription *sub, int64_t *ret_next_ns)
{
	*ret_next_ns = CQ_NEVER;
	if (sub->lost_unknown) {
		send_unknown_loss(sub);
		return true;
	}
	if (sub->losses_pending == 0)
		return false;
	for (size_t i = 0; i < sub->follow_count; i++) {
		for (unsigned stage = 0; stage < LOSS_STAGES; stage++) {
			const struct loss *loss = &sub->follows[i]->losses[stage];

			if (loss->pending == 0)
				continue;
			if (sub->ending || loss_is_due(loss, sub->call->cq->now_ns)) {
				send_loss(sub, sub->follows[i], (enum loss_stage)stage);
				return true;
			}
			if (loss->report_ns < *ret_next_ns)
				*ret_next_ns = loss->report_ns;
		}
	}
	return false;
}

void events_send_heartbeat(struct subscription *sub)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	Nflog__V1__Heartbeat heartbeat = NFLOG__V1__HEARTBEAT__INIT;
	Google__Protobuf__Timestamp time;

	times_timestamp(realtime_ns(), &time);
	heartbeat.time = &time;
	heartbeat.packets_sent = atomic_load(&sub->packets_sent);
	heartbeat.packets_lost = atomic_load(&sub->packets_lost);
	heartbeat.packets_filtered = atomic_load(&sub->packets_filtered);
	sub->filtered_told = heartbeat.packets_filtered;
	heartbeat.lag_bytes = subscription_lag_bytes(sub);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT;
	response.heartbeat = &heartbeat;
	send_place(sub, &response);
}

void events_send_caught_up(struct subscription *sub)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	Nflog__V1__CaughtUp caught_up = NFLOG__V1__CAUGHT_UP__INIT;

	caught_up.packets_replayed = sub->replayed;
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_CAUGHT_UP;
	response.caught_up = &caught_up;
	send_place(sub, &response);
}

bool events_send_source(struct subscription *sub, struct follow *follow,
			const struct source_status *status)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	Nflog__V1__SourceEvent event = NFLOG__V1__SOURCE_EVENT__INIT;
	Google__Protobuf__Timestamp time;
	struct arena arena;
	bool built;

	arena_init(&arena, SIZE_MAX); /* names and details are bounded */
	times_timestamp(realtime_ns(), &time);
	event.time = &time;
	event.source = messages_source_as(&arena, follow->source, status);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT;
	response.source_event = &event;
	built = event.source != NULL;
	if (built)
		events_count(sub, call_send(sub->call, &response.base));
	arena_done(&arena);
	return built;
}
