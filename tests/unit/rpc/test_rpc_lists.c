/* SPDX-License-Identifier: MIT */
/* The calls that answer once: listings with their pages, statistics, server information. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hall.h"

/* Calls, and returns the answer unpacked; fails the test when there is none. */
static void *ask(struct hall *hall, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *response;
	struct caller caller;

	caller_open_message(&caller, hall->path, method, request);
	response = caller_next_message(&caller, type);
	if (!response)
		fail_msg("status %d: %s", (int)caller.code, caller.text);
	caller_expect_end(&caller, GRPC_STATUS_OK);
	caller_close(&caller);
	return response;
}

static void expect_error(struct hall *hall, const char *method, const ProtobufCMessage *request,
			 grpc_status_code code, const char *named)
{
	struct caller caller;

	caller_open_message(&caller, hall->path, method, request);
	caller_expect_end(&caller, code);
	if (!strstr(caller.text, named))
		fail_msg("\"%s\" does not name %s", caller.text, named);
	caller_close(&caller);
}

static Nflog__V1__ListSourcesResponse *list_sources_of(struct hall *hall,
						       const Nflog__V1__ListSourcesRequest *request)
{
	return ask(hall, "ListSources", &request->base,
		   &nflog__v1__list_sources_response__descriptor);
}

static void sources_are_listed_with_their_state(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListSourcesRequest request = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__ListSourcesResponse *response;

	hall_set_state(hall, hall->blue, SOURCE_FAILED, "taken");
	response = list_sources_of(hall, &request);
	assert_int_equal(response->n_sources, 3);
	assert_string_equal(response->sources[0]->netns, "blue");
	assert_int_equal(response->sources[0]->state, NFLOG__V1__SOURCE_STATE__SOURCE_STATE_FAILED);
	assert_string_equal(response->sources[0]->detail, "taken");
	assert_true(response->sources[0]->state_time->seconds > 0);
	assert_int_equal(response->sources[1]->state,
			 NFLOG__V1__SOURCE_STATE__SOURCE_STATE_LISTENING);
	assert_int_equal(response->sources[2]->group, 200);
	assert_int_equal(response->sources[2]->source_id, hall->red_200->id);
	assert_string_equal(response->next_page_token, "");
	nflog__v1__list_sources_response__free_unpacked(response, NULL);
}

static void a_source_that_is_gone_is_not_listed(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListSourcesRequest request = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__ListSourcesResponse *response;

	hall_log(hall, hall->blue, 1);
	hall_remove(hall, hall->blue);
	(void)hall_add(hall, "waits", 1);
	response = list_sources_of(hall, &request);
	assert_int_equal(response->n_sources, 3);
	assert_string_equal(response->sources[0]->netns, "red");
	assert_int_equal(response->sources[2]->state,
			 NFLOG__V1__SOURCE_STATE__SOURCE_STATE_WAITING);
	nflog__v1__list_sources_response__free_unpacked(response, NULL);
}

static void a_name_that_is_no_utf8_is_repaired(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListSourcesRequest request = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__ListSourcesResponse *response;

	(void)hall_add(hall, "a\xff", 1);
	response = list_sources_of(hall, &request);
	assert_string_equal(response->sources[0]->netns, "a\xef\xbf\xbd");
	nflog__v1__list_sources_response__free_unpacked(response, NULL);
}

static void pages_of_sources_join_without_gap_or_repeat(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListSourcesRequest request = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	char token[100] = "";
	size_t seen = 0;

	request.page_size = 2;
	request.page_token = token;
	for (uint16_t group = 1; group <= 4; group++)
		(void)hall_add(hall, "a\xff", group);
	do {
		Nflog__V1__ListSourcesResponse *response = list_sources_of(hall, &request);

		assert_true(response->n_sources >= 1 && response->n_sources <= 2);
		if (seen < 4)
			assert_int_equal(response->sources[0]->group, seen + 1);
		seen += response->n_sources;
		(void)snprintf(token, sizeof(token), "%s", response->next_page_token);
		nflog__v1__list_sources_response__free_unpacked(response, NULL);
	} while (token[0]);
	assert_int_equal(seen, 7);
}

static void pages_of_netns_hold_whole_namespaces(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListNetnsRequest request = NFLOG__V1__LIST_NETNS_REQUEST__INIT;
	Nflog__V1__ListNetnsResponse *response;
	char token[100];

	atomic_store(&hall->red->netns_inode, 4026531840U);
	hall_log(hall, hall->red, 1);
	request.page_size = 1;
	response =
	    ask(hall, "ListNetns", &request.base, &nflog__v1__list_netns_response__descriptor);
	assert_int_equal(response->n_netns, 1);
	assert_string_equal(response->netns[0]->name, "blue");
	assert_int_equal(response->netns[0]->inode, 0);
	assert_null(response->netns[0]->last_packet_time);
	(void)snprintf(token, sizeof(token), "%s", response->next_page_token);
	nflog__v1__list_netns_response__free_unpacked(response, NULL);
	request.page_token = token;
	response =
	    ask(hall, "ListNetns", &request.base, &nflog__v1__list_netns_response__descriptor);
	assert_int_equal(response->n_netns, 1);
	assert_string_equal(response->netns[0]->name, "red");
	assert_int_equal(response->netns[0]->n_groups, 2);
	assert_int_equal(response->netns[0]->groups[0], 100);
	assert_int_equal(response->netns[0]->groups[1], 200);
	assert_int_equal(response->netns[0]->inode, 4026531840U);
	assert_true(response->netns[0]->last_packet_time->seconds > 0);
	assert_string_equal(response->next_page_token, "");
	nflog__v1__list_netns_response__free_unpacked(response, NULL);
}

static void bad_page_fields_are_invalid(void **state)
{
	struct hall *hall = *state;
	static const char *const bad[] = {"x",       "00",     "0064",  "0064zz",
					  "0064616", "00646G", "0064 6"};
	Nflog__V1__ListSourcesRequest sources = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__ListNetnsRequest netns = NFLOG__V1__LIST_NETNS_REQUEST__INIT;
	char token[20];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(token, sizeof(token), "%s", bad[i]);
		sources.page_token = token;
		netns.page_token = token;
		expect_error(hall, "ListSources", &sources.base, GRPC_STATUS_INVALID_ARGUMENT,
			     "page_token");
		expect_error(hall, "ListNetns", &netns.base, GRPC_STATUS_INVALID_ARGUMENT,
			     "page_token");
	}
	token[0] = '\0';
	sources.page_size = -1;
	expect_error(hall, "ListSources", &sources.base, GRPC_STATUS_INVALID_ARGUMENT, "page_size");
}

static void an_unknown_netns_is_not_found(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__ListSourcesRequest sources = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__GetStatsRequest stats = NFLOG__V1__GET_STATS_REQUEST__INIT;
	char *netns[] = {(char[]){"green"}};

	sources.netns = netns;
	sources.n_netns = 1;
	stats.netns = netns;
	stats.n_netns = 1;
	expect_error(hall, "ListSources", &sources.base, GRPC_STATUS_NOT_FOUND, "green");
	expect_error(hall, "GetStats", &stats.base, GRPC_STATUS_NOT_FOUND, "green");
}

static void statistics_tell_of_sources_and_subscriptions(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest subscribe = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	Nflog__V1__SubscribeResponse *event;
	Nflog__V1__GetStatsResponse *response;
	struct caller caller;
	char peer[64];
	char *netns[] = {(char[]){"blue"}};

	subscribe.client_label = (char[]){"test@here"};
	subscribe.max_lag_bytes = 1000000;
	hall_follow(hall, &caller, &subscribe);
	atomic_store(&hall->blue->overruns, 3);
	atomic_store(&hall->blue->bytes, 1234);
	hall_log_after_loss(hall, hall->blue, 5, 2, 1);
	for (int i = 0; i < 3; i++) { /* two losses, one batch */
		event = caller_next_event(&caller);
		hall_free_event(event);
	}
	request.netns = netns;
	request.n_netns = 1;
	response = ask(hall, "GetStats", &request.base, &nflog__v1__get_stats_response__descriptor);
	assert_int_equal(response->n_sources, 1);
	assert_string_equal(response->sources[0]->source->netns, "blue");
	assert_int_equal(response->sources[0]->packets_received, 5);
	assert_int_equal(response->sources[0]->bytes_received, 1234);
	assert_int_equal(response->sources[0]->packets_lost_kernel, 2);
	assert_int_equal(response->sources[0]->packets_lost_decode, 1);
	assert_int_equal(response->sources[0]->socket_overruns, 3);
	assert_int_equal(response->sources[0]->ring_packets, 5);
	assert_int_equal(response->sources[0]->ring_capacity_bytes, HALL_LOG_BYTES);
	assert_true(response->sources[0]->ring_used_bytes > 0);
	assert_true(response->sources[0]->oldest_packet_time->seconds > 0);
	assert_true(response->sources[0]->newest_packet_time->seconds > 0);
	assert_int_equal(response->n_subscriptions, 1);
	assert_string_equal(response->subscriptions[0]->client_label, "test@here");
	assert_int_equal(response->subscriptions[0]->packets_sent, 5);
	assert_int_equal(response->subscriptions[0]->packets_lost, 3);
	assert_true(response->subscriptions[0]->bytes_sent > 0);
	assert_int_equal(response->subscriptions[0]->lag_bytes, 0);
	assert_int_equal(response->subscriptions[0]->max_lag_bytes, 1000000);
	assert_null(response->subscriptions[0]->lag);
	(void)snprintf(peer, sizeof(peer), "unix uid %u pid %d", getuid(), getpid());
	assert_string_equal(response->subscriptions[0]->peer, peer);
	nflog__v1__get_stats_response__free_unpacked(response, NULL);
	caller_close(&caller);
}

/* The reader takes nothing: what waits is in the figures. */
static void statistics_tell_how_far_a_subscription_is_behind(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest subscribe = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	Nflog__V1__GetStatsResponse *response;
	struct caller caller;

	subscribe.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(hall, &caller, &subscribe);
	for (int i = 0; i < 2000; i++)
		hall_log(hall, hall->red, 10);
	response = ask(hall, "GetStats", &request.base, &nflog__v1__get_stats_response__descriptor);
	assert_int_equal(response->n_subscriptions, 1);
	assert_true(response->subscriptions[0]->lag_bytes > 0);
	assert_non_null(response->subscriptions[0]->lag);
	nflog__v1__get_stats_response__free_unpacked(response, NULL);
	caller_close(&caller);
}

static void the_server_tells_what_it_is_and_who_asks(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__GetServerInfoRequest request = NFLOG__V1__GET_SERVER_INFO_REQUEST__INIT;
	Nflog__V1__GetServerInfoResponse *response;
	char host_name[256];
	char principal[64];

	response = ask(hall, "GetServerInfo", &request.base,
		       &nflog__v1__get_server_info_response__descriptor);
	assert_string_equal(response->version, "1.2.3");
	assert_string_equal(response->server_epoch, rpc_epoch(hall->rpc));
	assert_int_equal(gethostname(host_name, sizeof(host_name)), 0);
	assert_string_equal(response->host_name, host_name);
	assert_string_equal(response->tenant, "local");
	(void)snprintf(principal, sizeof(principal), "unix uid %u pid %d", getuid(), getpid());
	assert_string_equal(response->principal, principal);
	assert_true(response->start_time->seconds > 0);
	assert_int_equal(response->config_load_time->nanos, 1);
	assert_int_equal(response->limits->max_batch_packets, 4096);
	assert_int_equal(response->limits->max_batch_bytes, 1048576);
	assert_int_equal(response->limits->max_lag_bytes, 0);
	assert_int_equal(response->n_features, 3);
	assert_string_equal(response->features[0], "history");
	assert_string_equal(response->features[1], "resume");
	assert_string_equal(response->features[2], "live-netns");
	nflog__v1__get_server_info_response__free_unpacked(response, NULL);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(sources_are_listed_with_their_state),
	    HALL_TEST(a_source_that_is_gone_is_not_listed),
	    HALL_TEST(a_name_that_is_no_utf8_is_repaired),
	    HALL_TEST(pages_of_sources_join_without_gap_or_repeat),
	    HALL_TEST(pages_of_netns_hold_whole_namespaces),
	    HALL_TEST(bad_page_fields_are_invalid),
	    HALL_TEST(an_unknown_netns_is_not_found),
	    HALL_TEST(statistics_tell_of_sources_and_subscriptions),
	    HALL_TEST(statistics_tell_how_far_a_subscription_is_behind),
	    HALL_TEST(the_server_tells_what_it_is_and_who_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
