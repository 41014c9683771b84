/* SPDX-License-Identifier: MIT */
/* Streams that fall behind, stall or are held back: what they miss is counted exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "expect.h"
#include "hall.h"
#include "policy.h"

#define KERNEL     NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET
#define DECODE     NFLOG__V1__LOSS_STAGE__LOSS_STAGE_DECODE
#define HISTORY    NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY
#define RATE_LIMIT NFLOG__V1__LOSS_STAGE__LOSS_STAGE_RATE_LIMIT

/* What one subscriber knows of one source. */
struct track {
	const struct source *source;
	uint64_t packets, lost;
	uint64_t sequence; /* of the last packet */
};

static void follow_track(struct track *track, const Nflog__V1__SubscribeResponse *event)
{
	if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS &&
	    event->loss->source_id == track->source->id)
		track->lost += event->loss->count;
	if (event->event_case != NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH)
		return;
	for (size_t i = 0; i < event->batch->n_packets; i++) {
		const Nflog__V1__Packet *packet = event->batch->packets[i];

		if (packet->source_id != track->source->id)
			continue;
		assert_true(packet->sequence > track->sequence);
		track->sequence = packet->sequence;
		track->packets++;
	}
}

struct subscriber {
	struct caller caller;
	struct track tracks[3];
};

static void subscribe(struct hall *hall, struct subscriber *subscriber)
{
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;

	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(hall, &subscriber->caller, &request);
	memset(subscriber->tracks, 0, sizeof(subscriber->tracks));
	subscriber->tracks[0].source = hall->red;
	subscriber->tracks[1].source = hall->red_200;
	subscriber->tracks[2].source = hall->blue;
}

static uint64_t packets_of(const struct subscriber *subscriber)
{
	return subscriber->tracks[0].packets + subscriber->tracks[1].packets +
	       subscriber->tracks[2].packets;
}

static uint64_t lost_of(const struct subscriber *subscriber)
{
	return subscriber->tracks[0].lost + subscriber->tracks[1].lost + subscriber->tracks[2].lost;
}

static void read_event(struct subscriber *subscriber)
{
	Nflog__V1__SubscribeResponse *event = caller_next_event(&subscriber->caller);

	if (!event)
		fail_msg("ended with %d: %s", (int)subscriber->caller.code,
			 subscriber->caller.text);
	for (size_t i = 0; i < 3; i++)
		follow_track(&subscriber->tracks[i], event);
	hall_free_event(event);
}

/* Reads until this much has come or is known to be lost. */
static void read_all(struct subscriber *subscriber, uint64_t total)
{
	while (packets_of(subscriber) + lost_of(subscriber) < total)
		read_event(subscriber);
}

static void read_packets(struct subscriber *subscriber, uint64_t packets)
{
	while (packets_of(subscriber) < packets)
		read_event(subscriber);
}

static uint64_t logged(const struct source *source)
{
	return atomic_load(&source->packets) + atomic_load(&source->lost_kernel) +
	       atomic_load(&source->lost_decode);
}

/* A fast one keeps up, a slow one reads now and then, one reads only at the end. The logs are
 * overwritten many times, and packets are lost before them. */
static void for_fast_slow_and_stalled_readers_the_equation_holds(void **state)
{
	struct hall hall;
	struct tenant_limits limits = {.stall_timeout_ns = 600 * NS_PER_S}; /* none is ended here */
	struct source *sources[3];
	struct subscriber readers[3];
	uint64_t packets = 0;
	uint64_t total = 0;

	(void)state;
	hall_open_limited(&hall, &limits);
	sources[0] = hall.red;
	sources[1] = hall.red_200;
	sources[2] = hall.blue;
	for (size_t i = 0; i < 3; i++)
		subscribe(&hall, &readers[i]);
	srand(3);
	for (int round = 0; round < 6000; round++) {
		uint32_t kernel = rand() % 50 ? 0 : (uint32_t)rand() % 9;
		uint32_t decode = rand() % 70 ? 0 : 1;
		uint32_t count = 1 + (uint32_t)rand() % 20;

		hall_log_after_loss(&hall, sources[rand() % 3], count, kernel, decode);
		packets += count;
		total += count + kernel + decode;
		if (round % 100 == 99)
			read_packets(&readers[0], packets);
		if (round % 1000 == 999)
			read_packets(&readers[1], packets_of(&readers[1]) + 500);
	}
	for (size_t i = 0; i < 3; i++) {
		read_all(&readers[i], total);
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(readers[i].tracks[j].packets + readers[i].tracks[j].lost,
					 logged(sources[j]));
		caller_close(&readers[i].caller);
	}
	assert_int_equal(packets_of(&readers[0]), packets);
	assert_true(readers[2].tracks[0].lost > atomic_load(&hall.red->lost_kernel));
	hall_close_it(&hall);
}

/* Fails unless a subscription ends within the patience of a test. */
static void wait_for_subscriptions(struct hall *hall, size_t count)
{
	int64_t deadline_ns = monotonic_ns() + CALLER_PATIENCE_MS * NS_PER_MS;

	while (hall_count_subscriptions(hall) != count)
		assert_true(monotonic_ns() < deadline_ns);
}

static void a_client_that_takes_nothing_for_too_long_is_ended(void **state)
{
	struct hall hall;
	struct tenant_limits limits = {.stall_timeout_ns = 2 * NS_PER_S};
	struct subscriber stalled, fast;
	Nflog__V1__SubscribeResponse *event;
	uint64_t total = 0;

	(void)state;
	hall_open_limited(&hall, &limits);
	subscribe(&hall, &stalled);
	subscribe(&hall, &fast);
	for (int i = 0; i < 3000; i++) {
		hall_log(&hall, hall.red, 10);
		total += 10;
		if (i % 20 == 0)
			read_all(&fast, total);
	}
	read_all(&fast, total);
	wait_for_subscriptions(&hall, 1);
	hall_log(&hall, hall.red, 1);
	read_all(&fast, total + 1); /* is not touched by that */
	while ((event = caller_next_event(&stalled.caller)))
		hall_free_event(event);
	assert_int_equal(stalled.caller.code, GRPC_STATUS_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(stalled.caller.text, "slow consumer"));
	caller_close(&stalled.caller);
	caller_close(&fast.caller);
	hall_close_it(&hall);
}

static void packets_beyond_the_rate_are_counted_not_sent(void **state)
{
	struct hall hall;
	struct tenant_limits limits = {.packets_per_second = 5};
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct tally tally;
	struct caller caller;
	int64_t begin_ns;

	(void)state;
	hall_open_limited(&hall, &limits);
	begin_ns = monotonic_ns();
	hall_follow(&hall, &caller, &request);
	hall_log(&hall, hall.red, 2000);
	expect_packets(&caller, hall.red->id, 1, 5);
	tally = tally_read(&caller, 1995);
	assert_true(tally.packets <= (uint64_t)((monotonic_ns() - begin_ns) * 5 / NS_PER_S));
	assert_true(tally.reports >= 1);
	caller_close(&caller);
	hall_close_it(&hall);
}

static void the_rate_is_earned_again_as_time_passes(void **state)
{
	struct hall hall;
	struct tenant_limits limits = {.packets_per_second = 10};
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	uint64_t sequence = 10;
	struct caller caller;

	(void)state;
	hall_open_limited(&hall, &limits);
	hall_follow(&hall, &caller, &request);
	hall_log(&hall, hall.red, 10);
	expect_run(&caller, hall.red->id, 1, 10);
	for (;;) { /* until one comes through again */
		struct tally tally = {0};
		Nflog__V1__SubscribeResponse *event;

		hall_log(&hall, hall.red, 1);
		sequence++;
		event = caller_next_event(&caller);
		tally_event(&tally, event);
		hall_free_event(event);
		if (tally.packets)
			break;
	}
	assert_true(sequence > 10);
	caller_close(&caller);
	hall_close_it(&hall);
}

/* The kernel's count of drops is a lower bound until the next packet's number tells. */
static void a_lower_bound_is_settled_by_the_next_packet(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 1, 1);
	atomic_store(&hall->red->lost_tail, 3);
	atomic_fetch_add(&hall->red->lost_kernel, 3);
	hall_log(hall, hall->blue, 1); /* wakes */
	expect_packets(&caller, hall->blue->id, 1, 1);
	expect_bound(&caller, hall->red, KERNEL, 3, 3);
	atomic_store(&hall->red->lost_tail, 0);
	hall_log_after_loss(hall, hall->red, 1, 5, 0);
	expect_packets(&caller, hall->red->id, 2, 1); /* within the second: the report waits */
	expect_loss(&caller, hall->red, KERNEL, 5, 8);
	caller_close(&caller);
}

#define LAG_RECORDS 10

/* The bytes of the history that so many of the test's records take. */
static uint64_t bytes_of(struct source *source, uint64_t records)
{
	struct history_stats stats;

	history_log_stats(source->log, &stats);
	return stats.end_bytes / stats.records_total * records;
}

/* The stream rests after a batch, so that what is logged meanwhile is found at once. */
static void lag_behind(struct hall *hall, struct caller *caller,
		       Nflog__V1__SlowConsumerPolicy policy)
{
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;

	hall_log(hall, hall->red, 1);
	request.slow_consumer_policy = policy;
	request.max_lag_bytes = bytes_of(hall->red, LAG_RECORDS);
	hall_follow(hall, caller, &request);
	for (uint64_t i = 0; i < 50; i++) { /* published before there is an order to look for */
		hall_store(hall->red, 2 * i + 2);
		hall_store(hall->blue, 2 * i + 3);
	}
	hall_set_order(hall, 101);
}

static void what_lies_further_behind_than_max_lag_is_skipped_in_order(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	lag_behind(hall, &caller,
		   NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DROP_OLDEST);
	for (int i = 0; i < 2; i++) { /* the last ten: five of each */
		event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS);
		assert_int_equal(event->loss->stage, HISTORY);
		assert_int_equal(event->loss->count, 45);
		hall_free_event(event);
	}
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	assert_int_equal(event->batch->n_packets, LAG_RECORDS);
	for (size_t i = 0; i < LAG_RECORDS; i++) {
		const Nflog__V1__Packet *packet = event->batch->packets[i];

		assert_int_equal(packet->source_id, (i % 2 ? hall->blue : hall->red)->id);
		assert_int_equal(packet->sequence, (i % 2 ? 46 : 47) + i / 2);
	}
	hall_free_event(event);
	caller_close(&caller);
}

static void disconnect_ends_a_stream_that_lags_too_far_behind(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	lag_behind(hall, &caller, NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT);
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS);
	assert_int_equal(event->loss->stage, HISTORY);
	hall_free_event(event);
	caller_expect_end(&caller, GRPC_STATUS_RESOURCE_EXHAUSTED);
	caller_close(&caller);
}

static void until_ends_a_live_stream_by_the_first_later_packet(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Google__Protobuf__Timestamp until = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	int64_t now_ns = realtime_ns();
	struct caller caller;

	until.seconds = now_ns / NS_PER_S + 3600;
	request.until = &until;
	hall_follow(hall, &caller, &request);
	hall_log_at(hall, hall->red, until.seconds * NS_PER_S); /* at that time: not later */
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_log_at(hall, hall->red, until.seconds * NS_PER_S + 1);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	assert_string_equal(caller.text, "");
	caller_close(&caller);
}

static void until_ends_a_live_stream_by_the_clock(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Google__Protobuf__Timestamp until = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	int64_t until_ns = realtime_ns() + 300 * NS_PER_MS;
	struct caller caller;

	until.seconds = until_ns / NS_PER_S;
	until.nanos = (int32_t)(until_ns % NS_PER_S);
	request.until = &until;
	hall_follow(hall, &caller, &request);
	hall_log_after_loss(hall, hall->red, 1, 2, 0);
	expect_loss(&caller, hall->red, KERNEL, 2, 2);
	expect_packets(&caller, hall->red->id, 1, 1);
	atomic_fetch_add(&hall->red->lost_kernel, 3); /* within the second: told at the end */
	expect_loss(&caller, hall->red, KERNEL, 3, 5);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	assert_true(realtime_ns() >= until_ns);
	caller_close(&caller);
}

static void statistics_agree_with_the_stream(void **state)
{
	struct hall hall;
	struct tenant_limits limits = {.packets_per_second = 1000};
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	Nflog__V1__GetStatsResponse *stats;
	struct subscriber reader;
	struct caller asker;

	(void)state;
	hall_open_limited(&hall, &limits);
	subscribe(&hall, &reader);
	for (int i = 0; i < 2000; i++)
		hall_log_after_loss(&hall, i % 2 ? hall.red : hall.blue, 10, 1, 1);
	read_all(&reader, 24000);
	caller_open_message(&asker, hall.path, "GetStats", &request.base);
	stats = (Nflog__V1__GetStatsResponse *)caller_next_message(
	    &asker, &nflog__v1__get_stats_response__descriptor);
	assert_int_equal(stats->n_subscriptions, 1);
	assert_int_equal(stats->subscriptions[0]->packets_sent, packets_of(&reader));
	assert_int_equal(stats->subscriptions[0]->packets_lost, lost_of(&reader));
	assert_int_equal(stats->subscriptions[0]->lag_bytes, 0);
	nflog__v1__get_stats_response__free_unpacked(stats, NULL);
	caller_close(&asker);
	caller_close(&reader.caller);
	hall_close_it(&hall);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(for_fast_slow_and_stalled_readers_the_equation_holds),
	    cmocka_unit_test(a_client_that_takes_nothing_for_too_long_is_ended),
	    cmocka_unit_test(packets_beyond_the_rate_are_counted_not_sent),
	    cmocka_unit_test(the_rate_is_earned_again_as_time_passes),
	    HALL_TEST(a_lower_bound_is_settled_by_the_next_packet),
	    HALL_TEST(what_lies_further_behind_than_max_lag_is_skipped_in_order),
	    HALL_TEST(disconnect_ends_a_stream_that_lags_too_far_behind),
	    HALL_TEST(until_ends_a_live_stream_by_the_first_later_packet),
	    HALL_TEST(until_ends_a_live_stream_by_the_clock),
	    cmocka_unit_test(statistics_agree_with_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
