/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of libnfl-client fails once: the call says -ENOMEM, hands out nothing, and leaves
 * nothing behind (AddressSanitizer counts). gRPC's own do not fail: it would abort.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nfl/client.h>

#include "bytes.h"
#include "failing.h"
#include "messages.h"
#include "scene.h"

#define PEM   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define TOKEN "0123456789abcdef0123456789abcdef\n"

/* --- without a server -------------------------------------------------------------------- */

static char pem_file[] = "/tmp/nfl-memory-pem-XXXXXX";
static char token_file[] = "/tmp/nfl-memory-token-XXXXXX";

static int make_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	size_t len = strlen(text);
	bool is_written = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		(void)close(fd);
	return is_written ? 0 : -1;
}

static int make_files(void **state)
{
	(void)state;
	return make_file(pem_file, PEM) | make_file(token_file, TOKEN);
}

static int remove_files(void **state)
{
	(void)state;
	return unlink(pem_file) | unlink(token_file);
}

static int make_client(const void *data)
{
	struct nfl_client_options options = *(const struct nfl_client_options *)data;
	struct nfl_client_error err = {0};
	struct nfl_client *client = NULL;
	int r;

	options.size = sizeof(options);
	options.err = &err;
	failing_on();
	r = nfl_client_new(&options, &client);
	failing_off();
	assert_true(r == 0 ? client != NULL : client == NULL);
	assert_int_equal(err.code, r == -ENOMEM ? NFL_CLIENT_RESOURCE_EXHAUSTED : 0);
	nfl_client_free(client);
	return r;
}

static void client_is_made_or_not(void **state)
{
	const struct nfl_client_options plain = {.token = "0123456789abcdef"};
	const struct nfl_client_options secure = {.server = "127.0.0.1:1",
						  .tls_ca = pem_file,
						  .tls_cert = pem_file,
						  .tls_key = pem_file,
						  .tls_name = "name",
						  .token_file = token_file};

	(void)state;
	assert_true(failing_each(make_client, &plain, 0) >= 3);
	/* What cannot be read again when it connects stays as it was. */
	assert_true(failing_each_or_without(make_client, &secure, 0) >= 10);
}

static const struct nfl_client_subscribe_options *everything(void)
{
	static const char *const netns[] = {"red", "blue"};
	static const uint16_t groups[] = {1, 2, 3};
	static const struct nfl_cidr cidrs[] = {{{10}, 4, 8}, {{0x20}, 16, 8}};
	static const struct nfl_range range = {1, 2};
	static const struct nfl_masked masked = {1, 1};
	static const uint32_t number = 6;
	static const struct nfl_bytes mac = {(const uint8_t *)"abcdef", 6};
	static uint8_t text[5000], program[8];
	static struct nfl_match matches[] = {{NFL_MATCH_EXACT, {text, sizeof(text)}},
					     {NFL_MATCH_STARTS_WITH, {text, 1}},
					     {NFL_MATCH_GLOB, {text, 1}}};
	static struct nfl_filter_term term = {
	    .size = sizeof(term),
	    .any_address = {cidrs, ARRAY_SIZE(cidrs)},
	    .any_port = {&range, 1},
	    .protocol = {&number, 1},
	    .mark = {&masked, 1},
	    .prefix = {matches, ARRAY_SIZE(matches)},
	    .any_interface = {matches, ARRAY_SIZE(matches)},
	    .hw_address = {&mac, 1},
	    .netns = {matches, 1},
	    .bpf = {program, sizeof(program)},
	};
	static struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .netns = netns,
	    .netns_count = ARRAY_SIZE(netns),
	    .groups = groups,
	    .group_count = ARRAY_SIZE(groups),
	    .label = "label",
	    .heartbeat_ms = 1000,
	    .batch_max_delay_ms = 5,
	    .start = NFL_CLIENT_START_RESUME,
	    .resume_token = text,
	    .resume_token_len = sizeof(text),
	    .include = &term,
	    .include_count = 1,
	    .exclude = &term,
	    .exclude_count = 1,
	};

	memset(text, 'a', sizeof(text));
	return &options;
}

static int make_request(const void *options)
{
	void *bytes = NULL;
	size_t len;
	int r;

	failing_on();
	r = nfl_client_request(options, &bytes, &len);
	failing_off();
	assert_true(r == 0 ? bytes != NULL : bytes == NULL);
	free(bytes);
	return r;
}

static void request_is_made_or_not(void **state)
{
	(void)state;
	assert_true(failing_each(make_request, everything(), 0) >= 8);
}

/* @data: a message, packed */
static int render_json(const void *data)
{
	const struct nfl_bytes *message = data;
	struct nfl_client_json *json = NULL;
	const char *text;
	size_t len;
	int r;

	failing_on();
	r = nfl_client_json_new(&json);
	for (int i = 0; r == 0 && i < 2; i++)
		r = nfl_client_json_render(json, *message, 0, &text, &len);
	failing_off();
	nfl_client_json_free(json);
	return r;
}

static void json_is_rendered_or_not(void **state)
{
	struct response r = {0};
	const ProtobufCMessage *message = response_batch(&r, 1, 1, 200);
	uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message));
	struct nfl_bytes packed = {bytes, (uint32_t)protobuf_c_message_pack(message, bytes)};
	static const uint8_t cut[] = {0x12, 0x05, 0x0a};

	(void)state;
	assert_true(failing_each_or_without(render_json, &packed, 0) >= 8);
	packed = (struct nfl_bytes){cut, sizeof(cut)};
	assert_true(failing_each(render_json, &packed, -EBADMSG) >= 2);
	free(bytes);
	response_done(&r);
}

/* --- streams ----------------------------------------------------------------------------- */

/* Reads to the end; with memory again, what is wrong is still said. */
static int read_all(struct nfl_client_stream *stream)
{
	struct nfl_client_event event;
	int r;

	failing_on();
	do
		r = nfl_client_next(stream, PATIENCE_MS, &event);
	while (r > 0);
	failing_off();
	if (r == -ENOMEM) {
		assert_int_equal(nfl_client_status(stream)->code, NFL_CLIENT_RESOURCE_EXHAUSTED);
		assert_int_equal(nfl_client_next(stream, 0, &event), -ENOMEM);
	}
	return r;
}

static int read_stream(const void *data)
{
	struct nfl_client_stream *stream = NULL;
	const struct scene *scene = data;
	int r;

	failing_on();
	r = nfl_client_subscribe(scene->client, everything(), &stream);
	failing_off();
	assert_true(r == 0 ? stream != NULL : stream == NULL);
	if (r == 0)
		r = read_all(stream);
	nfl_client_stream_free(stream);
	return r;
}

static void stream_is_read_or_says_why_not(void **state)
{
	static char token[5000], longer[9000];
	struct response started = {0}, batch = {0}, loss = {0}, source = {0}, caught_up = {0};
	const struct fake_step steps[] = {
	    SEND((memset(token, 't', sizeof(token) - 1), response_started(&started, 2))),
	    SEND((response_batch(&batch, 1, 1, 1000), response_token(&batch, token))),
	    SEND(response_loss(&loss, 1, 7)),
	    SEND((response_source(&source, 3, token, 7), memset(longer, 'l', sizeof(longer) - 1),
		  response_token(&source, longer))),
	    SEND(response_caught_up(&caught_up)),
	};
	const struct fake_call call = {"Subscribe", steps, ARRAY_SIZE(steps)};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, &call, 1, NULL);
	assert_true(failing_each_or_without(read_stream, &scene, 0) > 20);
	scene_end(&scene);
	response_done(&batch);
}

/* --- questions --------------------------------------------------------------------------- */

#define ITEMS 300

/* A page of many, larger than a block of the arena. */
static const ProtobufCMessage *sources_page(void)
{
	static char red[] = "red";
	static Nflog__V1__Source source = NFLOG__V1__SOURCE__INIT;
	static Nflog__V1__Source *many[ITEMS];
	static Nflog__V1__ListSourcesResponse page = NFLOG__V1__LIST_SOURCES_RESPONSE__INIT;

	source.netns = red;
	for (size_t i = 0; i < ITEMS; i++)
		many[i] = &source;
	page.sources = many;
	page.n_sources = ITEMS;
	return &page.base;
}

static const ProtobufCMessage *netns_page(void)
{
	static char red[] = "red";
	static uint32_t groups[ITEMS];
	static Nflog__V1__Netns netns = NFLOG__V1__NETNS__INIT;
	static Nflog__V1__Netns *many[ITEMS];
	static Nflog__V1__ListNetnsResponse page = NFLOG__V1__LIST_NETNS_RESPONSE__INIT;

	netns.name = red;
	netns.groups = groups;
	netns.n_groups = ITEMS;
	for (size_t i = 0; i < ITEMS; i++)
		many[i] = &netns;
	page.netns = many;
	page.n_netns = ITEMS;
	return &page.base;
}

static const ProtobufCMessage *stats_answer(void)
{
	static Nflog__V1__Source source = NFLOG__V1__SOURCE__INIT;
	static Nflog__V1__SourceStats of_source = NFLOG__V1__SOURCE_STATS__INIT;
	static Nflog__V1__SourceStats *sources[ITEMS];
	static Nflog__V1__SubscriptionStats of_sub = NFLOG__V1__SUBSCRIPTION_STATS__INIT;
	static Nflog__V1__SubscriptionStats *subs[ITEMS];
	static Nflog__V1__GetStatsResponse answer = NFLOG__V1__GET_STATS_RESPONSE__INIT;

	of_source.source = &source;
	for (size_t i = 0; i < ITEMS; i++) {
		sources[i] = &of_source;
		subs[i] = &of_sub;
	}
	answer.sources = sources;
	answer.n_sources = ITEMS;
	answer.subscriptions = subs;
	answer.n_subscriptions = ITEMS;
	return &answer.base;
}

static const ProtobufCMessage *info_answer(void)
{
	static char feature[] = "a feature";
	static char *features[ITEMS];
	static Nflog__V1__GetServerInfoResponse answer = NFLOG__V1__GET_SERVER_INFO_RESPONSE__INIT;

	for (size_t i = 0; i < ITEMS; i++)
		features[i] = feature;
	answer.features = features;
	answer.n_features = ITEMS;
	return &answer.base;
}

/* A question and its answer's end; the types of the answers are the only difference. */
#define QUESTION(name, type, end)                                                                  \
	static int name(const void *data)                                                          \
	{                                                                                          \
		const struct scene *scene = data;                                                  \
		struct nfl_client_error err;                                                       \
		struct type *answer = NULL;                                                        \
		int r;                                                                             \
                                                                                                   \
		failing_on();                                                                      \
		r = nfl_client_##name(scene->client, PATIENCE_MS, &answer, &err);                  \
		failing_off();                                                                     \
		assert_true(r == 0 ? answer != NULL : answer == NULL);                             \
		assert_int_equal(err.code, r == -ENOMEM ? NFL_CLIENT_RESOURCE_EXHAUSTED : 0);      \
		end(answer);                                                                       \
		return r;                                                                          \
	}

QUESTION(list_sources, nfl_client_source_list, nfl_client_source_list_free)
QUESTION(list_netns, nfl_client_netns_list, nfl_client_netns_list_free)
QUESTION(get_stats, nfl_client_stats, nfl_client_stats_free)
QUESTION(get_server_info, nfl_client_server_info, nfl_client_server_info_free)

static void question_is_answered_or_not(void **state)
{
	const struct fake_step steps[] = {SEND(sources_page()), SEND(netns_page()),
					  SEND(stats_answer()), SEND(info_answer())};
	const struct fake_call calls[] = {{"ListSources", &steps[0], 1},
					  {"ListNetns", &steps[1], 1},
					  {"GetStats", &steps[2], 1},
					  {"GetServerInfo", &steps[3], 1}};
	const failing_fn questions[] = {list_sources, list_netns, get_stats, get_server_info};
	struct scene scene;

	(void)state;
	scene_begin_calls(&scene, calls, ARRAY_SIZE(calls), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		assert_true(failing_each_or_without(questions[i], &scene, 0) >= 3);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(client_is_made_or_not),
	    cmocka_unit_test(request_is_made_or_not),
	    cmocka_unit_test(json_is_rendered_or_not),
	    cmocka_unit_test(stream_is_read_or_says_why_not),
	    cmocka_unit_test(question_is_answered_or_not),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
