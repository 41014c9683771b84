/* SPDX-License-Identifier: MIT */
/* Events of a stream, checked one by one or counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "expect.h"
#include "hall.h"

Nflog__V1__SubscribeResponse *expect_event(struct caller *caller,
					   Nflog__V1__SubscribeResponse__EventCase kind)
{
	Nflog__V1__SubscribeResponse *event = caller_next_event(caller);

	if (!event)
		fail_msg("ended with %d: %s", (int)caller->code, caller->text);
	assert_int_equal(event->event_case, kind);
	return event;
}

static void check_packets(const Nflog__V1__PacketBatch *batch, uint32_t source_id, uint64_t first)
{
	for (uint64_t i = 0; i < batch->n_packets; i++) {
		assert_int_equal(batch->packets[i]->source_id, source_id);
		assert_int_equal(batch->packets[i]->sequence, first + i);
	}
}

void expect_packets(struct caller *caller, uint32_t source_id, uint64_t first, uint64_t count)
{
	Nflog__V1__SubscribeResponse *event =
	    expect_event(caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);

	assert_int_equal(event->batch->n_packets, count);
	check_packets(event->batch, source_id, first);
	hall_free_event(event);
}

void expect_run(struct caller *caller, uint32_t source_id, uint64_t first, uint64_t count)
{
	while (count > 0) {
		Nflog__V1__SubscribeResponse *event =
		    expect_event(caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);

		assert_true(event->batch->n_packets <= count);
		check_packets(event->batch, source_id, first);
		first += event->batch->n_packets;
		count -= event->batch->n_packets;
		hall_free_event(event);
	}
}

static void expect_report(struct caller *caller, const struct source *source, int stage,
			  uint64_t count, uint64_t cumulative, bool lower_bound)
{
	Nflog__V1__SubscribeResponse *event =
	    expect_event(caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS);

	assert_int_equal(event->loss->stage, stage);
	assert_int_equal(event->loss->source_id, source->id);
	assert_int_equal(event->loss->count, count);
	assert_int_equal(event->loss->cumulative_count, cumulative);
	assert_int_equal(event->loss->lower_bound, lower_bound);
	assert_non_null(event->loss->first_time);
	assert_non_null(event->loss->last_time);
	hall_free_event(event);
}

void expect_loss(struct caller *caller, const struct source *source, int stage, uint64_t count,
		 uint64_t cumulative)
{
	expect_report(caller, source, stage, count, cumulative, false);
}

void expect_bound(struct caller *caller, const struct source *source, int stage, uint64_t count,
		  uint64_t cumulative)
{
	expect_report(caller, source, stage, count, cumulative, true);
}

void expect_state(struct caller *caller, const struct source *source, enum source_state state,
		  const char *detail)
{
	Nflog__V1__SubscribeResponse *event =
	    expect_event(caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT);
	const Nflog__V1__Source *told = event->source_event->source;

	assert_non_null(event->source_event->time);
	assert_int_equal(told->source_id, source->id);
	assert_string_equal(told->netns, source->netns);
	assert_int_equal(told->group, source->group);
	assert_int_equal(told->state, (int)state);
	assert_string_equal(told->detail, detail);
	hall_free_event(event);
}

void tally_event(struct tally *tally, const Nflog__V1__SubscribeResponse *event)
{
	if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH) {
		size_t n = event->batch->n_packets;

		assert_true(n > 0);
		tally->batches++;
		tally->packets += n;
		tally->last_sequence = event->batch->packets[n - 1]->sequence;
		if (n > tally->largest_batch)
			tally->largest_batch = n;
	} else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS) {
		tally->reports++;
		tally->lost += event->loss->count;
	} else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT) {
		tally->states++;
	} else {
		assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT);
		tally->heartbeats++;
	}
}

struct tally tally_read(struct caller *caller, uint64_t total)
{
	struct tally tally = {0};

	while (tally.packets + tally.lost < total) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(caller);

		if (!event)
			fail_msg("ended with %d: %s", (int)caller->code, caller->text);
		tally_event(&tally, event);
		hall_free_event(event);
	}
	assert_int_equal(tally.packets + tally.lost, total);
	return tally;
}
