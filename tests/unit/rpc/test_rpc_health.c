/* SPDX-License-Identifier: MIT */
/* The health service: what it says, of what, and when that changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <grpc/health/v1/health.pb-c.h>

#include "hall.h"

#define SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define UNKNOWN     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

static void ask(struct hall *hall, struct caller *caller, const char *method, const char *service)
{
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

	request.service = (char *)(uintptr_t)service;
	caller_open_message(caller, hall->path, method, &request.base);
}

static int next_state(struct caller *caller)
{
	Grpc__Health__V1__HealthCheckResponse *response = (void *)caller_next_message(
	    caller, &grpc__health__v1__health_check_response__descriptor);
	int state;

	assert_non_null(response);
	state = (int)response->status;
	grpc__health__v1__health_check_response__free_unpacked(response, NULL);
	return state;
}

static void check_knows_the_server_and_its_service(void **state)
{
	static const char *const services[] = {"", "nflog.v1.NflogService"};

	for (size_t i = 0; i < 2; i++) {
		struct caller caller;

		ask(*state, &caller, "/grpc.health.v1.Health/Check", services[i]);
		assert_int_equal(next_state(&caller), SERVING);
		caller_expect_end(&caller, GRPC_STATUS_OK);
		caller_close(&caller);
	}
}

static void check_of_another_service_is_not_found(void **state)
{
	struct caller caller;

	ask(*state, &caller, "/grpc.health.v1.Health/Check", "nflog.v2.NflogService");
	caller_expect_end(&caller, GRPC_STATUS_NOT_FOUND);
	caller_close(&caller);
}

static void watch_of_another_service_is_told_that_it_is_unknown_and_goes_on(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	ask(hall, &caller, "/grpc.health.v1.Health/Watch", "nobody");
	assert_int_equal(next_state(&caller), UNKNOWN);
	rpc_drain(hall->rpc); /* which is no news of it */
	rpc_stop(hall->rpc, CALLER_PATIENCE_MS);
	caller_expect_end(&caller, GRPC_STATUS_UNAVAILABLE);
	caller_close(&caller);
}

static void a_drain_is_told_at_once_and_streams_live_on(void **state)
{
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct hall *hall = *state;
	struct caller watcher, asker, subscriber;
	Nflog__V1__SubscribeResponse *event;

	ask(hall, &watcher, "/grpc.health.v1.Health/Watch", "");
	assert_int_equal(next_state(&watcher), SERVING);
	hall_follow(hall, &subscriber, &request);
	rpc_drain(hall->rpc);
	assert_int_equal(next_state(&watcher), NOT_SERVING);
	ask(hall, &asker, "/grpc.health.v1.Health/Check", "nflog.v1.NflogService");
	assert_int_equal(next_state(&asker), NOT_SERVING);
	hall_log(hall, hall->red, 1);
	event = caller_next_event(&subscriber);
	assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	hall_free_event(event);
	rpc_stop(hall->rpc, CALLER_PATIENCE_MS);
	caller_expect_end(&watcher, GRPC_STATUS_UNAVAILABLE);
	caller_close(&watcher);
	caller_close(&asker);
	caller_close(&subscriber);
}

/* Without rpc_drain(), as when the daemon could not be started as a whole. */
static void a_stop_is_told_before_the_end(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	ask(hall, &caller, "/grpc.health.v1.Health/Watch", "");
	assert_int_equal(next_state(&caller), SERVING);
	rpc_stop(hall->rpc, CALLER_PATIENCE_MS);
	assert_int_equal(next_state(&caller), NOT_SERVING);
	caller_expect_end(&caller, GRPC_STATUS_UNAVAILABLE);
	caller_close(&caller);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(check_knows_the_server_and_its_service),
	    HALL_TEST(check_of_another_service_is_not_found),
	    HALL_TEST(watch_of_another_service_is_told_that_it_is_unknown_and_goes_on),
	    HALL_TEST(a_drain_is_told_at_once_and_streams_live_on),
	    HALL_TEST(a_stop_is_told_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
