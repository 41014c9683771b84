/* SPDX-License-Identifier: MIT */
/* Streams of libnfl-client against a server that says what a script says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <nfl/client.h>

#include "bytes.h"
#include "fake_server.h"
#include "messages.h"
#include "scene.h"

static void events_come_in_stream_order(void **state)
{
	static char green[] = "green";
	struct response started, two, loss, one, source, heartbeat, caught_up;
	const struct fake_step steps[] = {
	    SEND(response_started(&started, 2)),
	    SEND(response_batch(&two, 1, 1, 2)),
	    SEND(response_loss(&loss, 1, 12)),
	    SEND(response_batch(&one, 1, 15, 1)),
	    SEND(response_source(&source, 9, green, 65535)),
	    SEND(response_heartbeat(&heartbeat)),
	    SEND(response_caught_up(&caught_up)),
	};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	expect_packet(&scene, 1);
	expect_packet(&scene, 2);
	expect(&scene, NFL_CLIENT_LOSS);
	expect_packet(&scene, 15);
	expect(&scene, NFL_CLIENT_SOURCE);
	assert_int_equal(scene.event.source_time_ns, INT64_C(1800000000000000005));
	expect(&scene, NFL_CLIENT_HEARTBEAT);
	expect(&scene, NFL_CLIENT_CAUGHT_UP);
	assert_int_equal(scene.event.packets_replayed, 3);
	assert_int_equal(next(&scene), 0);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_OK);
	assert_int_equal(next(&scene), 0);
	scene_end(&scene);
	response_done(&two);
	response_done(&one);
}

static void every_event_has_its_values(void **state)
{
	struct response started, loss, whole, heartbeat;
	const struct fake_step steps[] = {
	    SEND(response_started(&started, 2)),
	    SEND(response_loss(&loss, 2, 12)),
	    SEND(response_loss(&whole, 0, 1)),
	    SEND(response_heartbeat(&heartbeat)),
	};
	const int64_t time_ns = INT64_C(1800000000000000005);
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	assert_string_equal(scene.event.started->subscription_id, "s1");
	assert_string_equal(scene.event.started->server_epoch, "e1");
	assert_int_equal(scene.event.started->view, NFL_CLIENT_VIEW_BASIC);
	assert_int_equal(scene.event.started->payload_limit, 128);
	assert_int_equal(scene.event.started->heartbeat_ms, 10500);
	assert_int_equal(scene.event.started->source_count, 2);
	assert_string_equal(scene.event.started->sources[1].netns, "blue");
	assert_int_equal(scene.event.started->sources[1].state, NFL_CLIENT_SOURCE_WAITING);
	assert_int_equal(scene.event.started->sources[1].state_time_ns, time_ns);
	expect(&scene, NFL_CLIENT_LOSS);
	assert_int_equal(scene.event.loss->stage, NFL_CLIENT_LOSS_KERNEL_SOCKET);
	assert_int_equal(scene.event.loss->count, 12);
	assert_int_equal(scene.event.loss->cumulative_count, 30);
	assert_int_equal(scene.event.loss->first_time_ns, time_ns);
	assert_string_equal(scene.event.source->netns, "blue");
	expect(&scene, NFL_CLIENT_LOSS);
	assert_null(scene.event.source);
	expect(&scene, NFL_CLIENT_HEARTBEAT);
	assert_int_equal(scene.event.heartbeat->time_ns, time_ns);
	assert_int_equal(scene.event.heartbeat->packets_sent, 7);
	scene_end(&scene);
}

static void packets_carry_the_netns_and_group_of_their_source(void **state)
{
	static char green[] = "green";
	struct response started, red, blue, source, of_green, of_nobody;
	const struct fake_step steps[] = {
	    SEND(response_started(&started, 2)),
	    SEND(response_batch(&red, 1, 1, 1)),
	    SEND(response_batch(&blue, 2, 1, 1)),
	    SEND(response_source(&source, 9, green, 65535)),
	    SEND(response_batch(&of_green, 9, 1, 1)),
	    SEND(response_batch(&of_nobody, 77, 1, 1)),
	};
	static const struct {
		const char *netns;
		uint16_t group;
	} expected[] = {{"red", 100}, {"blue", 7}, {"green", 65535}, {"?", 0}};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		do {
			assert_int_equal(next(&scene), 1);
		} while (scene.event.type != NFL_CLIENT_PACKET);
		assert_string_equal(scene.event.render_source.netns, expected[i].netns);
		assert_int_equal(scene.event.render_source.group, expected[i].group);
		assert_int_equal(scene.event.packet->record.group, expected[i].group);
	}
	assert_null(scene.event.source);
	scene_end(&scene);
	response_done(&red);
	response_done(&blue);
	response_done(&of_green);
	response_done(&of_nobody);
}

static void packet_is_read_from_the_message(void **state)
{
	struct response batch;
	const struct fake_step steps[] = {SEND(response_batch(&batch, 1, 1, 1))};
	const struct nfl_packet *packet;
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect_packet(&scene, 1);
	packet = scene.event.packet;
	assert_int_equal(packet->record.family, NFL_FAMILY_IPV4);
	assert_int_equal(packet->record.mark, 0x100);
	assert_true(packet->record.present & NFL_HAS_UID);
	assert_int_equal(packet->record.uid, 0);
	assert_false(packet->record.present & NFL_HAS_GID);
	assert_int_equal(packet->record.payload.len, 64);
	assert_memory_equal(packet->record.prefix.data, "drop: ", packet->record.prefix.len);
	scene_end(&scene);
	response_done(&batch);
}

static void batch_in_many_pieces_arrives_whole(void **state)
{
	struct response large, small;
	/* Half a megabyte comes in many HTTP/2 frames, the second one in a single piece again. */
	const struct fake_step steps[] = {SEND(response_batch(&large, 1, 1, 4000)),
					  SEND(response_batch(&small, 1, 4001, 1))};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	for (uint64_t i = 1; i <= 4001; i++) {
		expect_packet(&scene, i);
		assert_int_equal(scene.event.packet->record.payload.data[0], 0x45);
	}
	assert_int_equal(next(&scene), 0);
	scene_end(&scene);
	response_done(&large);
	response_done(&small);
}

static void timeout_leaves_the_stream_as_it_is(void **state)
{
	struct response started, batch;
	const struct fake_step steps[] = {SEND(response_started(&started, 1)), GATE,
					  SEND(response_batch(&batch, 1, 1, 1))};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	assert_int_equal(nfl_client_next(scene.stream, 0, &scene.event), -ETIMEDOUT);
	assert_int_equal(nfl_client_next(scene.stream, 20, &scene.event), -ETIMEDOUT);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_OK);
	fake_server_open_gate(scene.server);
	expect_packet(&scene, 1);
	scene_end(&scene);
	response_done(&batch);
}

static void bytes_behind_the_last_packet_are_no_reason_to_wait(void **state)
{
	/* A batch of one packet, with a field that this version does not know at its end. */
	static const uint8_t batch[] = {0x12, 0x06, 0x0a, 0x02, 0x08, 0x01, 0x10, 0x00};
	const struct fake_step steps[] = {SEND_BYTES(batch, sizeof(batch)), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect_packet(&scene, 1);
	assert_true(scene.event.ends_response);
	assert_int_equal(nfl_client_next(scene.stream, 0, &scene.event), -ETIMEDOUT);
	scene_end(&scene);
}

static void events_carry_the_servers_message_which_is_rendered_as_json(void **state)
{
	static const uint8_t packet[] = {0x12, 0x04, 0x0a, 0x02, 0x08, 0x07};
	static const uint8_t heartbeat[] = {0x22, 0x02, 0x10, 0x05};
	const struct fake_step steps[] = {SEND_BYTES(packet, sizeof(packet)),
					  SEND_BYTES(heartbeat, sizeof(heartbeat))};
	struct nfl_client_json *json;
	struct scene scene;
	const char *text;
	size_t len;

	(void)state;
	assert_int_equal(nfl_client_json_new(&json), 0);
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect_packet(&scene, 7);
	assert_int_equal(scene.event.message.len, 2);
	assert_memory_equal(scene.event.message.data, packet + 4, 2);
	assert_int_equal(
	    nfl_client_json_render(json, scene.event.message, NFL_CLIENT_JSON_PACKET, &text, &len),
	    0);
	assert_string_equal(text, "{\"batch\":{\"packets\":[{\"sequence\":\"7\"}]}}\n");
	assert_int_equal(len, strlen(text));
	assert_int_equal(nfl_client_json_render(json, scene.event.message, 0, &text, &len),
			 -EBADMSG);
	assert_int_equal(nfl_client_json_render(json, scene.event.message, 8, &text, &len),
			 -EINVAL);
	expect(&scene, NFL_CLIENT_HEARTBEAT);
	assert_int_equal(scene.event.message.len, sizeof(heartbeat));
	assert_int_equal(nfl_client_json_render(json, scene.event.message, 0, &text, &len), 0);
	assert_string_equal(text, "{\"heartbeat\":{\"packetsSent\":\"5\"}}\n");
	scene_end(&scene);
	nfl_client_json_free(json);
}

static void cancel_from_another_thread_wakes_a_quiet_stream(void **state)
{
	struct response started;
	const struct fake_step steps[] = {SEND(response_started(&started, 1)), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect(&scene, NFL_CLIENT_STARTED);
	expect_cancelled_by_another_thread(&scene);
	scene_end(&scene);
}

static void cancel_ends_a_stream_that_has_packets_left(void **state)
{
	struct response batch;
	const struct fake_step steps[] = {SEND(response_batch(&batch, 1, 1, 100)), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect_packet(&scene, 1);
	nfl_client_cancel(scene.stream);
	assert_int_equal(next(&scene), -ECANCELED);
	scene_end(&scene);
	response_done(&batch);
}

/* --- connecting -------------------------------------------------------------------------- */

static void connect_to(struct scene *scene, const char *server, uint32_t timeout_ms)
{
	struct nfl_client_options options = {
	    .size = sizeof(options), .server = server, .connect_timeout_ms = timeout_ms};

	assert_int_equal(nfl_client_new(&options, &scene->client), 0);
	assert_int_equal(nfl_client_subscribe(scene->client, NULL, &scene->stream), 0);
}

static void disconnect(struct scene *scene)
{
	nfl_client_stream_free(scene->stream);
	nfl_client_free(scene->client);
}

static void cancel_wakes_a_stream_that_has_no_connection(void **state)
{
	struct scene scene;

	(void)state;
	connect_to(&scene, "/nonexistent/nflogd.sock", 10 * PATIENCE_MS);
	assert_int_equal(nfl_client_next(scene.stream, 0, &scene.event), -ETIMEDOUT);
	expect_cancelled_by_another_thread(&scene);
	disconnect(&scene);
}

static void unreachable_server_is_unavailable_and_says_why(void **state)
{
	const struct nfl_client_status *status;
	struct scene scene;

	(void)state;
	connect_to(&scene, "/nonexistent/nflogd.sock", 50);
	assert_int_equal(next(&scene), -EREMOTEIO);
	status = nfl_client_status(scene.stream);
	assert_int_equal(status->code, NFL_CLIENT_UNAVAILABLE);
	assert_string_equal(status->message, "cannot reach /nonexistent/nflogd.sock within 50 ms: "
					     "No such file or directory");
	disconnect(&scene);
}

static void server_that_accepts_and_says_nothing_is_unavailable(void **state)
{
	char folder[] = "/tmp/nfl-mute-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct scene scene;

	(void)state;
	assert_non_null(mkdtemp(folder));
	strcat(strcpy(address.sun_path, folder), "/sock");
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	connect_to(&scene, address.sun_path, 200);
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_UNAVAILABLE);
	assert_non_null(strstr(nfl_client_status(scene.stream)->message, "no answer"));
	disconnect(&scene);
	(void)close(fd);
	(void)unlink(address.sun_path);
	(void)rmdir(folder);
}

static void connect_timeout_does_not_end_a_quiet_stream(void **state)
{
	struct response started, batch;
	const struct fake_step steps[] = {SEND(response_started(&started, 1)), GATE,
					  SEND(response_batch(&batch, 1, 1, 1))};
	struct fake_call call = {"Subscribe", steps, ARRAY_SIZE(steps)};
	struct scene scene = {.server = fake_server_start(&call, 1)};

	(void)state;
	connect_to(&scene, fake_server_address(scene.server), 2000);
	expect(&scene, NFL_CLIENT_STARTED);
	assert_int_equal(nfl_client_next(scene.stream, 2100, &scene.event), -ETIMEDOUT);
	fake_server_open_gate(scene.server);
	expect_packet(&scene, 1);
	scene_end(&scene);
	response_done(&batch);
}

static void server_that_goes_away_is_unavailable(void **state)
{
	const struct nfl_client_subscribe_options options = {.size = sizeof(options),
							     .flags = NFL_CLIENT_NO_RECONNECT};
	struct response started;
	const struct fake_step steps[] = {SEND(response_started(&started, 1)), STALL};
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, steps, ARRAY_SIZE(steps), &options);
	expect(&scene, NFL_CLIENT_STARTED);
	fake_server_stop(scene.server);
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_UNAVAILABLE);
	disconnect(&scene);
}

static void status_of_the_server_is_told_with_its_text(void **state)
{
	static const int codes[] = {NFL_CLIENT_PERMISSION_DENIED, NFL_CLIENT_NOT_FOUND,
				    NFL_CLIENT_UNAUTHENTICATED, NFL_CLIENT_UNIMPLEMENTED,
				    NFL_CLIENT_RESOURCE_EXHAUSTED};
	struct response batch;
	const ProtobufCMessage *message = response_batch(&batch, 1, 1, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct fake_step steps[] = {SEND(message), END(codes[i], "the\nreason")};
		struct scene scene;

		scene_begin(&scene, steps, ARRAY_SIZE(steps));
		expect_packet(&scene, 1);
		assert_int_equal(next(&scene), -EREMOTEIO);
		assert_int_equal(nfl_client_status(scene.stream)->code, codes[i]);
		assert_string_equal(nfl_client_status(scene.stream)->message, "the\nreason");
		assert_int_equal(next(&scene), -EREMOTEIO);
		scene_end(&scene);
	}
	response_done(&batch);
}

/* google.rpc.Status with ErrorInfo and BadRequest, as bytes; returns how many. */
static size_t pack_details(uint8_t bytes[500])
{
	char types[][50] = {"type.googleapis.com/google.rpc.ErrorInfo",
			    "type.googleapis.com/google.rpc.BadRequest"};
	char reason[] = "INVALID_REQUEST", field[] = "start.last";
	uint8_t info_bytes[100], request_bytes[100];
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
	Google__Rpc__BadRequest__FieldViolation violation =
	    GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
	Google__Rpc__BadRequest__FieldViolation *violations[] = {&violation};
	Google__Protobuf__Any any[2] = {GOOGLE__PROTOBUF__ANY__INIT, GOOGLE__PROTOBUF__ANY__INIT};
	Google__Protobuf__Any *details[] = {&any[0], &any[1]};
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

	info.reason = reason;
	violation.field = field;
	request.field_violations = violations;
	request.n_field_violations = 1;
	for (size_t i = 0; i < 2; i++)
		any[i].type_url = types[i];
	any[0].value.data = info_bytes;
	any[0].value.len = google__rpc__error_info__pack(&info, info_bytes);
	any[1].value.data = request_bytes;
	any[1].value.len = google__rpc__bad_request__pack(&request, request_bytes);
	status.details = details;
	status.n_details = 2;
	return google__rpc__status__pack(&status, bytes);
}

static void reason_and_field_of_an_error_are_told(void **state)
{
	uint8_t bytes[500];
	size_t len = pack_details(bytes);

	(void)state;
	for (size_t cut = 1; cut <= len; cut++) { /* a part of it may be broken, which is no harm */
		const struct fake_step steps[] = {{.kind = FAKE_END,
						   .code = NFL_CLIENT_INVALID_ARGUMENT,
						   .text = "text",
						   .bytes = bytes,
						   .len = cut}};
		const struct nfl_client_status *status;
		struct scene scene;

		scene_begin(&scene, steps, ARRAY_SIZE(steps));
		assert_int_equal(next(&scene), -EREMOTEIO);
		status = nfl_client_status(scene.stream);
		assert_string_equal(status->message, "text");
		if (cut == len) {
			assert_string_equal(status->reason, "INVALID_REQUEST");
			assert_string_equal(status->field, "start.last");
		}
		scene_end(&scene);
	}
}

/* --- hostile servers --------------------------------------------------------------------- */

static void expect_malformed(const void *bytes, size_t len)
{
	const struct fake_step steps[] = {SEND_BYTES(bytes, len), STALL};
	struct scene scene;

	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(next(&scene), -EBADMSG);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_INTERNAL);
	assert_int_equal(next(&scene), -EBADMSG);
	scene_end(&scene);
}

static void malformed_response_is_a_bad_message(void **state)
{
	static const uint8_t no_field[] = {0xff};
	static const uint8_t cut_batch[] = {0x12, 0x05, 0x0a, 0x01};
	static const uint8_t cut_packet[] = {0x12, 0x04, 0x0a, 0x02, 0x08, 0x80};
	static const uint8_t cut_started[] = {0x0a, 0x05, 0x0a};
	static const uint8_t group_70000[] = {0x0a, 0x06, 0x52, 0x04, 0x18, 0xf0, 0xa2, 0x04};
	static const uint8_t event_without_source[] = {0x2a, 0x00};

	(void)state;
	expect_malformed(no_field, sizeof(no_field));
	expect_malformed(cut_batch, sizeof(cut_batch));
	expect_malformed(cut_packet, sizeof(cut_packet));
	expect_malformed(cut_started, sizeof(cut_started));
	expect_malformed(group_70000, sizeof(group_70000));
	expect_malformed(event_without_source, sizeof(event_without_source));
}

static void unknown_and_empty_responses_are_skipped(void **state)
{
	static const uint8_t unknown_event[] = {0x3a, 0x02, 0x08, 0x01};
	static const uint8_t empty_batch[] = {0x12, 0x00};
	struct response batch;
	const struct fake_step steps[] = {
	    SEND_BYTES("", 0), SEND_BYTES(unknown_event, sizeof(unknown_event)),
	    SEND_BYTES(empty_batch, sizeof(empty_batch)), SEND(response_batch(&batch, 1, 1, 1))};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	expect_packet(&scene, 1);
	scene_end(&scene);
	response_done(&batch);
}

/* A `started` of many sources, each `each` bytes of its own. */
static uint8_t *many_sources(size_t count, size_t each, size_t *ret_len)
{
	size_t body = count * (2 + each);
	uint8_t *bytes = calloc(1, body + 5), *p = bytes;

	assert_non_null(bytes);
	*p++ = 0x0a; /* started */
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)((body >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
	for (size_t i = 0; i < count; i++) {
		*p++ = 0x52; /* sources */
		*p++ = (uint8_t)each;
		if (each == 4) { /* an id in three bytes */
			*p++ = 0x08;
			for (int j = 0; j < 3; j++)
				*p++ = (uint8_t)((i >> (7 * j) & 0x7f) | (j < 2 ? 0x80 : 0));
		}
	}
	*ret_len = body + 5;
	return bytes;
}

static void more_sources_than_a_client_takes_are_refused(void **state)
{
	size_t len;
	uint8_t *distinct = many_sources(70000, 4, &len);

	(void)state;
	expect_malformed(distinct, len);
	free(distinct);
}

static void few_bytes_cannot_take_much_memory(void **state)
{
	size_t len;
	/* 2 bytes each, and a struct of about 100 in memory. */
	uint8_t *empty = many_sources(4000000, 0, &len);

	(void)state;
	expect_malformed(empty, len);
	free(empty);
}

static void message_larger_than_the_limit_ends_the_stream(void **state)
{
	size_t len = 17 * 1024 * 1024;
	uint8_t *bytes = calloc(1, len);
	const struct fake_step steps[] = {SEND_BYTES(bytes, len), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(next(&scene), -EREMOTEIO);
	assert_int_equal(nfl_client_status(scene.stream)->code, NFL_CLIENT_RESOURCE_EXHAUSTED);
	scene_end(&scene);
	free(bytes);
}

/* --- the client -------------------------------------------------------------------------- */

static void options_of_a_newer_program_are_taken_when_nothing_new_is_set(void **state)
{
	struct {
		struct nfl_client_options known;
		uint64_t newer;
	} options = {.known = {.size = sizeof(options), .server = "/run/x"}};
	struct nfl_client *client;

	(void)state;
	assert_int_equal(nfl_client_new(&options.known, &client), 0);
	nfl_client_free(client);
	options.newer = 1;
	assert_int_equal(nfl_client_new(&options.known, &client), -EINVAL);
}

static void server_names_are_checked(void **state)
{
	static const char *const good[] = {"/run/nflogd.sock",        "unix:/run/nflogd.sock",
					   "unix:///run/nflogd.sock", "/a path/100%",
					   "127.0.0.1:7443",          "[::1]:7443",
					   "host-1.example.org:1"};
	static const char *const bad[] = {"",
					  "nflogd.sock",
					  "unix:",
					  "unix:relative",
					  "host",
					  "host:",
					  ":1",
					  "host:0",
					  "host:65536",
					  "host:1x",
					  "http://host:1",
					  "dns:///host:1",
					  "a b:1",
					  "[::1:1",
					  "-x:1",
					  "unix-abstract:x",
					  "xds:///x:1"};
	char long_path[200] = "/";
	struct nfl_client_options options = {.size = sizeof(options)};
	struct nfl_client *client;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		options.server = good[i];
		assert_int_equal(nfl_client_new(&options, &client), 0);
		nfl_client_free(client);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		options.server = bad[i];
		assert_int_equal(nfl_client_new(&options, &client), -EINVAL);
	}
	options.server = memset(long_path, '/', sizeof(long_path) - 1);
	assert_int_equal(nfl_client_new(&options, &client), -EINVAL);
}

static int stop_at_second_packet(const struct nfl_client_event *event, void *data)
{
	unsigned *packets = data;

	return event->type == NFL_CLIENT_PACKET && ++*packets == 2 ? 42 : 0;
}

static void run_ends_with_what_the_callback_or_the_stream_says(void **state)
{
	struct response batch;
	const struct fake_step steps[] = {SEND(response_batch(&batch, 1, 1, 3))};
	struct scene scene;
	unsigned packets = 0;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	assert_int_equal(nfl_client_run(scene.stream, stop_at_second_packet, &packets), 42);
	assert_int_equal(packets, 2);
	assert_int_equal(nfl_client_run(scene.stream, stop_at_second_packet, &packets), 0);
	assert_int_equal(packets, 3);
	scene_end(&scene);
	response_done(&batch);
}

static void stream_that_nobody_read_is_freed(void **state)
{
	struct response batch;
	const struct fake_step steps[] = {SEND(response_batch(&batch, 1, 1, 3)), STALL};
	struct scene scene;

	(void)state;
	scene_begin(&scene, steps, ARRAY_SIZE(steps));
	scene_end(&scene);
	nfl_client_stream_free(NULL);
	nfl_client_free(NULL);
	response_done(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_come_in_stream_order),
	    cmocka_unit_test(every_event_has_its_values),
	    cmocka_unit_test(packets_carry_the_netns_and_group_of_their_source),
	    cmocka_unit_test(packet_is_read_from_the_message),
	    cmocka_unit_test(batch_in_many_pieces_arrives_whole),
	    cmocka_unit_test(timeout_leaves_the_stream_as_it_is),
	    cmocka_unit_test(bytes_behind_the_last_packet_are_no_reason_to_wait),
	    cmocka_unit_test(events_carry_the_servers_message_which_is_rendered_as_json),
	    cmocka_unit_test(cancel_from_another_thread_wakes_a_quiet_stream),
	    cmocka_unit_test(cancel_ends_a_stream_that_has_packets_left),
	    cmocka_unit_test(cancel_wakes_a_stream_that_has_no_connection),
	    cmocka_unit_test(unreachable_server_is_unavailable_and_says_why),
	    cmocka_unit_test(server_that_accepts_and_says_nothing_is_unavailable),
	    cmocka_unit_test(connect_timeout_does_not_end_a_quiet_stream),
	    cmocka_unit_test(server_that_goes_away_is_unavailable),
	    cmocka_unit_test(status_of_the_server_is_told_with_its_text),
	    cmocka_unit_test(reason_and_field_of_an_error_are_told),
	    cmocka_unit_test(malformed_response_is_a_bad_message),
	    cmocka_unit_test(unknown_and_empty_responses_are_skipped),
	    cmocka_unit_test(more_sources_than_a_client_takes_are_refused),
	    cmocka_unit_test(few_bytes_cannot_take_much_memory),
	    cmocka_unit_test(message_larger_than_the_limit_ends_the_stream),
	    cmocka_unit_test(options_of_a_newer_program_are_taken_when_nothing_new_is_set),
	    cmocka_unit_test(server_names_are_checked),
	    cmocka_unit_test(run_ends_with_what_the_callback_or_the_stream_says),
	    cmocka_unit_test(stream_that_nobody_read_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
