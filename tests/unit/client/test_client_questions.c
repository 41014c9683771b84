/* SPDX-License-Identifier: MIT */
/* The questions of libnfl-client against a server that says what a script says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/client.h>

#include "bytes.h"
#include "fake_server.h"
#include "messages.h"

#define PATIENCE_MS 30000

struct scene {
	struct fake_server *server;
	struct nfl_client *client;
	struct nfl_client_error err;
};

static void scene_begin(struct scene *scene, const struct fake_call *calls, size_t count)
{
	struct nfl_client_options options = {.size = sizeof(options),
					     .connect_timeout_ms = PATIENCE_MS};

	scene->server = fake_server_start(calls, count);
	options.server = fake_server_address(scene->server);
	assert_int_equal(nfl_client_new(&options, &scene->client), 0);
}

static void scene_end(struct scene *scene)
{
	nfl_client_free(scene->client);
	fake_server_stop(scene->server);
}

/* --- lists ------------------------------------------------------------------------------- */

struct netns_page {
	Nflog__V1__ListNetnsResponse message;
	Nflog__V1__Netns netns[2];
	Nflog__V1__Netns *list[2];
	Google__Protobuf__Timestamp time;
	uint32_t groups[2];
	char names[2][16];
};

static const ProtobufCMessage *netns_page(struct netns_page *page, unsigned first, unsigned count,
					  char *next)
{
	nflog__v1__list_netns_response__init(&page->message);
	google__protobuf__timestamp__init(&page->time);
	page->time.seconds = 1800000000;
	page->groups[0] = 7;
	page->groups[1] = 65535;
	for (unsigned i = 0; i < count; i++) {
		nflog__v1__netns__init(&page->netns[i]);
		(void)snprintf(page->names[i], sizeof(page->names[i]), "n%u", first + i);
		page->netns[i].name = page->names[i];
		page->netns[i].inode = 4026531840;
		page->netns[i].groups = page->groups;
		page->netns[i].n_groups = 2;
		page->netns[i].last_packet_time = i ? NULL : &page->time;
		page->list[i] = &page->netns[i];
	}
	page->message.netns = page->list;
	page->message.n_netns = count;
	page->message.next_page_token = next;
	return &page->message.base;
}

static void list_of_namespaces_follows_pages_to_the_end(void **state)
{
	static char second[] = "p2", third[] = "p3", end[] = "";
	struct netns_page pages[3];
	const struct fake_step steps[][1] = {{SEND(netns_page(&pages[0], 0, 2, second))},
					     {SEND(netns_page(&pages[1], 2, 0, third))},
					     {SEND(netns_page(&pages[2], 2, 1, end))}};
	const struct fake_call calls[] = {
	    {"ListNetns", steps[0], 1}, {"ListNetns", steps[1], 1}, {"ListNetns", steps[2], 1}};
	struct nfl_client_netns_list *list;
	Nflog__V1__ListNetnsRequest *request;
	struct scene scene;
	const void *bytes;
	size_t len;

	(void)state;
	scene_begin(&scene, calls, ARRAY_SIZE(calls));
	assert_int_equal(nfl_client_list_netns(scene.client, PATIENCE_MS, &list, &scene.err), 0);
	assert_int_equal(list->count, 3);
	assert_string_equal(list->items[0].name, "n0");
	assert_int_equal(list->items[0].last_packet_time_ns, INT64_C(1800000000000000000));
	assert_int_equal(list->items[1].last_packet_time_ns, 0);
	assert_string_equal(list->items[2].name, "n2");
	assert_int_equal(list->items[2].inode, 4026531840);
	assert_int_equal(list->items[2].group_count, 2);
	assert_int_equal(list->items[2].groups[1], 65535);
	nfl_client_netns_list_free(list);
	bytes = fake_server_request(scene.server, 3, &len);
	request = nflog__v1__list_netns_request__unpack(NULL, len, bytes);
	assert_string_equal(request->page_token, "p3");
	nflog__v1__list_netns_request__free_unpacked(request, NULL);
	scene_end(&scene);
}

static void server_whose_pages_never_end_is_left(void **state)
{
	static char again[] = "again";
	struct netns_page page;
	const struct fake_step steps[] = {SEND(netns_page(&page, 0, 1, again))};
	const struct fake_call call = {"ListNetns", steps, 1};
	struct nfl_client_netns_list *list;
	struct scene scene;

	(void)state;
	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_list_netns(scene.client, -1, &list, &scene.err), -EBADMSG);
	assert_int_equal(scene.err.code, NFL_CLIENT_INTERNAL);
	scene_end(&scene);
}

static void list_of_sources_has_their_states(void **state)
{
	static char red[] = "red", detail[] = "group 100 is bound by port id 4711";
	Nflog__V1__Source source = NFLOG__V1__SOURCE__INIT;
	Nflog__V1__Source *list_of_one[] = {&source};
	Nflog__V1__ListSourcesResponse answer = NFLOG__V1__LIST_SOURCES_RESPONSE__INIT;
	const struct fake_step steps[] = {SEND(&answer.base)};
	const struct fake_call call = {"ListSources", steps, 1};
	struct nfl_client_source_list *list;
	struct scene scene;

	(void)state;
	source.source_id = 3;
	source.netns = red;
	source.group = 100;
	source.state = NFLOG__V1__SOURCE_STATE__SOURCE_STATE_FAILED;
	source.detail = detail;
	answer.sources = list_of_one;
	answer.n_sources = 1;
	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_list_sources(scene.client, PATIENCE_MS, &list, NULL), 0);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0].id, 3);
	assert_int_equal(list->items[0].group, 100);
	assert_int_equal(list->items[0].state, NFL_CLIENT_SOURCE_FAILED);
	assert_string_equal(list->items[0].detail, detail);
	nfl_client_source_list_free(list);
	scene_end(&scene);
}

static void empty_list_is_a_list(void **state)
{
	const struct fake_step steps[] = {SEND_BYTES("", 0)};
	const struct fake_call call = {"ListSources", steps, 1};
	struct nfl_client_source_list *list;
	struct scene scene;

	(void)state;
	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_list_sources(scene.client, PATIENCE_MS, &list, &scene.err), 0);
	assert_int_equal(list->count, 0);
	nfl_client_source_list_free(list);
	scene_end(&scene);
}

/* --- statistics and server --------------------------------------------------------------- */

static void statistics_have_sources_and_subscriptions(void **state)
{
	static char red[] = "red", id[] = "s1", label[] = "me", peer[] = "unix";
	Nflog__V1__Source source = NFLOG__V1__SOURCE__INIT;
	Nflog__V1__SourceStats of_source = NFLOG__V1__SOURCE_STATS__INIT;
	Nflog__V1__SourceStats *sources[] = {&of_source};
	Nflog__V1__SubscriptionStats subscription = NFLOG__V1__SUBSCRIPTION_STATS__INIT;
	Nflog__V1__SubscriptionStats *subscriptions[] = {&subscription};
	Nflog__V1__GetStatsResponse answer = NFLOG__V1__GET_STATS_RESPONSE__INIT;
	const struct fake_step steps[] = {SEND(&answer.base)};
	const struct fake_call call = {"GetStats", steps, 1};
	struct nfl_client_stats *stats;
	struct scene scene;

	(void)state;
	source.netns = red;
	of_source.source = &source;
	of_source.packets_received = 10;
	of_source.packets_lost_kernel = 2;
	of_source.socket_overruns = 1;
	of_source.ring_used_bytes = 4096;
	subscription.subscription_id = id;
	subscription.client_label = label;
	subscription.peer = peer;
	subscription.packets_sent = 8;
	subscription.packets_lost = 2;
	answer.sources = sources;
	answer.n_sources = 1;
	answer.subscriptions = subscriptions;
	answer.n_subscriptions = 1;
	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_get_stats(scene.client, PATIENCE_MS, &stats, &scene.err), 0);
	assert_int_equal(stats->source_count, 1);
	assert_string_equal(stats->sources[0].source.netns, "red");
	assert_int_equal(stats->sources[0].packets_received, 10);
	assert_int_equal(stats->sources[0].packets_lost_kernel, 2);
	assert_int_equal(stats->sources[0].ring_used_bytes, 4096);
	assert_int_equal(stats->subscription_count, 1);
	assert_string_equal(stats->subscriptions[0].client_label, "me");
	assert_int_equal(stats->subscriptions[0].packets_sent, 8);
	nfl_client_stats_free(stats);
	scene_end(&scene);
}

static void server_info_has_identity_limits_and_features(void **state)
{
	static char version[] = "0.1.0", tenant[] = "red", principal[] = "unix uid 1000";
	static char one[] = "one", two[] = "two";
	char *features[] = {one, two};
	Nflog__V1__Limits limits = NFLOG__V1__LIMITS__INIT;
	Nflog__V1__GetServerInfoResponse answer = NFLOG__V1__GET_SERVER_INFO_RESPONSE__INIT;
	const struct fake_step steps[] = {SEND(&answer.base)};
	const struct fake_call call = {"GetServerInfo", steps, 1};
	struct nfl_client_server_info *info;
	struct scene scene;

	(void)state;
	answer.version = version;
	answer.tenant = tenant;
	answer.principal = principal;
	limits.max_subscriptions = 16;
	answer.limits = &limits;
	answer.features = features;
	answer.n_features = 2;
	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_get_server_info(scene.client, PATIENCE_MS, &info, &scene.err),
			 0);
	assert_string_equal(info->version, "0.1.0");
	assert_string_equal(info->tenant, "red");
	assert_string_equal(info->principal, "unix uid 1000");
	assert_int_equal(info->max_subscriptions, 16);
	assert_int_equal(info->feature_count, 2);
	assert_string_equal(info->features[1], "two");
	nfl_client_server_info_free(info);
	scene_end(&scene);
}

/* --- failures ---------------------------------------------------------------------------- */

static void expect_stats_error(const struct fake_step *steps, size_t count, int timeout_ms, int r,
			       int code)
{
	const struct fake_call call = {"GetStats", steps, count};
	struct nfl_client_stats *stats = NULL;
	struct scene scene;

	scene_begin(&scene, &call, 1);
	assert_int_equal(nfl_client_get_stats(scene.client, timeout_ms, &stats, &scene.err), r);
	assert_int_equal(scene.err.code, code);
	assert_null(stats);
	scene_end(&scene);
}

static void failure_carries_the_server_s_status(void **state)
{
	const struct fake_step steps[] = {END(NFL_CLIENT_PERMISSION_DENIED, "no")};

	(void)state;
	expect_stats_error(steps, 1, PATIENCE_MS, -EREMOTEIO, NFL_CLIENT_PERMISSION_DENIED);
}

static void malformed_answers_are_bad_messages(void **state)
{
	static const uint8_t bytes[] = {0x12, 0x05, 0x0a};
	static const uint8_t stats_of_nothing[] = {0x12, 0x00};
	const struct fake_step malformed[] = {SEND_BYTES(bytes, sizeof(bytes))};
	const struct fake_step nothing[] = {SEND_BYTES(stats_of_nothing, sizeof(stats_of_nothing))};
	const struct fake_step twice[] = {SEND_BYTES("", 0), SEND_BYTES("", 0)};

	(void)state;
	expect_stats_error(malformed, 1, PATIENCE_MS, -EBADMSG, NFL_CLIENT_INTERNAL);
	expect_stats_error(nothing, 1, PATIENCE_MS, -EBADMSG, NFL_CLIENT_INTERNAL);
	expect_stats_error(twice, 2, PATIENCE_MS, -EBADMSG, NFL_CLIENT_INTERNAL);
}

static void question_without_an_answer_ends_at_its_deadline(void **state)
{
	const struct fake_step steps[] = {STALL};

	(void)state;
	expect_stats_error(steps, 1, 100, -EREMOTEIO, NFL_CLIENT_DEADLINE_EXCEEDED);
}

static void unreachable_server_is_unavailable(void **state)
{
	struct nfl_client_options options = {.size = sizeof(options),
					     .server = "/nonexistent/nflogd.sock",
					     .connect_timeout_ms = 50};
	struct nfl_client_server_info *info;
	struct nfl_client_error err;
	struct nfl_client *client;

	(void)state;
	assert_int_equal(nfl_client_new(&options, &client), 0);
	assert_int_equal(nfl_client_get_server_info(client, -1, &info, &err), -EREMOTEIO);
	assert_int_equal(err.code, NFL_CLIENT_UNAVAILABLE);
	assert_non_null(strstr(err.message, "No such file or directory"));
	nfl_client_free(client);
}

static void code_names_are_grpc_s(void **state)
{
	(void)state;
	assert_string_equal(nfl_client_code_name(NFL_CLIENT_OK), "OK");
	assert_string_equal(nfl_client_code_name(NFL_CLIENT_UNAVAILABLE), "UNAVAILABLE");
	assert_string_equal(nfl_client_code_name(NFL_CLIENT_UNAUTHENTICATED), "UNAUTHENTICATED");
	assert_string_equal(nfl_client_code_name(17), "UNKNOWN");
	assert_string_equal(nfl_client_code_name(-1), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list_of_namespaces_follows_pages_to_the_end),
	    cmocka_unit_test(server_whose_pages_never_end_is_left),
	    cmocka_unit_test(list_of_sources_has_their_states),
	    cmocka_unit_test(empty_list_is_a_list),
	    cmocka_unit_test(statistics_have_sources_and_subscriptions),
	    cmocka_unit_test(server_info_has_identity_limits_and_features),
	    cmocka_unit_test(failure_carries_the_server_s_status),
	    cmocka_unit_test(malformed_answers_are_bad_messages),
	    cmocka_unit_test(question_without_an_answer_ends_at_its_deadline),
	    cmocka_unit_test(unreachable_server_is_unavailable),
	    cmocka_unit_test(code_names_are_grpc_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
