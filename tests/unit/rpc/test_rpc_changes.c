/* SPDX-License-Identifier: MIT */
/* Sources that come, change and go in the middle of a stream, and the order of arrival over all. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "expect.h"
#include "hall.h"

#define KERNEL NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET
#define DECODE NFLOG__V1__LOSS_STAGE__LOSS_STAGE_DECODE

static void a_source_that_appears_is_told_before_its_first_packet(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	green = hall_add(hall, "green", 100);
	hall_log(hall, green, 3);
	expect_state(&caller, green, SOURCE_WAITING, "");
	expect_packets(&caller, green->id, 1, 3);
	caller_close(&caller);
}

/* Also where it has logged and lost before the stream looked. */
static void a_source_that_appears_is_complete_from_its_first_packet(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_hold();
	green = hall_add(hall, "green", 100);
	atomic_fetch_add(&green->lost_kernel, 7);
	hall_store(green, 1);
	hall_store(green, 2);
	registry_set_state(hall->registry, green, SOURCE_LISTENING, NULL);
	hall_set_order(hall, 2);
	hall_go_on();
	expect_state(&caller, green, SOURCE_LISTENING, "");
	expect_loss(&caller, green, KERNEL, 7, 7);
	expect_packets(&caller, green->id, 1, 2);
	caller_close(&caller);
}

static void only_sources_that_were_asked_for_join(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"red"}};
	uint32_t groups[] = {100, 300};
	struct source *green, *other_group, *red_300;
	struct caller caller;

	request.netns = netns;
	request.n_netns = 1;
	request.groups = groups;
	request.n_groups = 1;
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
	hall_set_state(hall, hall_add(hall, "red", 300), SOURCE_LISTENING, NULL);
	request.n_groups = 2;
	hall_follow(hall, &caller, &request);
	green = hall_add(hall, "green", 100);
	other_group = hall_add(hall, "red", 400);
	hall_log(hall, green, 1);
	hall_log(hall, other_group, 1);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_remove(hall, hall->red);
	expect_state(&caller, hall->red, SOURCE_GONE, "deleted");
	red_300 = hall_add(hall, "red", 100);
	hall_log(hall, red_300, 1);
	expect_state(&caller, red_300, SOURCE_WAITING, "");
	expect_packets(&caller, red_300->id, 1, 1);
	caller_close(&caller);
}

static void an_idle_stream_is_told_of_states_at_once(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	int64_t begin_ns = monotonic_ns();
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_set_state(hall, hall->red, SOURCE_FAILED, "taken by port id 7");
	expect_state(&caller, hall->red, SOURCE_FAILED, "taken by port id 7");
	hall_set_state(hall, hall->red, SOURCE_FAILED, "taken by port id 8");
	expect_state(&caller, hall->red, SOURCE_FAILED, "taken by port id 8");
	hall_set_state(hall, hall->red, SOURCE_LISTENING, NULL);
	expect_state(&caller, hall->red, SOURCE_LISTENING, "");
	hall_set_state(hall, hall->red, SOURCE_WAITING, "no such namespace");
	expect_state(&caller, hall->red, SOURCE_WAITING, "no such namespace");
	assert_true(monotonic_ns() - begin_ns < 9 * NS_PER_S); /* not by the heartbeat */
	caller_close(&caller);
}

static void a_state_that_is_known_is_not_told_again(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_set_state(hall, hall->red, SOURCE_LISTENING, NULL); /* as `started` said */
	hall_log(hall, hall->blue, 1);
	expect_packets(&caller, hall->blue->id, 1, 1);
	caller_close(&caller);
}

static void gone_is_told_after_the_last_packet_and_its_loss(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_hold(); /* the end is known before the packets are read */
	hall_store(hall->red, 1);
	hall_store(hall->red, 2);
	atomic_store(&hall->red->lost_tail, 4);
	atomic_fetch_add(&hall->red->lost_kernel, 4);
	registry_set_state(hall->registry, hall->red, SOURCE_GONE, "deleted");
	hall_set_order(hall, 2);
	hall_go_on();
	expect_packets(&caller, hall->red->id, 1, 2);
	expect_bound(&caller, hall->red, KERNEL, 4, 4);
	expect_state(&caller, hall->red, SOURCE_GONE, "deleted");
	hall_log(hall, hall->blue, 1);
	expect_packets(&caller, hall->blue->id, 1, 1);
	caller_close(&caller);
}

static void a_source_that_came_and_went_unseen_is_told_and_complete(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_hold();
	green = hall_add(hall, "green", 100);
	hall_store(green, 1);
	atomic_fetch_add(&green->lost_decode, 2);
	registry_set_order(hall->registry, 1);
	hall_remove(hall, green);
	hall_go_on();
	expect_state(&caller, green, SOURCE_LISTENING, "");
	expect_packets(&caller, green->id, 1, 1);
	expect_loss(&caller, green, DECODE, 2, 2);
	expect_state(&caller, green, SOURCE_GONE, "deleted");
	caller_close(&caller);
}

static void a_namespace_that_comes_back_is_another_source(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *old = hall->red;
	struct source *again;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	for (int life = 0; life < 50; life++) {
		hall_log(hall, old, 2);
		expect_run(&caller, old->id, 1, 2);
		hall_remove(hall, old);
		expect_state(&caller, old, SOURCE_GONE, "deleted");
		hall_hold();
		again = hall_add(hall, "red", 100);
		hall_set_state(hall, again, SOURCE_LISTENING, NULL);
		hall_go_on();
		assert_int_not_equal(again->id, old->id);
		expect_state(&caller, again, SOURCE_LISTENING, "");
		old = again;
	}
	caller_close(&caller);
}

struct known {
	uint32_t id;
	int state;
	char detail[32];
};

/* Reads one event; false when it is a batch. */
static bool read_state(struct caller *caller, struct known *ret)
{
	Nflog__V1__SubscribeResponse *event = caller_next_event(caller);
	bool is_state;

	assert_non_null(event);
	is_state = event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT;
	if (is_state) {
		const Nflog__V1__Source *source = event->source_event->source;

		ret->id = source->source_id;
		ret->state = (int)source->state;
		(void)snprintf(ret->detail, sizeof(ret->detail), "%s", source->detail);
	} else {
		assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
		assert_int_equal(event->batch->n_packets, 2);
	}
	hall_free_event(event);
	return is_state;
}

/* More changes than the registry remembers, while the stream was not woken. */
static void a_stream_that_missed_changes_looks_at_all_sources_again(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green;
	struct known known;
	struct caller caller;
	char detail[32];
	int green_state = 0;

	hall_follow(hall, &caller, &request);
	hall_hold();
	green = hall_add(hall, "green", 100);
	registry_set_state(hall->registry, green, SOURCE_LISTENING, NULL);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(detail, sizeof(detail), "try %d", i);
		registry_set_state(hall->registry, hall->blue, SOURCE_FAILED, detail);
	}
	hall_log(hall, green, 2);
	hall_go_on();
	while (read_state(&caller, &known)) {
		if (known.id == green->id)
			green_state = known.state;
		if (known.id == hall->blue->id)
			memcpy(detail, known.detail, sizeof(detail));
	}
	assert_int_equal(green_state, SOURCE_LISTENING);
	assert_string_equal(detail, "try 9999");
	hall_log(hall, hall->blue, 1);
	expect_packets(&caller, hall->blue->id, 1, 1);
	caller_close(&caller);
}

/* A later record is published first: it waits until all before it are there. */
static void nothing_is_sent_before_what_arrived_earlier(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	hall_store(hall->blue, 4);
	hall_store(hall->red, 1);
	hall_set_order(hall, 1);
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_store(hall->red_200, 2);
	hall_store(hall->red, 3);
	hall_set_order(hall, 4);
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	assert_int_equal(event->batch->n_packets, 3);
	assert_int_equal(event->batch->packets[0]->source_id, hall->red_200->id);
	assert_int_equal(event->batch->packets[1]->source_id, hall->red->id);
	assert_int_equal(event->batch->packets[2]->source_id, hall->blue->id);
	hall_free_event(event);
	caller_close(&caller);
}

#define CROWD        100
#define CROWD_ROUNDS 30000

struct crowd {
	struct hall *hall;
	struct source *sources[CROWD];
	_Atomic uint32_t *ids; /* of packets in order of arrival */
};

/* As intake does: datagrams of many sources, each published, some of them woken for. Sources are
 * added on the way. */
static void *log_crowd(void *data)
{
	struct crowd *crowd = data;
	unsigned seed = 7;
	size_t count = 0;

	for (uint64_t order = 1; order <= CROWD_ROUNDS; order++) {
		char name[16];
		struct source *source;

		if (count < CROWD && order % 100 == 1) {
			(void)snprintf(name, sizeof(name), "crowd-%zu", count);
			crowd->sources[count++] = hall_add(crowd->hall, name, 1);
		}
		source = crowd->sources[(size_t)rand_r(&seed) % count];
		atomic_store(&crowd->ids[order], source->id);
		hall_store(source, order);
		registry_set_order(crowd->hall->registry, order);
		if (rand_r(&seed) % 8 == 0)
			rpc_wake(crowd->hall->rpc);
	}
	rpc_wake(crowd->hall->rpc);
	return NULL;
}

static void check_crowd(struct caller *caller, const struct crowd *crowd)
{
	uint64_t seen = 0;

	while (seen < CROWD_ROUNDS) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(caller);

		assert_non_null(event);
		if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH)
			for (size_t i = 0; i < event->batch->n_packets; i++)
				assert_int_equal(event->batch->packets[i]->source_id,
						 atomic_load(&crowd->ids[++seen]));
		else
			assert_int_equal(event->event_case,
					 NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT);
		hall_free_event(event);
	}
}

static void the_order_is_exact_while_sources_are_written_and_added(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct crowd crowd = {.hall = hall};
	struct caller callers[3];
	pthread_t writer;

	crowd.ids = calloc(CROWD_ROUNDS + 1, sizeof(*crowd.ids));
	assert_non_null(crowd.ids);
	for (size_t i = 0; i < 3; i++)
		hall_follow(hall, &callers[i], &request);
	assert_int_equal(pthread_create(&writer, NULL, log_crowd, &crowd), 0);
	check_crowd(&callers[0], &crowd);
	assert_int_equal(pthread_join(writer, NULL), 0);
	for (size_t i = 1; i < 3; i++)
		check_crowd(&callers[i], &crowd);
	for (size_t i = 0; i < 3; i++)
		caller_close(&callers[i]);
	free(crowd.ids);
}

/* Comes and goes, with packets, until it is told to stop. */
struct churn {
	struct hall *hall;
	_Atomic bool stop;
	uint64_t packets;
};

static void *churn(void *data)
{
	struct churn *churn = data;

	for (unsigned life = 0; life < 300; life++) {
		struct source *source = hall_add(churn->hall, "churn", (uint16_t)(life % 5));

		hall_set_state(churn->hall, source, SOURCE_LISTENING, NULL);
		hall_log(churn->hall, source, 20);
		churn->packets += 20;
		hall_remove(churn->hall, source);
	}
	atomic_store(&churn->stop, true);
	return NULL;
}

static void *ask_stats(void *data)
{
	struct churn *churn = data;

	while (!atomic_load(&churn->stop))
		(void)hall_count_subscriptions(churn->hall);
	return NULL;
}

static void statistics_can_be_asked_for_while_sources_come_and_go(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct churn data = {.hall = hall};
	pthread_t writer, asker;
	struct tally tally = {0};
	struct caller caller;

	hall_follow(hall, &caller, &request);
	assert_int_equal(pthread_create(&writer, NULL, churn, &data), 0);
	assert_int_equal(pthread_create(&asker, NULL, ask_stats, &data), 0);
	while (tally.packets < (uint64_t)300 * 20) {
		Nflog__V1__SubscribeResponse *event = caller_next_event(&caller);

		assert_non_null(event);
		tally_event(&tally, event);
		hall_free_event(event);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(pthread_join(asker, NULL), 0);
	assert_int_equal(tally.packets + tally.lost, data.packets);
	assert_true(tally.states >= 300); /* each is told to be there, each is told to be gone */
	caller_close(&caller);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(a_source_that_appears_is_told_before_its_first_packet),
	    HALL_TEST(a_source_that_appears_is_complete_from_its_first_packet),
	    HALL_TEST(only_sources_that_were_asked_for_join),
	    HALL_TEST(an_idle_stream_is_told_of_states_at_once),
	    HALL_TEST(a_state_that_is_known_is_not_told_again),
	    HALL_TEST(gone_is_told_after_the_last_packet_and_its_loss),
	    HALL_TEST(a_source_that_came_and_went_unseen_is_told_and_complete),
	    HALL_TEST(a_namespace_that_comes_back_is_another_source),
	    HALL_TEST(a_stream_that_missed_changes_looks_at_all_sources_again),
	    HALL_TEST(nothing_is_sent_before_what_arrived_earlier),
	    HALL_TEST(the_order_is_exact_while_sources_are_written_and_added),
	    HALL_TEST(statistics_can_be_asked_for_while_sources_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
