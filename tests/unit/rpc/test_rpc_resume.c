/* SPDX-License-Identifier: MIT */
/* A client comes back with a token: nothing twice, nothing missing, what is gone is counted. */
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
#include "policy.h"
#include "put.h"

#define CONTINUED     NFLOG__V1__RESUME_STATUS__RESUME_STATUS_CONTINUED
#define GAP           NFLOG__V1__RESUME_STATUS__RESUME_STATUS_GAP
#define EPOCH_CHANGED NFLOG__V1__RESUME_STATUS__RESUME_STATUS_EPOCH_CHANGED
#define KERNEL        NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET
#define HISTORY       NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY

/* The whole history, then the end. */
static void ask_oldest(Nflog__V1__SubscribeRequest *request, Nflog__V1__StartPosition *start)
{
	nflog__v1__subscribe_request__init(request);
	nflog__v1__start_position__init(start);
	start->position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	start->oldest = true;
	request->start = start;
}

/* A stream, live unless the diary has a token, of which only `started` is read. */
static Nflog__V1__ResumeStatus glance(struct diary *diary, struct hall *hall,
				      const Nflog__V1__SubscribeRequest *request)
{
	struct caller caller;
	Nflog__V1__ResumeStatus status = diary_open(diary, hall, &caller, request);

	caller_close(&caller);
	return status;
}

/* A stream of which everything is read that is there. */
static Nflog__V1__ResumeStatus catch_up(struct diary *diary, struct hall *hall)
{
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;
	Nflog__V1__ResumeStatus status = diary_open(diary, hall, &caller, &request);

	diary_read_all(diary, &caller);
	caller_close(&caller);
	return status;
}

/* The token in the diary is refused. */
static void expect_refusal(struct diary *diary, struct hall *hall, bool strict,
			   grpc_status_code code, const char *named)
{
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	struct caller caller;

	start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start.resume_token.data = diary->token;
	start.resume_token.len = diary->token_len;
	request.start = &start;
	request.strict_resume = strict;
	caller_open_message(&caller, hall->path, "Subscribe", &request.base);
	caller_expect_end(&caller, code);
	if (!strstr(caller.text, named))
		fail_msg("\"%s\" does not name %s", caller.text, named);
	caller_close(&caller);
}

/* One more place at the token's end, as a server would have written it. */
static void add_place(struct diary *diary, uint32_t source_id, uint64_t record)
{
	uint8_t *end = diary->token + diary->token_len;

	end = put_varint(put_varint(end, 2 * (uint64_t)source_id), record);
	diary->token_len = (size_t)(end - diary->token);
}

/* Packets of three sources with losses between them, most of which wait to be reported. */
static void log_with_losses(struct hall *hall)
{
	srand(7);
	for (uint32_t i = 0; i < 60; i++) {
		struct source *sources[] = {hall->red, hall->red_200, hall->blue};
		bool lossy = i % 3 == 0;

		hall_log_after_loss(hall, sources[rand() % 3], 1 + (uint32_t)rand() % 9,
				    lossy ? 1 + i : 0, lossy ? i % 2 : 0);
	}
}

static void a_resume_after_any_response_repeats_and_misses_nothing(void **state)
{
	struct hall *hall = *state;
	struct source *sources[] = {hall->red, hall->red_200, hall->blue};
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	bool ended = false;

	log_with_losses(hall);
	policy.max_packets = 7;
	for (uint64_t responses = 1; !ended; responses++) {
		struct diary diary = {0};
		struct caller caller;

		ask_oldest(&request, &start);
		request.batch = &policy;
		(void)diary_open(&diary, hall, &caller, &request);
		while (diary.responses < responses && !ended)
			ended = !diary_read(&diary, &caller);
		caller_close(&caller);
		assert_int_equal(catch_up(&diary, hall), CONTINUED);
		for (size_t i = 0; i < 3; i++)
			diary_expect_whole(&diary, sources[i]);
	}
}

static void many_resumes_in_a_row_repeat_and_miss_nothing(void **state)
{
	struct hall *hall = *state;
	struct source *sources[] = {hall->red, hall->red_200, hall->blue};
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	struct diary diary = {0};

	ask_oldest(&request, &start);
	policy.max_packets = 5;
	request.batch = &policy;
	srand(3);
	for (int i = 0; i < 100; i++) {
		struct caller caller;
		bool more = true;

		hall_log_after_loss(hall, sources[rand() % 3], 1 + (uint32_t)rand() % 20,
				    (uint32_t)rand() % 3, (uint32_t)rand() % 2);
		(void)diary_open(&diary, hall, &caller, &request);
		for (int k = rand() % 5; more && k > 0; k--)
			more = diary_read(&diary, &caller);
		caller_close(&caller);
	}
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	for (size_t i = 0; i < 3; i++)
		diary_expect_whole(&diary, sources[i]);
}

static void a_live_stream_can_be_resumed_from_its_very_start(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};

	hall_log_after_loss(hall, hall->red, 100, 9, 9); /* not this client's */
	(void)glance(&diary, hall, &request);
	hall_log_after_loss(hall, hall->red, 50, 4, 1);
	hall_log_after_loss(hall, hall->blue, 5, 3, 0);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary_page(&diary, hall->red->id)->packets, 50);
	assert_int_equal(diary_page(&diary, hall->red->id)->lost[KERNEL], 4);
	diary_expect_whole(&diary, hall->blue);
}

static void heartbeats_and_caught_up_bring_tokens_too(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Google__Protobuf__Duration interval = GOOGLE__PROTOBUF__DURATION__INIT;
	struct diary diary = {0};
	struct caller caller;

	ask_oldest(&request, &start);
	request.follow = true;
	interval.nanos = 100000000;
	request.heartbeat_interval = &interval;
	hall_log(hall, hall->red, 3);
	(void)diary_open(&diary, hall, &caller, &request);
	while (diary.responses < 5) /* started, batch, caught_up, heartbeats */
		assert_true(diary_read(&diary, &caller)); /* which looks for the token */
	assert_int_equal(diary.caught_up, 4);
	caller_close(&caller);
	hall_log(hall, hall->red, 3);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	diary_expect_whole(&diary, hall->red);
}

/* The stream was told to begin 5 before the end; it was cut before any of the others was passed
 * over. */
static void last_counts_from_where_it_was_asked_for(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	struct diary diary = {0};

	for (int i = 0; i < 10; i++) {
		hall_log(hall, hall->red, 1);
		hall_log(hall, hall->blue, 1);
	}
	start.position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
	start.last = 5;
	request.start = &start;
	(void)glance(&diary, hall, &request);
	hall_log(hall, hall->red, 2);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary.packets, 7);
	assert_int_equal(diary_page(&diary, hall->red->id)->packets, 4);
}

/* Fills a log until it has overwritten its beginning. Returns how many records are gone. */
static uint64_t overwrite(struct hall *hall, struct source *source)
{
	struct history_cursor oldest;

	for (int i = 0; i < 200; i++)
		hall_log(hall, source, 100);
	history_seek_oldest(source->log, &oldest);
	return oldest.record;
}

static void what_was_overwritten_meanwhile_is_a_loss_of_exactly_that(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	uint64_t gone;

	(void)glance(&diary, hall, &request);
	hall_log(hall, hall->blue, 10);
	gone = overwrite(hall, hall->red);
	assert_true(gone > 0);
	assert_int_equal(catch_up(&diary, hall), GAP);
	assert_int_equal(diary_page(&diary, hall->red->id)->lost[HISTORY], gone);
	diary_expect_whole(&diary, hall->red);
	diary_expect_whole(&diary, hall->blue);
	assert_int_equal(catch_up(&diary, hall), CONTINUED); /* not told again */
	diary_expect_whole(&diary, hall->red);
}

/* LAST 5 of two sources reads 10 and passes over 5; these are the first to be overwritten. */
static void what_was_not_wanted_is_no_loss_when_it_is_overwritten(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	struct diary diary = {0};
	struct diary_page *page;

	for (int i = 0; i < 10; i++) {
		hall_log(hall, hall->red, 1);
		hall_log(hall, hall->blue, 1);
	}
	start.position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
	start.last = 5;
	request.start = &start;
	(void)glance(&diary, hall, &request);
	(void)overwrite(hall, hall->red); /* 20000 */
	assert_int_equal(catch_up(&diary, hall), GAP);
	page = diary_page(&diary, hall->red->id);
	assert_int_equal(diary.packets + page->lost[HISTORY], 20005);
	assert_int_equal(diary_page(&diary, hall->blue->id)->packets, 5);
}

/* Told by `started` as a GAP, but cut before the report: it is still to come. */
static void a_gap_that_was_not_reported_is_reported_next_time(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};

	(void)glance(&diary, hall, &request);
	(void)overwrite(hall, hall->red);
	assert_int_equal(glance(&diary, hall, &request), GAP);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	diary_expect_whole(&diary, hall->red);
}

static void a_gap_does_not_end_a_stream_for_being_slow(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	struct caller caller;

	request.slow_consumer_policy =
	    NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT;
	(void)glance(&diary, hall, &request);
	(void)overwrite(hall, hall->red);
	assert_int_equal(diary_open(&diary, hall, &caller, &request), GAP);
	diary_read_all(&diary, &caller);
	diary_expect_whole(&diary, hall->red);
	caller_close(&caller);
}

static void a_source_that_came_meanwhile_is_whole(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	struct source *green, *lossy;

	(void)glance(&diary, hall, &request);
	green = hall_add(hall, "green", 5);
	lossy = hall_add(hall, "lossy", 5);
	hall_log_after_loss(hall, green, 20, 3, 1);
	assert_true(overwrite(hall, lossy) > 0);
	assert_int_equal(catch_up(&diary, hall), GAP);
	diary_expect_whole(&diary, green);
	diary_expect_whole(&diary, lossy);
}

static void a_source_that_went_meanwhile_is_read_to_its_end(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green = hall_add(hall, "green", 5);
	struct diary diary = {0};

	hall_log(hall, green, 10);
	(void)glance(&diary, hall, &request);
	hall_log_after_loss(hall, green, 20, 3, 1);
	hall_remove(hall, green);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary_page(&diary, green->id)->packets, 20);
	assert_int_equal(diary_page(&diary, green->id)->lost[KERNEL], 3);
	(void)catch_up(&diary, hall); /* and that was all */
	assert_int_equal(diary_page(&diary, green->id)->packets, 20);
}

/* What the limit held back waits for its report when the stream is cut. */
static void what_a_rate_limit_held_back_is_reported_by_the_next_stream(void **state)
{
	struct tenant_limits limits = {.packets_per_second = 10};
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	struct diary diary = {0};
	struct diary_page *page;
	struct hall hall;

	(void)state;
	hall_open_limited(&hall, &limits);
	ask_oldest(&request, &start);
	policy.max_packets = 3;
	request.batch = &policy;
	hall_log(&hall, hall.red, 500);
	for (uint64_t responses = 1; responses < 8; responses++) {
		struct caller caller;

		(void)diary_open(&diary, &hall, &caller, &request);
		for (uint64_t i = 0; i < responses && diary_read(&diary, &caller); i++)
			;
		caller_close(&caller);
	}
	(void)catch_up(&diary, &hall);
	diary_expect_whole(&diary, hall.red);
	page = diary_page(&diary, hall.red->id);
	assert_true(page->lost[NFLOG__V1__LOSS_STAGE__LOSS_STAGE_RATE_LIMIT] > 0);
	assert_int_equal(page->lost[HISTORY], 0);
	hall_close_it(&hall);
}

/* The client knows it: what became of it is in `started`. */
static void a_source_that_went_without_a_packet_is_shown_as_gone(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	struct source *green = hall_add(hall, "green", 5);
	Nflog__V1__SubscribeResponse *event;
	struct diary diary = {0};
	struct caller caller;

	hall_log(hall, green, 10);
	(void)glance(&diary, hall, &request);
	hall_remove(hall, green);
	start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start.resume_token.data = diary.token;
	start.resume_token.len = diary.token_len;
	request.start = &start;
	event = hall_subscribe(hall, &caller, &request);
	assert_int_equal(event->started->n_sources, 4);
	assert_int_equal(event->started->sources[1]->source_id, green->id);
	assert_int_equal(event->started->sources[1]->state,
			 NFLOG__V1__SOURCE_STATE__SOURCE_STATE_GONE);
	hall_free_event(event);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	caller_close(&caller);
}

/* So long that even its packets are gone: they are counted. */
static void a_source_that_went_long_ago_is_counted(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *known = hall_add(hall, "known", 5);
	struct source *passing;
	struct diary diary = {0};

	hall_log(hall, known, 10);
	(void)glance(&diary, hall, &request);
	hall_log(hall, known, 20);
	passing = hall_add(hall, "passing", 5); /* this client never heard of it */
	hall_log(hall, passing, 30);
	hall_remove(hall, known);
	hall_remove(hall, passing);
	history_log_clear(known->log);
	history_log_clear(passing->log);
	assert_int_equal(catch_up(&diary, hall), GAP);
	assert_int_equal(diary_page(&diary, known->id)->lost[HISTORY], 20);
	diary_expect_whole(&diary, passing);
	(void)catch_up(&diary, hall);
	assert_int_equal(diary_page(&diary, known->id)->lost[HISTORY], 20);
	diary_expect_whole(&diary, passing);
}

static void what_was_gone_before_a_live_stream_began_stays_away(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green = hall_add(hall, "green", 5);
	struct source *cleared = hall_add(hall, "cleared", 5);
	struct diary diary = {0};

	hall_log_after_loss(hall, green, 10, 5, 5);
	hall_log_after_loss(hall, cleared, 10, 5, 5);
	hall_remove(hall, green);
	hall_remove(hall, cleared);
	history_log_clear(cleared->log);
	(void)glance(&diary, hall, &request);
	hall_log(hall, hall->red, 1);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary.packets, 1);
	assert_int_equal(diary.count, 1);
}

/* A stream that follows lets go of a source that is gone; its packets are still there then. */
static void what_was_read_before_it_went_does_not_come_again(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct source *green = hall_add(hall, "green", 5);
	struct diary diary = {0};
	struct caller caller;

	(void)diary_open(&diary, hall, &caller, &request);
	hall_log(hall, green, 10);
	diary_read_until(&diary, &caller, green, 10);
	hall_remove(hall, green);
	expect_state(&caller, green, SOURCE_GONE, "deleted");
	hall_log(hall, hall->red, 1);
	diary_read_until(&diary, &caller, hall->red, 1); /* with a token that does not name it */
	caller_close(&caller);
	hall_log(hall, hall->red, 1);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	diary_expect_whole(&diary, green);
	diary_expect_whole(&diary, hall->red);
}

static void another_epoch_begins_with_everything(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	struct diary fresh = {0};
	struct hall other;

	hall_log(hall, hall->red, 10);
	(void)glance(&diary, hall, &request);
	hall_open_with(&other, 0, 0);
	hall_log_after_loss(&other, other.red, 5, 2, 2);
	fresh.token_len = diary.token_len;
	memcpy(fresh.token, diary.token, diary.token_len);
	expect_refusal(&fresh, &other, true, GRPC_STATUS_OUT_OF_RANGE, "restarted");
	assert_int_equal(catch_up(&fresh, &other), EPOCH_CHANGED);
	diary_expect_whole(&fresh, other.red);
	assert_int_equal(catch_up(&fresh, &other), CONTINUED);
	assert_int_equal(fresh.packets, 5);
	hall_close_it(&other);
}

static void a_strict_resume_is_out_of_range_where_there_is_a_gap(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};

	(void)glance(&diary, hall, &request);
	hall_log(hall, hall->red, 10);
	request.strict_resume = true;
	assert_int_equal(glance(&diary, hall, &request), CONTINUED);
	(void)overwrite(hall, hall->red);
	expect_refusal(&diary, hall, true, GRPC_STATUS_OUT_OF_RANGE, "packets");
	while (hall_count_subscriptions(hall) > 0) /* nothing is left of what was refused */
		;
}

static void a_source_that_nobody_knows_is_an_uncounted_loss(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	uint32_t unknown = hall->red->id ^ hall->blue->id ^ 0x400000;
	struct diary diary = {0};

	(void)glance(&diary, hall, &request);
	add_place(&diary, unknown, 77);
	expect_refusal(&diary, hall, true, GRPC_STATUS_OUT_OF_RANGE, "no longer known");
	assert_int_equal(glance(&diary, hall, &request), GAP); /* cut before it was told */
	hall_log(hall, hall->red, 1);
	assert_int_equal(catch_up(&diary, hall), GAP);
	assert_int_equal(diary.unknown, 1);
	assert_int_equal(diary.packets, 1);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary.unknown, 1);
}

static void tokens_that_cannot_be_are_invalid(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct diary diary = {0};
	size_t len;

	hall_log(hall, hall->red, 5);
	(void)glance(&diary, hall, &request);
	len = diary.token_len;
	add_place(&diary, hall->blue->id, 1); /* has had none */
	expect_refusal(&diary, hall, false, GRPC_STATUS_INVALID_ARGUMENT, "start.resume_token");
	diary.token_len = len - 1;
	expect_refusal(&diary, hall, false, GRPC_STATUS_INVALID_ARGUMENT, "start.resume_token");
	diary.token_len = 0;
	expect_refusal(&diary, hall, false, GRPC_STATUS_INVALID_ARGUMENT, "start.resume_token");
}

static void a_token_goes_with_the_sources_it_was_issued_for(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	char *netns[] = {(char[]){"red"}};
	struct diary diary = {0};
	struct caller caller;

	hall_log(hall, hall->red, 1);
	hall_log(hall, hall->blue, 1);
	(void)glance(&diary, hall, &request);
	start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start.resume_token.data = diary.token;
	start.resume_token.len = diary.token_len;
	request.start = &start;
	request.netns = netns;
	request.n_netns = 1;
	caller_open_message(&caller, hall->path, "Subscribe", &request.base);
	caller_expect_end(&caller, GRPC_STATUS_INVALID_ARGUMENT);
	assert_null(strstr(caller.text, "blue"));
	caller_close(&caller);
}

/* What the first stream did not cover begins where the other sources go on. */
static void more_sources_than_before_join_at_the_token(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"red"}};
	struct diary diary = {0};

	hall_log_after_loss(hall, hall->blue, 10, 5, 5);
	request.netns = netns;
	request.n_netns = 1;
	(void)glance(&diary, hall, &request);
	hall_log(hall, hall->blue, 3);
	hall_log(hall, hall->red, 2);
	assert_int_equal(catch_up(&diary, hall), CONTINUED);
	assert_int_equal(diary_page(&diary, hall->blue->id)->packets, 3);
	assert_int_equal(diary_page(&diary, hall->blue->id)->lost[KERNEL], 0);
	diary_expect_whole(&diary, hall->red);
}

/* The largest token that a client can come back with. */
static void four_thousand_sources_that_talk_can_be_resumed(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Nflog__V1__SubscribeResponse *event;
	ProtobufCBinaryData token;
	struct caller caller;

	ask_oldest(&request, &start);
	for (uint16_t i = 0; i < 4096; i++)
		hall_log_after_loss(hall, hall_add(hall, "green", i), 3, 100000, 100000);
	event = hall_subscribe(hall, &caller, &request);
	while (event->event_case != NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH) {
		hall_free_event(event);
		event = caller_next_event(&caller);
		assert_non_null(event);
	}
	caller_close(&caller);
	token = event->resume_token;
	assert_in_range(token.len, 4096 * 4, 196608);
	start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start.resume_token = token;
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
	hall_free_event(event);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(a_resume_after_any_response_repeats_and_misses_nothing),
	    HALL_TEST(many_resumes_in_a_row_repeat_and_miss_nothing),
	    HALL_TEST(a_live_stream_can_be_resumed_from_its_very_start),
	    HALL_TEST(heartbeats_and_caught_up_bring_tokens_too),
	    HALL_TEST(last_counts_from_where_it_was_asked_for),
	    HALL_TEST(what_was_overwritten_meanwhile_is_a_loss_of_exactly_that),
	    HALL_TEST(what_was_not_wanted_is_no_loss_when_it_is_overwritten),
	    HALL_TEST(a_gap_that_was_not_reported_is_reported_next_time),
	    HALL_TEST(a_gap_does_not_end_a_stream_for_being_slow),
	    HALL_TEST(a_source_that_came_meanwhile_is_whole),
	    HALL_TEST(a_source_that_went_meanwhile_is_read_to_its_end),
	    cmocka_unit_test(what_a_rate_limit_held_back_is_reported_by_the_next_stream),
	    HALL_TEST(a_source_that_went_without_a_packet_is_shown_as_gone),
	    HALL_TEST(a_source_that_went_long_ago_is_counted),
	    HALL_TEST(what_was_gone_before_a_live_stream_began_stays_away),
	    HALL_TEST(what_was_read_before_it_went_does_not_come_again),
	    HALL_TEST(another_epoch_begins_with_everything),
	    HALL_TEST(a_strict_resume_is_out_of_range_where_there_is_a_gap),
	    HALL_TEST(a_source_that_nobody_knows_is_an_uncounted_loss),
	    HALL_TEST(tokens_that_cannot_be_are_invalid),
	    HALL_TEST(a_token_goes_with_the_sources_it_was_issued_for),
	    HALL_TEST(more_sources_than_before_join_at_the_token),
	    HALL_TEST(four_thousand_sources_that_talk_can_be_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
