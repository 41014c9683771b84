/* SPDX-License-Identifier: MIT */
/* Streams of libnfl-client whose connection breaks: they go on without a gap or a repetition. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/client.h>

#include "bytes.h"
#include "fake_server.h"
#include "messages.h"
#include "scene.h"

#define SUBSCRIBE(steps)                                                                           \
	{                                                                                          \
		"Subscribe", (steps), ARRAY_SIZE(steps)                                            \
	}

static char t0[] = "t0", t1[] = "t1", t2[] = "t2", t3[] = "t3";

/* Responses of a server that has a history: each with the token of the place behind it. */
static const ProtobufCMessage *started(struct response *r, char *token)
{
	(void)response_started(r, 1);
	return response_token(r, token);
}

static const ProtobufCMessage *batch(struct response *r, uint64_t first, size_t count, char *token)
{
	(void)response_batch(r, 1, first, count);
	return response_token(r, token);
}

/*
 * Breaks the connection behind the next gate: without one, the break could overtake what was sent.
 * Tries may be several: the server may still be winding up the connection before.
 */
static void expect_restart(struct scene *scene)
{
	fake_server_open_gate(scene->server);
	expect(scene, NFL_CLIENT_RECONNECTING);
	do {
		assert_int_equal(next(scene), 1);
	} while (scene->event.type == NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene->event.type, NFL_CLIENT_STARTED);
}

static void expect_resumed_with(struct scene *scene, unsigned calls, const char *token)
{
	Nflog__V1__SubscribeRequest *request = scene_request(scene, calls);

	assert_non_null(request->start);
	assert_int_equal(request->start->position_case,
			 NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN);
	assert_int_equal(request->start->resume_token.len, strlen(token));
	assert_memory_equal(request->start->resume_token.data, token, strlen(token));
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
}

static void expect_token(const struct scene *scene, const char *token)
{
	const void *bytes;

	assert_int_equal(nfl_client_resume_token(scene->stream, &bytes), strlen(token));
	assert_memory_equal(bytes, token, strlen(token));
}

/* --- no gap, nothing twice --------------------------------------------------------------- */

static void drop_between_batches_loses_and_repeats_nothing(void **state)
{
	struct response start, one, again, two;
	const struct fake_step first[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 2, t1)),
					  GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t1)), SEND(batch(&two, 3, 1, t2))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	expect_packet(&scene, 2);
	fake_server_open_gate(scene.server);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene.event.reconnecting->why.code, NFL_CLIENT_UNAVAILABLE);
	assert_int_equal(scene.event.reconnecting->try_number, 1);
	assert_in_range(scene.event.reconnecting->pause_ms, 50, 100);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_OK);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_resumed_with(&scene, 2, t1);
	expect_packet(&scene, 3);
	assert_int_equal(next(&scene), 0);
	scene_end(&scene);
	response_done(&one);
	response_done(&two);
}

static void packets_of_a_batch_that_came_whole_are_returned_before_the_break(void **state)
{
	struct response start, one, again, two;
	const struct fake_step first[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 3, t1)),
					  GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t1)), SEND(batch(&two, 4, 1, t2))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	fake_server_open_gate(scene.server);
	expect_packet(&scene, 2);
	expect_packet(&scene, 3);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_resumed_with(&scene, 2, t1);
	expect_packet(&scene, 4);
	scene_end(&scene);
	response_done(&one);
	response_done(&two);
}

static void batch_that_was_cut_comes_whole_after_the_break(void **state)
{
	/* An HTTP/2 DATA frame of 100 bytes on stream 1, of which 12 come. */
	static const uint8_t cut[] = {0, 0, 100, 0,    0,  0,    0,  0,    1,    0,   0,
				      0, 0, 95,  0x12, 93, 0x0a, 91, 0x08, 0x02, 0x10};
	struct response start, one, again, two;
	const struct fake_step first[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 1, t1)),
					  GATE, WRITE(cut, sizeof(cut)), DROP};
	const struct fake_step second[] = {SEND(started(&again, t1)), SEND(batch(&two, 2, 2, t2))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	expect_restart(&scene);
	expect_resumed_with(&scene, 2, t1);
	expect_packet(&scene, 2);
	expect_packet(&scene, 3);
	scene_end(&scene);
	response_done(&one);
	response_done(&two);
}

static void breaks_one_after_the_other_go_on_from_the_latest_place(void **state)
{
	struct response start, one, again, loss, third;
	const struct fake_step first[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 1, t1)),
					  END(NFL_CLIENT_UNAVAILABLE, "the server stops")};
	/* It breaks again before and after it has started. */
	const struct fake_step second[] = {END(NFL_CLIENT_UNAVAILABLE, "the server stops")};
	const struct fake_step loses[] = {SEND(started(&again, t1)),
					  SEND(response_loss(&loss, 1, 5)),
					  END(NFL_CLIENT_UNAVAILABLE, "the server stops")};
	const struct fake_step last[] = {SEND(started(&third, t3))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second), SUBSCRIBE(loses),
					  SUBSCRIBE(last)};
	struct scene scene;

	(void)state;
	(void)response_token(&loss, t2);
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_string_equal(scene.event.reconnecting->why.message, "the server stops");
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene.event.reconnecting->try_number, 2);
	assert_in_range(scene.event.reconnecting->pause_ms, 100, 200);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_resumed_with(&scene, 3, t1);
	expect(&scene, NFL_CLIENT_LOSS);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene.event.reconnecting->try_number, 1);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_resumed_with(&scene, 4, t2);
	assert_int_equal(next(&scene), 0);
	scene_end(&scene);
	response_done(&one);
}

static void token_moves_when_all_packets_of_its_response_were_returned(void **state)
{
	struct response start, one, source, empty;
	static char green[] = "green";
	const struct fake_step steps[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 2, t1)),
					  SEND(response_source(&source, 9, green, 1)),
					  SEND(response_heartbeat(&empty))};
	const void *bytes = "";
	struct scene scene;

	(void)state;
	(void)response_token(&empty, t2);
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(nfl_client_resume_token(scene.stream, &bytes), 0);
	assert_null(bytes);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_token(&scene, t0);
	assert_true(scene.event.ends_response);
	expect_packet(&scene, 1);
	expect_token(&scene, t0);
	assert_false(scene.event.ends_response);
	expect_packet(&scene, 2);
	expect_token(&scene, t1);
	assert_true(scene.event.ends_response);
	expect(&scene, NFL_CLIENT_SOURCE);
	expect_token(&scene, t1);
	assert_true(scene.event.ends_response);
	expect(&scene, NFL_CLIENT_HEARTBEAT);
	expect_token(&scene, t2);
	assert_int_equal(next(&scene), 0);
	expect_token(&scene, t2);
	scene_end(&scene);
	response_done(&one);
}

/* --- what is asked again ----------------------------------------------------------------- */

static void resume_asks_for_the_same_stream(void **state)
{
	const char *netns[] = {"red"};
	const uint16_t groups[] = {100};
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .flags = NFL_CLIENT_STRICT_RESUME,
	    .netns = netns,
	    .netns_count = 1,
	    .groups = groups,
	    .group_count = 1,
	    .view = NFL_CLIENT_VIEW_FULL,
	    .label = "test",
	    .start = NFL_CLIENT_START_LAST,
	    .start_last = 5,
	};
	struct response start, again;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t0)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	expect_resumed_with(&scene, 2, t0);
	request = scene_request(&scene, 2);
	assert_string_equal(request->netns[0], "red");
	assert_int_equal(request->groups[0], 100);
	assert_int_equal(request->view, NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL);
	assert_string_equal(request->client_label, "test");
	assert_true(request->follow);
	assert_true(request->wait_for_netns);
	assert_true(request->strict_resume);
	assert_int_equal(request->max_packets, 0);
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	scene_end(&scene);
}

static void resume_of_a_history_does_not_follow_and_is_not_strict_unasked(void **state)
{
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .flags = NFL_CLIENT_NO_FOLLOW,
	    .start = NFL_CLIENT_START_OLDEST,
	    .until_ns = INT64_C(1900000000000000000),
	};
	struct response start, again;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t0))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	expect_resumed_with(&scene, 2, t0);
	request = scene_request(&scene, 2);
	assert_false(request->follow);
	assert_false(request->wait_for_netns);
	assert_false(request->strict_resume);
	assert_int_equal(request->until->seconds, 1900000000);
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	assert_int_equal(next(&scene), 0);
	scene_end(&scene);
}

static void max_packets_counts_over_all_calls(void **state)
{
	const struct nfl_client_subscribe_options options = {.size = sizeof(options),
							     .max_packets = 5};
	struct response start, one, again, two;
	const struct fake_step first[] = {SEND(started(&start, t0)), SEND(batch(&one, 1, 2, t1)),
					  GATE, DROP};
	/* All have come, and only the word of the end is lost. */
	const struct fake_step second[] = {SEND(started(&again, t1)), SEND(batch(&two, 3, 3, t2)),
					   GATE, DROP};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	expect_packet(&scene, 2);
	expect_restart(&scene);
	request = scene_request(&scene, 2);
	assert_int_equal(request->max_packets, 3);
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	for (uint64_t i = 3; i <= 5; i++)
		expect_packet(&scene, i);
	fake_server_open_gate(scene.server);
	assert_int_equal(next(&scene), 0);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_OK);
	scene_end(&scene);
	response_done(&one);
	response_done(&two);
}

static void until_of_a_live_stream_holds_after_a_break(void **state)
{
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options), .until_ns = INT64_C(1800000000000000005)};
	struct response start, again, in_time, late;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t0)),
					   SEND(batch(&in_time, 1, 1, t1)),
					   SEND(batch(&late, 2, 1, t2)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	late.time.nanos++;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	request = scene_request(&scene, 2);
	assert_true(request->follow);
	assert_null(request->until); /* the contract has no history that is followed until a time */
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	expect_packet(&scene, 1);
	assert_int_equal(next(&scene), 0);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_OK);
	expect_token(&scene, t1);
	scene_end(&scene);
	response_done(&in_time);
	response_done(&late);
}

/* --- other servers ----------------------------------------------------------------------- */

static void server_without_tokens_is_followed_from_now_on(void **state)
{
	const struct nfl_client_subscribe_options options = {.size = sizeof(options),
							     .start = NFL_CLIENT_START_OLDEST};
	struct response start, again;
	const struct fake_step first[] = {SEND(response_started(&start, 1)), GATE, DROP};
	const struct fake_step second[] = {SEND(response_started(&again, 1)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	assert_int_equal(scene.event.started->resume_status, NFL_CLIENT_RESUME_NONE);
	request = scene_request(&scene, 2);
	assert_null(request->start);
	assert_true(request->follow);
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	scene_end(&scene);
}

static void history_of_a_server_without_tokens_ends_with_the_connection(void **state)
{
	const struct nfl_client_subscribe_options options = {.size = sizeof(options),
							     .flags = NFL_CLIENT_NO_FOLLOW,
							     .start = NFL_CLIENT_START_OLDEST};
	struct response start;
	const struct fake_step steps[] = {SEND(response_started(&start, 1)), GATE, DROP};
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, steps, ARRAY_SIZE(steps), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_open_gate(scene.server);
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_UNAVAILABLE);
	scene_end(&scene);
}

static void server_that_has_lost_its_tokens_is_not_asked_with_an_old_one(void **state)
{
	struct response start, again, third;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, DROP};
	const struct fake_step second[] = {SEND(response_started(&again, 1)), GATE, DROP};
	const struct fake_step last[] = {SEND(response_started(&third, 1)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second), SUBSCRIBE(last)};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	expect_restart(&scene);
	request = scene_request(&scene, 3);
	assert_null(request->start);
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
	scene_end(&scene);
}

static void restarted_server_gives_source_ids_a_new_meaning(void **state)
{
	struct response start, one, again, two;
	const struct fake_step first[] = {SEND(response_started(&start, 2)),
					  SEND(response_batch(&one, 2, 1, 1)), GATE, DROP};
	const struct fake_step second[] = {SEND(response_started(&again, 1)),
					   SEND(response_batch(&two, 2, 1, 1))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	(void)response_token(&start, t0);
	(void)response_token(&again, t1);
	again.started.resume_status = NFLOG__V1__RESUME_STATUS__RESUME_STATUS_EPOCH_CHANGED;
	again.started.max_lag_bytes = 4096;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	assert_string_equal(scene.event.render_source.netns, "blue");
	expect_restart(&scene);
	assert_int_equal(scene.event.started->resume_status, NFL_CLIENT_RESUME_EPOCH_CHANGED);
	assert_int_equal(scene.event.started->max_lag_bytes, 4096);
	expect_packet(&scene, 1);
	assert_null(scene.event.source); /* blue is not known any more */
	scene_end(&scene);
	response_done(&one);
	response_done(&two);
}

/* --- which ends are final ---------------------------------------------------------------- */

static void expect_end_is_final(const struct fake_step *end, int code,
				const struct nfl_client_subscribe_options *options)
{
	struct response start;
	const struct fake_step steps[] = {SEND(started(&start, t0)), GATE, *end, STALL};
	struct scene scene;

	scene_begin_with(&scene, steps, ARRAY_SIZE(steps), options);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_open_gate(scene.server);
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, code);
	scene_end(&scene);
}

static void expect_end_is_survived(const struct fake_step *end, int code)
{
	struct response start, again;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, *end, DROP};
	const struct fake_step second[] = {SEND(started(&again, t0)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_open_gate(scene.server);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene.event.reconnecting->why.code, code);
	expect(&scene, NFL_CLIENT_STARTED);
	scene_end(&scene);
}

static void refusals_of_the_server_are_final(void **state)
{
	static const int codes[] = {NFL_CLIENT_PERMISSION_DENIED,
				    NFL_CLIENT_UNAUTHENTICATED,
				    NFL_CLIENT_NOT_FOUND,
				    NFL_CLIENT_OUT_OF_RANGE,
				    NFL_CLIENT_FAILED_PRECONDITION,
				    NFL_CLIENT_INVALID_ARGUMENT,
				    NFL_CLIENT_CANCELLED,
				    NFL_CLIENT_UNKNOWN,
				    NFL_CLIENT_INTERNAL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct fake_step end = END(codes[i], "said by the server");

		expect_end_is_final(&end, codes[i], NULL);
	}
}

static void streams_that_break_in_http2_go_on(void **state)
{
	/* RST_STREAM of stream 1 with its error code, and what gRPC 1.51 makes of it. */
	static const struct {
		uint8_t error;
		int code;
	} resets[] = {{0, NFL_CLIENT_INTERNAL},  {1, NFL_CLIENT_INTERNAL},
		      {2, NFL_CLIENT_INTERNAL},  {7, NFL_CLIENT_UNAVAILABLE},
		      {8, NFL_CLIENT_CANCELLED}, {11, NFL_CLIENT_RESOURCE_EXHAUSTED}};
	static const uint8_t garbage[64] = {0xff, 0xff, 0xff, 0xff};
	const struct fake_step not_http2 = WRITE(garbage, sizeof(garbage));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(resets); i++) {
		const uint8_t frame[] = {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, resets[i].error};
		const struct fake_step reset = WRITE(frame, sizeof(frame));

		expect_end_is_survived(&reset, resets[i].code);
	}
	expect_end_is_survived(&not_http2, NFL_CLIENT_UNKNOWN);
}

static void reader_that_was_too_slow_goes_on_unless_it_chose_to_end(void **state)
{
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options), .slow_policy = NFL_CLIENT_SLOW_DISCONNECT};
	const struct fake_step end = END(NFL_CLIENT_RESOURCE_EXHAUSTED, "the reader is too slow");

	(void)state;
	expect_end_is_survived(&end, NFL_CLIENT_RESOURCE_EXHAUSTED);
	expect_end_is_final(&end, NFL_CLIENT_RESOURCE_EXHAUSTED, &options);
}

static void reader_that_had_stopped_reads_what_came_and_goes_on(void **state)
{
	struct response start, one, again;
	/* Nobody asks for what comes behind the batch until that is taken. */
	const struct fake_step first[] = {
	    SEND(started(&start, t0)), SEND(batch(&one, 1, 1, t1)),
	    BREAK_OFF(NFL_CLIENT_RESOURCE_EXHAUSTED, "the reader has stopped")};
	const struct fake_step second[] = {SEND(started(&again, t1)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_wait_broken_off(scene.server);
	expect_packet(&scene, 1);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	assert_int_equal(scene.event.reconnecting->why.code, NFL_CLIENT_RESOURCE_EXHAUSTED);
	assert_string_equal(scene.event.reconnecting->why.message, "the reader has stopped");
	expect(&scene, NFL_CLIENT_STARTED);
	expect_resumed_with(&scene, 2, t1);
	scene_end(&scene);
	response_done(&one);
}

static void response_that_is_too_large_is_not_asked_for_again(void **state)
{
	size_t len = 17 * 1024 * 1024;
	uint8_t *bytes = calloc(1, len);
	const struct fake_step large = SEND_BYTES(bytes, len);

	(void)state;
	assert_non_null(bytes);
	expect_end_is_final(&large, NFL_CLIENT_RESOURCE_EXHAUSTED, NULL);
	free(bytes);
}

static void stream_that_shall_not_reconnect_ends_with_its_connection(void **state)
{
	const struct nfl_client_subscribe_options options = {.size = sizeof(options),
							     .flags = NFL_CLIENT_NO_RECONNECT};
	const struct fake_step drop = DROP;

	(void)state;
	expect_end_is_final(&drop, NFL_CLIENT_UNAVAILABLE, &options);
}

static void stream_that_never_started_ends_with_its_connection(void **state)
{
	const struct fake_step steps[] = {DROP};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_UNAVAILABLE);
	scene_end(&scene);
}

/* --- pauses ------------------------------------------------------------------------------ */

static void server_that_stays_away_is_tried_again_and_again(void **state)
{
	struct response start, again, one;
	const struct fake_step first[] = {SEND(started(&start, t0)), STALL};
	const struct fake_step second[] = {SEND(started(&again, t0)), SEND(batch(&one, 1, 1, t1))};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_leave(scene.server);
	for (unsigned i = 1, pause_ms = 100; i <= 4; i++, pause_ms *= 2) {
		expect(&scene, NFL_CLIENT_RECONNECTING);
		assert_int_equal(scene.event.reconnecting->why.code, NFL_CLIENT_UNAVAILABLE);
		assert_int_equal(scene.event.reconnecting->try_number, i);
		assert_in_range(scene.event.reconnecting->pause_ms, pause_ms / 2, pause_ms);
		assert_int_equal(nfl_client_next(scene.stream, 0, &scene.event), -ETIMEDOUT);
		assert_int_equal(nfl_client_next(scene.stream, 1, &scene.event), -ETIMEDOUT);
	}
	fake_server_return(scene.server);
	do {
		assert_int_equal(next(&scene), 1);
	} while (scene.event.type == NFL_CLIENT_RECONNECTING);
	expect_resumed_with(&scene, 2, t0);
	expect_packet(&scene, 1);
	scene_end(&scene);
	response_done(&one);
}

static void cancel_ends_a_pause(void **state)
{
	struct response start;
	const struct fake_step steps[] = {SEND(started(&start, t0)), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_leave(scene.server);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	expect_cancelled_by_another_thread(&scene);
	scene_end(&scene);
}

static void cancel_ends_a_stream_that_was_begun_again(void **state)
{
	struct response start, again;
	const struct fake_step first[] = {SEND(started(&start, t0)), GATE, DROP};
	const struct fake_step second[] = {SEND(started(&again, t0)), STALL};
	const struct fake_call calls[] = {SUBSCRIBE(first), SUBSCRIBE(second)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	expect(&scene, NFL_CLIENT_STARTED);
	expect_restart(&scene);
	expect_cancelled_by_another_thread(&scene);
	scene_end(&scene);
}

static void stream_is_freed_in_a_pause(void **state)
{
	struct response start;
	const struct fake_step steps[] = {SEND(started(&start, t0)), GATE, DROP};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_open_gate(scene.server);
	expect(&scene, NFL_CLIENT_RECONNECTING);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(drop_between_batches_loses_and_repeats_nothing),
	    cmocka_unit_test(packets_of_a_batch_that_came_whole_are_returned_before_the_break),
	    cmocka_unit_test(batch_that_was_cut_comes_whole_after_the_break),
	    cmocka_unit_test(breaks_one_after_the_other_go_on_from_the_latest_place),
	    cmocka_unit_test(token_moves_when_all_packets_of_its_response_were_returned),
	    cmocka_unit_test(resume_asks_for_the_same_stream),
	    cmocka_unit_test(resume_of_a_history_does_not_follow_and_is_not_strict_unasked),
	    cmocka_unit_test(max_packets_counts_over_all_calls),
	    cmocka_unit_test(until_of_a_live_stream_holds_after_a_break),
	    cmocka_unit_test(server_without_tokens_is_followed_from_now_on),
	    cmocka_unit_test(history_of_a_server_without_tokens_ends_with_the_connection),
	    cmocka_unit_test(server_that_has_lost_its_tokens_is_not_asked_with_an_old_one),
	    cmocka_unit_test(restarted_server_gives_source_ids_a_new_meaning),
	    cmocka_unit_test(refusals_of_the_server_are_final),
	    cmocka_unit_test(streams_that_break_in_http2_go_on),
	    cmocka_unit_test(reader_that_was_too_slow_goes_on_unless_it_chose_to_end),
	    cmocka_unit_test(reader_that_had_stopped_reads_what_came_and_goes_on),
	    cmocka_unit_test(response_that_is_too_large_is_not_asked_for_again),
	    cmocka_unit_test(stream_that_shall_not_reconnect_ends_with_its_connection),
	    cmocka_unit_test(stream_that_never_started_ends_with_its_connection),
	    cmocka_unit_test(server_that_stays_away_is_tried_again_and_again),
	    cmocka_unit_test(cancel_ends_a_pause),
	    cmocka_unit_test(cancel_ends_a_stream_that_was_begun_again),
	    cmocka_unit_test(stream_is_freed_in_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
