/* SPDX-License-Identifier: MIT */
/* Where a stream begins in the history: every start position at its boundaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "diary.h"
#include "expect.h"
#include "hall.h"

/* A request for history, with what it points to. */
struct wish {
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Google__Protobuf__Timestamp since;
	Google__Protobuf__Duration ago;
};

static Nflog__V1__SubscribeRequest *ask(struct wish *wish)
{
	nflog__v1__subscribe_request__init(&wish->request);
	nflog__v1__start_position__init(&wish->start);
	wish->request.start = &wish->start;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_oldest(struct wish *wish)
{
	(void)ask(wish);
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	wish->start.oldest = true;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_last(struct wish *wish, uint64_t last)
{
	(void)ask(wish);
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
	wish->start.last = last;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_since(struct wish *wish, int64_t time_ns)
{
	(void)ask(wish);
	google__protobuf__timestamp__init(&wish->since);
	wish->since.seconds = time_ns / NS_PER_S;
	wish->since.nanos = (int32_t)(time_ns % NS_PER_S);
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_SINCE;
	wish->start.since = &wish->since;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_since_ago(struct wish *wish, int64_t seconds)
{
	(void)ask(wish);
	google__protobuf__duration__init(&wish->ago);
	wish->ago.seconds = seconds;
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_SINCE_AGO;
	wish->start.since_ago = &wish->ago;
	return &wish->request;
}

/* Reads a stream that does not follow to its end. */
static struct diary read_history(struct hall *hall, const Nflog__V1__SubscribeRequest *request)
{
	struct diary diary = {0};
	struct caller caller;

	(void)diary_open(&diary, hall, &caller, request);
	diary_read_all(&diary, &caller);
	caller_close(&caller);
	return diary;
}

static void oldest_replays_what_was_stored_once_and_ends(void **state)
{
	struct hall *hall = *state;
	struct diary diary;
	struct wish wish;

	for (int i = 0; i < 40; i++) {
		hall_log(hall, hall->red, 7);
		hall_log(hall, hall->blue, 3);
	}
	diary = read_history(hall, ask_oldest(&wish));
	diary_expect_whole(&diary, hall->red);
	diary_expect_whole(&diary, hall->blue);
	assert_int_equal(diary.packets, 400);
	assert_int_equal(diary.caught_up, 0); /* it does not go on */
}

static void an_empty_history_ends_at_once(void **state)
{
	struct hall *hall = *state;
	struct wish wish;

	assert_int_equal(read_history(hall, ask_oldest(&wish)).responses, 1);
	assert_int_equal(read_history(hall, ask_last(&wish, 1)).responses, 1);
	assert_int_equal(read_history(hall, ask_since(&wish, 1)).responses, 1);
}

static void a_stream_that_follows_says_when_it_has_caught_up(void **state)
{
	struct hall *hall = *state;
	struct diary diary = {0};
	struct wish wish;
	struct caller caller;

	hall_log(hall, hall->red, 10);
	ask_oldest(&wish)->follow = true;
	(void)diary_open(&diary, hall, &caller, &wish.request);
	while (diary.caught_up == 0)
		assert_true(diary_read(&diary, &caller));
	assert_int_equal(diary.caught_up - 1, 10);
	assert_int_equal(diary.packets, 10);
	hall_log(hall, hall->red, 5);
	diary_read_until(&diary, &caller, hall->red, 15);
	caller_close(&caller);
}

static void a_live_stream_does_not_catch_up(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	struct caller caller;

	hall_log(hall, hall->red, 10);
	(void)diary_open(&diary, hall, &caller, &request);
	hall_log(hall, hall->red, 5);
	diary_read_until(&diary, &caller, hall->red, 5);
	assert_int_equal(diary.caught_up, 0);
	caller_close(&caller);
}

static void last_counts_over_all_sources_by_arrival(void **state)
{
	struct hall *hall = *state;
	struct diary diary;
	struct wish wish;

	hall_log(hall, hall->red, 5);
	hall_log(hall, hall->blue, 2);
	hall_log(hall, hall->red, 1);
	hall_log(hall, hall->red_200, 1);
	diary = read_history(hall, ask_last(&wish, 3));
	assert_int_equal(diary.packets, 3);
	assert_int_equal(diary_page(&diary, hall->blue->id)->packets, 1);
	assert_int_equal(diary_page(&diary, hall->blue->id)->last, 2);
	assert_int_equal(diary_page(&diary, hall->red->id)->last, 6);
	assert_int_equal(diary_page(&diary, hall->red_200->id)->last, 1);
	diary = read_history(hall, ask_last(&wish, 4));
	assert_int_equal(diary_page(&diary, hall->blue->id)->packets, 2);
	assert_int_equal(diary_page(&diary, hall->red->id)->packets, 1);
}

static void last_is_exact_at_its_boundaries(void **state)
{
	struct hall *hall = *state;
	static const uint64_t wanted[] = {1, 299, 300, 301, 599, 600, 601, UINT64_MAX};
	struct wish wish;

	for (int i = 0; i < 30; i++) {
		hall_log(hall, hall->red, 10);
		hall_log(hall, hall->blue, 10);
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct diary diary = read_history(hall, ask_last(&wish, wanted[i]));

		assert_int_equal(diary.packets, wanted[i] < 600 ? wanted[i] : 600);
		assert_int_equal(diary_page(&diary, hall->blue->id)->last, 300);
	}
}

static void since_takes_what_came_at_that_time_or_later(void **state)
{
	struct hall *hall = *state;
	const int64_t base_ns = INT64_C(1700000000) * NS_PER_S;
	struct wish wish;

	for (int i = 0; i < 2000; i++) /* several slabs */
		hall_log_at(hall, hall->red, base_ns + i * NS_PER_MS);
	assert_int_equal(read_history(hall, ask_since(&wish, base_ns)).packets, 2000);
	assert_int_equal(read_history(hall, ask_since(&wish, base_ns + 1)).packets, 1999);
	assert_int_equal(read_history(hall, ask_since(&wish, base_ns + 777 * NS_PER_MS)).packets,
			 1223);
	assert_int_equal(
	    read_history(hall, ask_since(&wish, base_ns + 777 * NS_PER_MS + 1)).packets, 1222);
	assert_int_equal(read_history(hall, ask_since(&wish, base_ns + 1999 * NS_PER_MS)).packets,
			 1);
	assert_int_equal(
	    read_history(hall, ask_since(&wish, base_ns + 1999 * NS_PER_MS + 1)).packets, 0);
	ask_since(&wish, 0)->start->since->seconds = -62135596800; /* the year 1 */
	assert_int_equal(read_history(hall, &wish.request).packets, 2000);
	wish.since.seconds = 253402300799; /* the year 9999 */
	assert_int_equal(read_history(hall, &wish.request).packets, 0);
}

static void since_ago_is_of_the_servers_clock(void **state)
{
	struct hall *hall = *state;
	struct diary diary;
	struct wish wish;

	hall_log_at(hall, hall->red, realtime_ns() - 7200 * NS_PER_S);
	hall_log_at(hall, hall->blue, realtime_ns() - 3000 * NS_PER_S);
	hall_log(hall, hall->red, 1);
	diary = read_history(hall, ask_since_ago(&wish, 3600));
	assert_int_equal(diary.packets, 2);
	assert_int_equal(diary_page(&diary, hall->red->id)->last, 2);
	assert_int_equal(read_history(hall, ask_since_ago(&wish, 0)).packets, 0);
	assert_int_equal(read_history(hall, ask_since_ago(&wish, INT64_C(315576000000))).packets,
			 3);
}

static void a_loss_before_the_first_packet_of_all_counts(void **state)
{
	struct hall *hall = *state;
	struct diary diary;
	struct wish wish;

	hall_log_after_loss(hall, hall->red, 1, 7, 2);
	hall_log_after_loss(hall, hall->red, 1, 5, 0);
	diary = read_history(hall, ask_oldest(&wish));
	diary_expect_whole(&diary, hall->red);
	diary = read_history(hall, ask_since(&wish, 1));
	diary_expect_whole(&diary, hall->red);
	diary = read_history(hall, ask_last(&wish, 2));
	diary_expect_whole(&diary, hall->red);
}

static void a_loss_before_the_place_is_not_told_one_right_at_it_is(void **state)
{
	struct hall *hall = *state;
	const int kernel = NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET;
	struct diary diary;
	struct wish wish;

	hall_log_after_loss(hall, hall->red, 1, 100, 0);
	hall_log_after_loss(hall, hall->red, 1, 20, 0);
	hall_log_after_loss(hall, hall->red, 1, 3, 0);
	diary = read_history(hall, ask_last(&wish, 1));
	assert_int_equal(diary_page(&diary, hall->red->id)->lost[kernel], 3);
	diary = read_history(hall, ask_last(&wish, 2));
	assert_int_equal(diary_page(&diary, hall->red->id)->lost[kernel], 23);
	/* The same where the first of two sources is passed over, not sought. */
	hall_log_after_loss(hall, hall->blue, 1, 50, 0);
	diary = read_history(hall, ask_last(&wish, 2));
	assert_int_equal(diary_page(&diary, hall->red->id)->packets, 1);
	assert_int_equal(diary_page(&diary, hall->red->id)->lost[kernel], 3);
	assert_int_equal(diary_page(&diary, hall->blue->id)->lost[kernel], 50);
}

/* Overwritten before anybody asked: no loss, and its losses are nobody's. */
static void a_history_that_has_lost_its_beginning_is_whole_from_there(void **state)
{
	struct hall *hall = *state;
	struct history_cursor oldest;
	struct diary diary;
	struct diary_page *page;
	struct wish wish;

	hall_log_after_loss(hall, hall->red, 1, 100, 100);
	for (int i = 0; i < 200; i++)
		hall_log(hall, hall->red, 100);
	history_seek_oldest(hall->red->log, &oldest);
	assert_true(oldest.record > 0);
	diary = read_history(hall, ask_oldest(&wish));
	page = diary_page(&diary, hall->red->id);
	assert_int_equal(page->packets, 20001 - oldest.record);
	assert_int_equal(page->last, 20001);
	for (int stage = 1; stage <= 4; stage++)
		assert_int_equal(page->lost[stage], 0);
}

static void a_stream_that_does_not_follow_ends_where_the_history_did(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	struct diary diary = {0};
	struct wish wish;
	struct caller caller;

	hall_log(hall, hall->red, 2000);
	policy.max_packets = 10;
	ask_oldest(&wish)->batch = &policy;
	(void)diary_open(&diary, hall, &caller, &wish.request);
	hall_log(hall, hall->red, 100);
	diary_read_all(&diary, &caller);
	assert_int_equal(diary.packets, 2000);
	caller_close(&caller);
}

static void sources_that_are_gone_are_part_of_the_history(void **state)
{
	struct hall *hall = *state;
	struct source *green = hall_add(hall, "green", 5);
	struct source *empty = hall_add(hall, "empty", 5);
	Nflog__V1__SubscribeResponse *event;
	struct diary diary;
	struct wish wish;
	struct caller caller;

	hall_log(hall, green, 3);
	hall_remove(hall, green);
	hall_remove(hall, empty);
	diary = read_history(hall, ask_oldest(&wish));
	diary_expect_whole(&diary, green);
	assert_int_equal(diary.packets, 3);
	event = hall_subscribe(hall, &caller, &wish.request);
	assert_int_equal(event->started->n_sources, 4); /* without `empty`, which has nothing */
	assert_string_equal(event->started->sources[1]->netns, "green");
	assert_int_equal(event->started->sources[1]->state,
			 NFLOG__V1__SOURCE_STATE__SOURCE_STATE_GONE);
	hall_free_event(event);
	caller_close(&caller);
}

static void both_lives_of_a_namespace_are_part_of_the_history(void **state)
{
	struct hall *hall = *state;
	struct source *first = hall_add(hall, "green", 5);
	struct source *second;
	char *netns[] = {(char[]){"green"}};
	struct diary diary;
	struct wish wish;

	hall_log(hall, first, 3);
	hall_remove(hall, first);
	second = hall_add(hall, "green", 5);
	hall_set_state(hall, second, SOURCE_LISTENING, NULL);
	hall_log(hall, second, 4);
	ask_oldest(&wish)->netns = netns;
	wish.request.n_netns = 1;
	diary = read_history(hall, &wish.request);
	diary_expect_whole(&diary, first);
	diary_expect_whole(&diary, second);
	assert_int_equal(diary.packets, 7);
}

static void live_streams_do_not_see_what_is_gone(void **state)
{
	struct hall *hall = *state;
	struct source *green = hall_add(hall, "green", 5);
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	hall_log(hall, green, 3);
	hall_remove(hall, green);
	event = hall_subscribe(hall, &caller, &request);
	assert_int_equal(event->started->n_sources, 3);
	hall_free_event(event);
	caller_close(&caller);
}

static void started_tells_the_terms_of_history(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeResponse *event;
	struct wish wish;
	struct caller caller;

	ask_oldest(&wish)->max_lag_bytes = 123456;
	event = hall_subscribe(hall, &caller, &wish.request);
	assert_int_equal(event->started->max_lag_bytes, 123456);
	assert_int_equal(event->started->resume_status,
			 NFLOG__V1__RESUME_STATUS__RESUME_STATUS_UNSPECIFIED);
	assert_true(event->resume_token.len > 0);
	hall_free_event(event);
	caller_close(&caller);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(oldest_replays_what_was_stored_once_and_ends),
	    HALL_TEST(an_empty_history_ends_at_once),
	    HALL_TEST(a_stream_that_follows_says_when_it_has_caught_up),
	    HALL_TEST(a_live_stream_does_not_catch_up),
	    HALL_TEST(last_counts_over_all_sources_by_arrival),
	    HALL_TEST(last_is_exact_at_its_boundaries),
	    HALL_TEST(since_takes_what_came_at_that_time_or_later),
	    HALL_TEST(since_ago_is_of_the_servers_clock),
	    HALL_TEST(a_loss_before_the_first_packet_of_all_counts),
	    HALL_TEST(a_loss_before_the_place_is_not_told_one_right_at_it_is),
	    HALL_TEST(a_history_that_has_lost_its_beginning_is_whole_from_there),
	    HALL_TEST(a_stream_that_does_not_follow_ends_where_the_history_did),
	    HALL_TEST(sources_that_are_gone_are_part_of_the_history),
	    HALL_TEST(both_lives_of_a_namespace_are_part_of_the_history),
	    HALL_TEST(live_streams_do_not_see_what_is_gone),
	    HALL_TEST(started_tells_the_terms_of_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
