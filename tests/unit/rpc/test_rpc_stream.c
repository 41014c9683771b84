/* SPDX-License-Identifier: MIT */
/* What a Subscribe stream delivers: started, packets in order, batches, losses, heartbeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock.h"
#include "expect.h"
#include "hall.h"

static void started_comes_first_also_without_packets(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	event = hall_subscribe(hall, &caller, &request);
	assert_string_equal(event->started->server_epoch, rpc_epoch(hall->rpc));
	assert_int_equal(event->started->n_sources, 3);
	assert_string_equal(event->started->sources[0]->netns, "blue");
	assert_int_equal(event->started->sources[0]->source_id, hall->blue->id);
	assert_int_equal(event->started->sources[2]->group, 200);
	assert_int_equal(event->started->batch->max_packets, 256);
	assert_int_equal(event->started->batch->max_bytes, 65536);
	assert_int_equal(event->started->batch->max_delay->nanos, 2000000);
	assert_int_equal(event->started->heartbeat_interval->seconds, 10);
	assert_int_equal(event->started->view, NFLOG__V1__PACKET_VIEW__PACKET_VIEW_BASIC);
	assert_int_equal(event->started->slow_consumer_policy,
			 NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DROP_OLDEST);
	hall_free_event(event);
	caller_close(&caller);
}

static void what_was_logged_before_is_not_sent(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_log_after_loss(hall, hall->red, 5, 7, 7);
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 2);
	expect_packets(&caller, hall->red->id, 6, 2);
	caller_close(&caller);
}

static void only_the_requested_sources_are_sent(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"red"}};
	uint32_t groups[] = {200};
	struct caller caller;

	request.netns = netns;
	request.n_netns = 1;
	request.groups = groups;
	request.n_groups = 1;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 3);
	hall_log(hall, hall->blue, 3);
	hall_log(hall, hall->red_200, 1);
	expect_packets(&caller, hall->red_200->id, 1, 1);
	caller_close(&caller);
}

static void packets_of_all_sources_come_in_order_of_arrival(void **state)
{
	struct hall *hall = *state;
	struct source *sources[] = {hall->red, hall->red_200, hall->blue};
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	uint32_t expected[3000];
	uint64_t seen = 0;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	srand(1);
	for (size_t i = 0; i < 3000;) {
		struct source *source = sources[rand() % 3];
		size_t run = 1 + (size_t)rand() % 7;

		if (run > 3000 - i)
			run = 3000 - i;
		hall_log(hall, source, (uint32_t)run);
		while (run-- > 0)
			expected[i++] = source->id;
	}
	while (seen < 3000) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(&caller);

		assert_non_null(event);
		assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
		for (size_t i = 0; i < event->batch->n_packets; i++)
			assert_int_equal(event->batch->packets[i]->source_id, expected[seen++]);
		hall_free_event(event);
	}
	caller_close(&caller);
}

static void batches_keep_to_their_bound_of_packets(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	struct tally tally;
	struct caller caller;

	policy.max_packets = 10;
	request.batch = &policy;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 1005);
	tally = tally_read(&caller, 1005);
	assert_int_equal(tally.largest_batch, 10);
	assert_int_equal(tally.batches, 101);
	caller_close(&caller);
}

static void batches_keep_to_their_bound_of_bytes(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	uint64_t packets = 0;
	struct caller caller;

	policy.max_bytes = 1000;
	request.batch = &policy;
	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 500);
	while (packets < 500) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(&caller);

		assert_non_null(event);
		assert_true(protobuf_c_message_get_packed_size(&event->batch->base) <= 1000);
		assert_true(event->batch->n_packets > 1 || packets == 499); /* the rest */
		packets += event->batch->n_packets;
		hall_free_event(event);
	}
	caller_close(&caller);
}

static void a_packet_larger_than_the_bound_travels_alone(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	struct tally tally;
	struct caller caller;

	policy.max_bytes = 1;
	request.batch = &policy;
	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 50);
	tally = tally_read(&caller, 50);
	assert_int_equal(tally.batches, 50);
	caller_close(&caller);
}

/* Nothing is sent before the delay has passed, unless a bound is reached. */
static void packets_gather_for_max_delay_or_until_a_bound(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	int64_t begin_ns = monotonic_ns();
	struct caller caller;

	delay.seconds = 5;
	policy.max_delay = &delay;
	policy.max_packets = 20;
	request.batch = &policy;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 1); /* idle: at once */
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_log(hall, hall->red, 19); /* gathers */
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 2, 20);
	assert_true(monotonic_ns() - begin_ns < 4 * NS_PER_S);
	caller_close(&caller);
}

static void the_view_and_the_payload_limit_are_applied(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller basic, full;
	Nflog__V1__SubscribeResponse *event;

	hall_follow(hall, &basic, &request);
	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	request.payload_limit = 16;
	hall_follow(hall, &full, &request);
	hall_log(hall, hall->red, 1);
	event = caller_next_event(&basic);
	assert_int_equal(event->batch->packets[0]->payload.len, 0);
	assert_string_equal(event->batch->packets[0]->prefix, "test: ");
	hall_free_event(event);
	event = caller_next_event(&full);
	assert_int_equal(event->batch->packets[0]->payload.len, 16);
	assert_int_equal(event->batch->packets[0]->original_length, 100);
	hall_free_event(event);
	caller_close(&basic);
	caller_close(&full);
}

static void a_loss_is_reported_before_the_packet_after_it(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_log_after_loss(hall, hall->red, 1, 1000, 0); /* before: not this stream's */
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 2, 1);
	hall_log_after_loss(hall, hall->red, 2, 17, 4);
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 17, 17);
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_DECODE, 4, 4);
	expect_packets(&caller, hall->red->id, 3, 2);
	caller_close(&caller);
}

/* Counters are ahead of the records that tell of them while these are on their way. */
static void a_total_behind_what_was_seen_is_no_loss(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	atomic_store(&hall->red->lost_kernel, 10);
	hall_follow(hall, &caller, &request);
	atomic_store(&hall->red->lost_kernel, 4);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_log_after_loss(hall, hall->red, 1, 8, 0); /* 12 in all */
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 2, 2);
	expect_packets(&caller, hall->red->id, 2, 1);
	caller_close(&caller);
}

static void totals_wrap_around(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	atomic_store(&hall->red->lost_kernel, UINT32_MAX - 1);
	hall_follow(hall, &caller, &request);
	hall_log_after_loss(hall, hall->red, 1, 5, 0);
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 5, 5);
	expect_packets(&caller, hall->red->id, 1, 1);
	caller_close(&caller);
}

static void a_loss_cuts_the_batch_it_falls_into(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	struct caller caller;

	delay.seconds = 5;
	policy.max_delay = &delay;
	policy.max_packets = 6;
	request.batch = &policy;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->blue, 1);
	expect_packets(&caller, hall->blue->id, 1, 1);
	hall_log(hall, hall->blue, 3); /* these gather */
	hall_log_after_loss(hall, hall->blue, 3, 9, 0);
	expect_packets(&caller, hall->blue->id, 2, 3);
	expect_loss(&caller, hall->blue, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 9, 9);
	expect_packets(&caller, hall->blue->id, 5, 3);
	caller_close(&caller);
}

static void losses_are_coalesced_to_one_report_a_second(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	int64_t begin_ns = monotonic_ns();
	struct tally tally;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	for (int i = 0; i < 100; i++)
		hall_log_after_loss(hall, hall->red, 1, 3, 0);
	tally = tally_read(&caller, 400);
	assert_int_equal(tally.lost, 300);
	assert_true(tally.reports <= 1 + (uint64_t)((monotonic_ns() - begin_ns) / NS_PER_S));
	caller_close(&caller);
}

static void a_loss_that_no_packet_tells_of_comes_before_the_heartbeat(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Google__Protobuf__Duration interval = GOOGLE__PROTOBUF__DURATION__INIT;
	struct caller caller;

	interval.nanos = 100000000;
	request.heartbeat_interval = &interval;
	hall_follow(hall, &caller, &request);
	atomic_fetch_add(&hall->red->lost_decode, 5);
	assert_int_equal(tally_read(&caller, 5).lost, 5);
	caller_close(&caller);
}

/* One source as a reader sees it. */
struct track {
	const struct source *source;
	uint64_t sequence; /* of the last packet */
	uint64_t lost;
};

/* A gap in the numbers stands only after a report of a loss. */
static void follow_track(const Nflog__V1__SubscribeResponse *event, struct track *track)
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
		assert_true(packet->sequence == track->sequence + 1 || track->lost > 0);
		track->sequence = packet->sequence;
	}
}

static void a_reader_that_stalls_is_told_exactly_what_it_missed(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	const uint64_t total = 60000; /* many times the log */
	struct track tracks[] = {{.source = hall->red}, {.source = hall->blue}};
	struct tally tally = {0};
	struct caller caller;

	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(hall, &caller, &request);
	for (uint64_t i = 0; i < total / 20; i++) {
		hall_log(hall, hall->red, 10);
		hall_log(hall, hall->blue, 10);
	}
	while (tally.packets + tally.lost < total) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(&caller);

		assert_non_null(event);
		tally_event(&tally, event);
		follow_track(event, &tracks[0]);
		follow_track(event, &tracks[1]);
		hall_free_event(event);
	}
	assert_int_equal(tally.packets + tally.lost, total);
	assert_true(tracks[0].lost > 0 && tracks[1].lost > 0);
	assert_int_equal(tracks[0].sequence, total / 2);
	assert_int_equal(tracks[1].sequence, total / 2);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, total / 2 + 1, 1);
	caller_close(&caller);
}

static void disconnect_ends_a_slow_stream_after_its_loss_report(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct tally tally = {0};
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	request.slow_consumer_policy =
	    NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT;
	hall_follow(hall, &caller, &request);
	for (int i = 0; i < 5000; i++)
		hall_log(hall, hall->red, 10);
	while ((event = caller_next_event(&caller))) {
		tally_event(&tally, event);
		hall_free_event(event);
	}
	assert_int_equal(caller.code, GRPC_STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(tally.reports, 1);
	assert_true(tally.lost > 0);
	caller_close(&caller);
}

static void max_packets_ends_with_ok_after_exactly_so_many(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct tally tally;
	struct caller caller;

	request.max_packets = 300;
	hall_follow(hall, &caller, &request);
	hall_log(hall, hall->red, 1000);
	tally = tally_read(&caller, 300);
	assert_int_equal(tally.last_sequence, 300);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	caller_close(&caller);
}

static void a_pending_loss_is_sent_before_the_end(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	request.max_packets = 2;
	hall_follow(hall, &caller, &request);
	hall_log_after_loss(hall, hall->red, 1, 5, 0);
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 5, 5);
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_log_after_loss(hall, hall->red, 1, 6, 0); /* within the second: it waits */
	expect_packets(&caller, hall->red->id, 2, 1);
	expect_loss(&caller, hall->red, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET, 6, 11);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	caller_close(&caller);
}

static void a_quiet_stream_has_heartbeats_with_its_counters(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Google__Protobuf__Duration interval = GOOGLE__PROTOBUF__DURATION__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;
	int64_t begin_ns;

	interval.nanos = 1; /* raised to 100 ms */
	request.heartbeat_interval = &interval;
	hall_follow(hall, &caller, &request);
	hall_log_after_loss(hall, hall->red, 3, 2, 0);
	(void)tally_read(&caller, 5);
	begin_ns = monotonic_ns();
	for (int i = 0; i < 3; i++) {
		event = caller_next_event(&caller);
		assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT);
		assert_int_equal(event->heartbeat->packets_sent, 3);
		assert_int_equal(event->heartbeat->packets_lost, 2);
		assert_int_equal(event->heartbeat->lag_bytes, 0);
		assert_true(event->heartbeat->time->seconds > 0);
		hall_free_event(event);
	}
	assert_true(monotonic_ns() - begin_ns > 250 * NS_PER_MS);
	caller_close(&caller);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(started_comes_first_also_without_packets),
	    HALL_TEST(what_was_logged_before_is_not_sent),
	    HALL_TEST(only_the_requested_sources_are_sent),
	    HALL_TEST(packets_of_all_sources_come_in_order_of_arrival),
	    HALL_TEST(batches_keep_to_their_bound_of_packets),
	    HALL_TEST(batches_keep_to_their_bound_of_bytes),
	    HALL_TEST(a_packet_larger_than_the_bound_travels_alone),
	    HALL_TEST(packets_gather_for_max_delay_or_until_a_bound),
	    HALL_TEST(the_view_and_the_payload_limit_are_applied),
	    HALL_TEST(a_loss_is_reported_before_the_packet_after_it),
	    HALL_TEST(a_total_behind_what_was_seen_is_no_loss),
	    HALL_TEST(totals_wrap_around),
	    HALL_TEST(a_loss_cuts_the_batch_it_falls_into),
	    HALL_TEST(losses_are_coalesced_to_one_report_a_second),
	    HALL_TEST(a_loss_that_no_packet_tells_of_comes_before_the_heartbeat),
	    HALL_TEST(a_reader_that_stalls_is_told_exactly_what_it_missed),
	    HALL_TEST(disconnect_ends_a_slow_stream_after_its_loss_report),
	    HALL_TEST(max_packets_ends_with_ok_after_exactly_so_many),
	    HALL_TEST(a_pending_loss_is_sent_before_the_end),
	    HALL_TEST(a_quiet_stream_has_heartbeats_with_its_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
