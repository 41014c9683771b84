/* SPDX-License-Identifier: MIT */
/* What Subscribe refuses, with which code, naming what. Nothing is ignored silently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

/* The request is refused with this code and a text that names something. */
static void expect_refusal(struct hall *hall, const Nflog__V1__SubscribeRequest *request,
			   grpc_status_code code, const char *named)
{
	struct caller caller;

	caller_open_message(&caller, hall->path, "Subscribe", &request->base);
	caller_expect_end(&caller, code);
	if (!strstr(caller.text, named))
		fail_msg("\"%s\" does not name %s", caller.text, named);
	caller_close(&caller);
}

static void expect_refusal_of_bytes(struct hall *hall, const void *bytes, size_t len,
				    grpc_status_code code)
{
	struct caller caller;

	caller_open(&caller, hall->path, "Subscribe", bytes, len);
	caller_expect_end(&caller, code);
	caller_close(&caller);
}

static void a_field_of_a_later_version_is_refused_by_number(void **state)
{
	struct hall *hall = *state;
	static const uint8_t field_99[] = {0x98, 0x06, 0x01};
	struct caller caller;

	caller_open(&caller, hall->path, "Subscribe", field_99, sizeof(field_99));
	caller_expect_end(&caller, GRPC_STATUS_UNIMPLEMENTED);
	assert_non_null(strstr(caller.text, "field 99"));
	caller_close(&caller);
}

static void a_position_of_a_later_version_is_refused(void **state)
{
	struct hall *hall = *state;
	static const uint8_t start_field_9[] = {0x2a, 0x02, 0x48, 0x01};

	expect_refusal_of_bytes(hall, start_field_9, sizeof(start_field_9),
				GRPC_STATUS_UNIMPLEMENTED);
}

static void positions_that_say_nothing_are_invalid(void **state)
{
	struct hall *hall = *state;
	const Nflog__V1__StartPosition nowhere = NFLOG__V1__START_POSITION__INIT;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = nowhere;
	Google__Protobuf__Timestamp since = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Google__Protobuf__Duration ago = GOOGLE__PROTOBUF__DURATION__INIT;

	request.start = &start;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start: ");
	start.position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.last");
	start = nowhere;
	start.position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.oldest");
	start = nowhere;
	start.position_case = NFLOG__V1__START_POSITION__POSITION_SINCE;
	start.since = &since;
	since.nanos = 1000000000;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.since");
	since.nanos = -1;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.since");
	since.nanos = 0;
	since.seconds = INT64_MAX;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.since");
	start = nowhere;
	start.position_case = NFLOG__V1__START_POSITION__POSITION_SINCE_AGO;
	start.since_ago = &ago;
	ago.seconds = -1;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "start.since_ago");
}

static void fields_that_contradict_each_other_are_invalid(void **state)
{
	struct hall *hall = *state;
	const Nflog__V1__SubscribeRequest empty = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeRequest request = empty;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	Google__Protobuf__Timestamp until = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct caller caller;

	start.position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	start.oldest = true;
	request.start = &start;
	request.strict_resume = true;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "strict_resume");
	request = empty;
	request.strict_resume = true;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "strict_resume");
	request = empty;
	request.start = &start;
	request.wait_for_netns = true;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "wait_for_netns");
	request = empty;
	request.start = &start;
	request.follow = true;
	request.until = &until;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "until");
	request = empty;
	until.nanos = -1;
	request.until = &until;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "until");
	until.nanos = 0;
	until.seconds = 253402300799;
	request.follow = true; /* which says nothing without a start: there is no contradiction */
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
}

static void values_out_of_range_are_invalid_and_named(void **state)
{
	struct hall *hall = *state;
	const Nflog__V1__SubscribeRequest empty = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeRequest request = empty;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	Google__Protobuf__Duration negative = GOOGLE__PROTOBUF__DURATION__INIT;
	uint32_t group = 65536;
	char label[66];

	request.view = (Nflog__V1__PacketView)77;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "view");
	request = empty;
	request.slow_consumer_policy = (Nflog__V1__SlowConsumerPolicy)77;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "slow_consumer_policy");
	request = empty;
	request.groups = &group;
	request.n_groups = 1;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "groups");
	request = empty;
	negative.seconds = -1;
	request.heartbeat_interval = &negative;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "heartbeat_interval");
	request = empty;
	policy.max_delay = &negative;
	request.batch = &policy;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "batch.max_delay");
	request = empty;
	request.client_label = memset(label, 'x', sizeof(label));
	label[65] = '\0';
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "client_label");
	memcpy(label, "\xff", 2);
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "client_label");
}

static void too_many_names_are_invalid(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[1025];
	uint32_t *groups = calloc(4097, sizeof(uint32_t));
	char red[] = "red";
	char name[300];

	assert_non_null(groups);
	for (size_t i = 0; i < 1025; i++)
		netns[i] = red;
	request.netns = netns;
	request.n_netns = 1025;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "netns");
	request.n_netns = 1;
	netns[0] = memset(name, 'x', sizeof(name));
	name[299] = '\0';
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "netns");
	request.n_netns = 0;
	request.groups = groups;
	request.n_groups = 4097;
	expect_refusal(hall, &request, GRPC_STATUS_INVALID_ARGUMENT, "groups");
	free(groups);
}

static void what_is_not_configured_is_not_found(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"red"}, (char[]){"green"}};
	uint32_t groups[] = {100, 7};

	request.netns = netns;
	request.n_netns = 2; /* also beside one that exists */
	expect_refusal(hall, &request, GRPC_STATUS_NOT_FOUND, "green");
	request.n_netns = 0;
	request.groups = groups;
	request.n_groups = 2;
	expect_refusal(hall, &request, GRPC_STATUS_NOT_FOUND, "7");
	netns[0] = (char[]){"blue"};
	groups[0] = 200; /* red has it, blue has not */
	request.n_netns = 1;
	request.n_groups = 1;
	expect_refusal(hall, &request, GRPC_STATUS_NOT_FOUND, "blue");
}

static void the_only_source_cannot_be_bound_is_a_failed_precondition(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"blue"}};
	struct caller caller;

	hall_set_state(hall, hall->blue, SOURCE_FAILED, "group 100 is bound by port id 4711");
	request.netns = netns;
	request.n_netns = 1;
	expect_refusal(hall, &request, GRPC_STATUS_FAILED_PRECONDITION, "port id 4711");
	request.n_netns = 0; /* beside others it is shown, not refused */
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
}

static void a_named_source_that_waits_is_not_found(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"blue"}, (char[]){"red"}};
	struct caller caller;

	hall_set_state(hall, hall->blue, SOURCE_WAITING, "no such namespace yet");
	request.netns = netns;
	request.n_netns = 1;
	expect_refusal(hall, &request, GRPC_STATUS_NOT_FOUND, "no such namespace yet");
	request.n_netns = 2;
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
}

static void a_stream_may_wait_for_what_it_names(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	char *netns[] = {(char[]){"green"}};
	uint32_t groups[] = {7};
	Nflog__V1__SubscribeResponse *event;
	struct source *green;
	struct caller caller;

	request.netns = netns;
	request.n_netns = 1;
	request.groups = groups;
	request.n_groups = 1;
	request.wait_for_netns = true;
	event = hall_subscribe(hall, &caller, &request); /* nobody knows it */
	assert_int_equal(event->started->n_sources, 0);
	hall_free_event(event);
	caller_close(&caller);
	green = hall_add(hall, "green", 7); /* not there yet */
	event = hall_subscribe(hall, &caller, &request);
	assert_int_equal(event->started->n_sources, 1);
	hall_free_event(event);
	caller_close(&caller);
	hall_set_state(hall, green, SOURCE_FAILED, "taken");
	expect_refusal(hall, &request, GRPC_STATUS_FAILED_PRECONDITION, "taken");
}

static void a_source_that_is_gone_is_found_for_its_history_only(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	char *netns[] = {(char[]){"blue"}};
	struct caller caller;

	hall_remove(hall, hall->blue);
	request.netns = netns;
	request.n_netns = 1;
	expect_refusal(hall, &request, GRPC_STATUS_NOT_FOUND, "blue");
	start.position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	start.oldest = true;
	request.start = &start;
	hall_follow(hall, &caller, &request);
	caller_close(&caller);
}

static void bounds_beyond_the_caps_are_lowered(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	Google__Protobuf__Duration year = GOOGLE__PROTOBUF__DURATION__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	year.seconds = 31536000;
	policy.max_packets = UINT32_MAX;
	policy.max_bytes = UINT32_MAX;
	policy.max_delay = &year;
	request.batch = &policy;
	request.heartbeat_interval = &year;
	event = hall_subscribe(hall, &caller, &request);
	assert_int_equal(event->started->batch->max_packets, 4096);
	assert_int_equal(event->started->batch->max_bytes, 1048576);
	assert_int_equal(event->started->batch->max_delay->seconds, 5);
	assert_int_equal(event->started->heartbeat_interval->seconds, 3600);
	hall_free_event(event);
	caller_close(&caller);
}

static void the_tenant_caps_the_payload(void **state)
{
	struct hall hall;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	(void)state;
	hall_open_with(&hall, 0, 32);
	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	event = hall_subscribe(&hall, &caller, &request);
	assert_int_equal(event->started->payload_limit, 32);
	hall_free_event(event);
	hall_log(&hall, hall.red, 1);
	event = caller_next_event(&caller);
	assert_int_equal(event->batch->packets[0]->payload.len, 32);
	hall_free_event(event);
	caller_close(&caller);
	hall_close_it(&hall);
}

static void more_subscriptions_than_allowed_are_refused(void **state)
{
	struct hall hall;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller first;

	(void)state;
	hall_open_with(&hall, 1, 0);
	hall_follow(&hall, &first, &request);
	expect_refusal(&hall, &request, GRPC_STATUS_RESOURCE_EXHAUSTED, "subscriptions");
	caller_close(&first);
	while (hall_count_subscriptions(&hall) > 0)
		;
	hall_follow(&hall, &first, &request); /* there is room again */
	caller_close(&first);
	hall_close_it(&hall);
}

static void malformed_requests_are_invalid(void **state)
{
	struct hall *hall = *state;
	static const uint8_t cut_varint[] = {0x40, 0xff};
	static const uint8_t long_string[] = {0x0a, 0x7f, 'x'};
	struct caller caller;

	expect_refusal_of_bytes(hall, cut_varint, sizeof(cut_varint), GRPC_STATUS_INVALID_ARGUMENT);
	expect_refusal_of_bytes(hall, long_string, sizeof(long_string),
				GRPC_STATUS_INVALID_ARGUMENT);
	caller_open(&caller, hall->path, "Subscribe", NULL, 0);
	caller_expect_end(&caller, GRPC_STATUS_INVALID_ARGUMENT);
	caller_close(&caller);
}

/* Two bytes on the wire are hundreds unpacked: the arena ends it. */
static void a_request_of_countless_parts_is_refused_within_bounds(void **state)
{
	struct hall *hall = *state;
	const size_t len = 260000;
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i += 2)
		memcpy(bytes + i, "\x1a\x00", 2); /* an empty PacketFilter */
	expect_refusal_of_bytes(hall, bytes, len, GRPC_STATUS_INVALID_ARGUMENT);
	free(bytes);
}

static void a_request_that_is_too_long_is_refused(void **state)
{
	struct hall *hall = *state;
	const size_t len = 270000;
	uint8_t *bytes = calloc(1, len);

	assert_non_null(bytes);
	expect_refusal_of_bytes(hall, bytes, len, GRPC_STATUS_RESOURCE_EXHAUSTED);
	free(bytes);
}

static void unknown_methods_are_unimplemented(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	caller_open(&caller, hall->path, "Nothing", "", 0);
	caller_expect_end(&caller, GRPC_STATUS_UNIMPLEMENTED);
	caller_close(&caller);
	caller_open(&caller, hall->path, "/other.Service/Subscribe", "", 0);
	caller_expect_end(&caller, GRPC_STATUS_UNIMPLEMENTED);
	caller_close(&caller);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(a_field_of_a_later_version_is_refused_by_number),
	    HALL_TEST(a_position_of_a_later_version_is_refused),
	    HALL_TEST(positions_that_say_nothing_are_invalid),
	    HALL_TEST(fields_that_contradict_each_other_are_invalid),
	    HALL_TEST(values_out_of_range_are_invalid_and_named),
	    HALL_TEST(too_many_names_are_invalid),
	    HALL_TEST(what_is_not_configured_is_not_found),
	    HALL_TEST(the_only_source_cannot_be_bound_is_a_failed_precondition),
	    HALL_TEST(a_named_source_that_waits_is_not_found),
	    HALL_TEST(a_stream_may_wait_for_what_it_names),
	    HALL_TEST(a_source_that_is_gone_is_found_for_its_history_only),
	    HALL_TEST(bounds_beyond_the_caps_are_lowered),
	    cmocka_unit_test(the_tenant_caps_the_payload),
	    cmocka_unit_test(more_subscriptions_than_allowed_are_refused),
	    HALL_TEST(malformed_requests_are_invalid),
	    HALL_TEST(a_request_of_countless_parts_is_refused_within_bounds),
	    HALL_TEST(a_request_that_is_too_long_is_refused),
	    HALL_TEST(unknown_methods_are_unimplemented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
