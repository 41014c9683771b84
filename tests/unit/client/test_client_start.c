/* SPDX-License-Identifier: MIT */
/* What nfl_client_subscribe() asks the server for: where to begin, how far, and what it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/client.h>

#include "bytes.h"
#include "fake_server.h"
#include "messages.h"
#include "scene.h"

/* The request that a stream with these options makes. */
static Nflog__V1__SubscribeRequest *request_of(const struct nfl_client_subscribe_options *options)
{
	const struct fake_step steps[] = {STALL};
	Nflog__V1__SubscribeRequest *request;
	struct scene scene;

	scene_begin_with(&scene, steps, ARRAY_SIZE(steps), options);
	assert_int_equal(nfl_client_next(scene.stream, 0, &scene.event), -ETIMEDOUT);
	request = scene_request(&scene, 1);
	scene_end(&scene);
	return request;
}

static void done(Nflog__V1__SubscribeRequest *request)
{
	nflog__v1__subscribe_request__free_unpacked(request, NULL);
}

static void every_option_is_asked_for(void **state)
{
	const char *netns[] = {"red", "blue"};
	const uint16_t groups[] = {0, 65535};
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .flags = NFL_CLIENT_WAIT_FOR_NETNS,
	    .netns = netns,
	    .netns_count = 2,
	    .groups = groups,
	    .group_count = 2,
	    .view = NFL_CLIENT_VIEW_RAW,
	    .slow_policy = NFL_CLIENT_SLOW_DISCONNECT,
	    .max_packets = 10,
	    .payload_limit = 64,
	    .heartbeat_ms = 1500,
	    .batch_max_packets = 5,
	    .batch_max_bytes = 1000,
	    .batch_max_delay_ms = 20,
	    .label = "test",
	    .max_lag_bytes = UINT64_C(5000000000),
	};
	Nflog__V1__SubscribeRequest *request = request_of(&options);

	(void)state;
	assert_int_equal(request->n_netns, 2);
	assert_string_equal(request->netns[1], "blue");
	assert_int_equal(request->n_groups, 2);
	assert_int_equal(request->groups[1], 65535);
	assert_true(request->follow);
	assert_true(request->wait_for_netns);
	assert_int_equal(request->view, NFLOG__V1__PACKET_VIEW__PACKET_VIEW_RAW);
	assert_int_equal(request->slow_consumer_policy,
			 NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT);
	assert_int_equal(request->max_packets, 10);
	assert_int_equal(request->payload_limit, 64);
	assert_int_equal(request->heartbeat_interval->seconds, 1);
	assert_int_equal(request->heartbeat_interval->nanos, 500000000);
	assert_int_equal(request->batch->max_packets, 5);
	assert_int_equal(request->batch->max_bytes, 1000);
	assert_int_equal(request->batch->max_delay->nanos, 20000000);
	assert_string_equal(request->client_label, "test");
	assert_int_equal(request->max_lag_bytes, UINT64_C(5000000000));
	done(request);
}

static void stream_without_options_is_live(void **state)
{
	Nflog__V1__SubscribeRequest *request = request_of(NULL);

	(void)state;
	assert_null(request->start);
	assert_null(request->until);
	assert_true(request->follow);
	assert_false(request->wait_for_netns);
	assert_false(request->strict_resume);
	done(request);
}

/* A stream that begins so, checked for where it begins. */
static Nflog__V1__SubscribeRequest *
expect_position(const struct nfl_client_subscribe_options *options,
		Nflog__V1__StartPosition__PositionCase position)
{
	Nflog__V1__SubscribeRequest *request = request_of(options);

	assert_non_null(request->start);
	assert_int_equal(request->start->position_case, position);
	assert_true(request->follow);
	return request;
}

static void every_start_is_asked_for(void **state)
{
	struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .start_last = 20,
	    .start_time_ns = INT64_C(1800000000000000005),
	    .start_ago_ns = INT64_C(90000000007),
	    .resume_token = "a\0b",
	    .resume_token_len = 3,
	};
	Nflog__V1__SubscribeRequest *request;

	(void)state;
	options.start = NFL_CLIENT_START_LAST;
	request = expect_position(&options, NFLOG__V1__START_POSITION__POSITION_LAST);
	assert_int_equal(request->start->last, 20);
	done(request);
	options.start = NFL_CLIENT_START_OLDEST;
	request = expect_position(&options, NFLOG__V1__START_POSITION__POSITION_OLDEST);
	assert_true(request->start->oldest);
	done(request);
	options.start = NFL_CLIENT_START_SINCE;
	request = expect_position(&options, NFLOG__V1__START_POSITION__POSITION_SINCE);
	assert_int_equal(request->start->since->seconds, 1800000000);
	assert_int_equal(request->start->since->nanos, 5);
	done(request);
	options.start = NFL_CLIENT_START_SINCE_AGO;
	request = expect_position(&options, NFLOG__V1__START_POSITION__POSITION_SINCE_AGO);
	assert_int_equal(request->start->since_ago->seconds, 90);
	assert_int_equal(request->start->since_ago->nanos, 7);
	done(request);
	options.start = NFL_CLIENT_START_RESUME;
	options.flags = NFL_CLIENT_STRICT_RESUME;
	request = expect_position(&options, NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN);
	assert_int_equal(request->start->resume_token.len, 3);
	assert_memory_equal(request->start->resume_token.data, "a\0b", 3);
	assert_true(request->strict_resume);
	done(request);
}

static void history_alone_ends_and_may_have_a_time_to_end_at(void **state)
{
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .flags = NFL_CLIENT_NO_FOLLOW,
	    .start = NFL_CLIENT_START_OLDEST,
	    .until_ns = INT64_C(1800000000000000005),
	};
	Nflog__V1__SubscribeRequest *request = request_of(&options);

	(void)state;
	assert_false(request->follow);
	assert_int_equal(request->until->seconds, 1800000000);
	assert_int_equal(request->until->nanos, 5);
	done(request);
}

static void live_stream_follows_whatever_is_said_and_may_have_an_end(void **state)
{
	const struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .flags = NFL_CLIENT_NO_FOLLOW | NFL_CLIENT_STRICT_RESUME,
	    .until_ns = INT64_C(1800000000000000005),
	};
	Nflog__V1__SubscribeRequest *request = request_of(&options);

	(void)state;
	assert_true(request->follow);
	assert_false(request->strict_resume); /* only a resume can be strict */
	assert_non_null(request->until);
	done(request);
}

static void refuse(struct nfl_client *client, const struct nfl_client_subscribe_options *options)
{
	struct nfl_client_stream *stream;

	assert_int_equal(nfl_client_subscribe(client, options, &stream), -EINVAL);
}

#define REFUSE(client, ...)                                                                        \
	refuse(client, &(struct nfl_client_subscribe_options){                                     \
			   .size = sizeof(struct nfl_client_subscribe_options), __VA_ARGS__})

static void options_out_of_range_are_refused(void **state)
{
	const char label[] = "0123456789012345678901234567890123456789012345678901234567890123+";
	struct nfl_client *client;

	(void)state;
	assert_int_equal(nfl_client_new(NULL, &client), 0);
	refuse(client, &(struct nfl_client_subscribe_options){.size = 0});
	REFUSE(client, .flags = 16);
	REFUSE(client, .view = (enum nfl_client_view)4);
	REFUSE(client, .slow_policy = (enum nfl_client_slow_policy)3);
	REFUSE(client, .netns_count = 1);
	REFUSE(client, .group_count = 1);
	REFUSE(client, .label = label);
	REFUSE(client, .start = (enum nfl_client_start)6);
	REFUSE(client, .start = NFL_CLIENT_START_LAST);
	REFUSE(client, .start = NFL_CLIENT_START_SINCE, .start_time_ns = -1);
	REFUSE(client, .start = NFL_CLIENT_START_SINCE_AGO, .start_ago_ns = -1);
	REFUSE(client, .start = NFL_CLIENT_START_RESUME);
	REFUSE(client, .start = NFL_CLIENT_START_RESUME, .resume_token_len = 1);
	REFUSE(client, .until_ns = -1);
	REFUSE(client, .start = NFL_CLIENT_START_OLDEST, .until_ns = 1);
	REFUSE(client, .start = NFL_CLIENT_START_OLDEST,
	       .flags = NFL_CLIENT_NO_FOLLOW | NFL_CLIENT_WAIT_FOR_NETNS);
	nfl_client_free(client);
}

static void options_of_an_older_program_are_a_live_stream(void **state)
{
	/* What a program that was built before there was a history has, and what lies behind. */
	const size_t first = offsetof(struct nfl_client_subscribe_options, start);
	struct nfl_client_subscribe_options options;
	Nflog__V1__SubscribeRequest *request;

	(void)state;
	memset(&options, 0xff, sizeof(options));
	memset(&options, 0, first);
	options.size = first;
	options.max_packets = 7;
	request = request_of(&options);
	assert_null(request->start);
	assert_null(request->until);
	assert_int_equal(request->max_packets, 7);
	done(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_option_is_asked_for),
	    cmocka_unit_test(stream_without_options_is_live),
	    cmocka_unit_test(every_start_is_asked_for),
	    cmocka_unit_test(history_alone_ends_and_may_have_a_time_to_end_at),
	    cmocka_unit_test(live_stream_follows_whatever_is_said_and_may_have_an_end),
	    cmocka_unit_test(options_out_of_range_are_refused),
	    cmocka_unit_test(options_of_an_older_program_are_a_live_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
