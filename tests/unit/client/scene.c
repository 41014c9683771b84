/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void scene_begin_calls(struct scene *scene, const struct fake_call *calls, size_t count,
		       const struct nfl_client_subscribe_options *options)
{
	struct nfl_client_options client = {.size = sizeof(client),
					    .connect_timeout_ms = PATIENCE_MS};

	scene->server = fake_server_start(calls, count);
	client.server = fake_server_address(scene->server);
	assert_int_equal(nfl_client_new(&client, &scene->client), 0);
	assert_int_equal(nfl_client_subscribe(scene->client, options, &scene->stream), 0);
}

void scene_begin_with(struct scene *scene, const struct fake_step *steps, size_t count,
		      const struct nfl_client_subscribe_options *options)
{
	scene->call = (struct fake_call){.method = "Subscribe", .steps = steps, .count = count};
	scene_begin_calls(scene, &scene->call, 1, options);
}

void scene_begin(struct scene *scene, const struct fake_step *steps, size_t count)
{
	scene_begin_with(scene, steps, count, NULL);
}

void scene_end(struct scene *scene)
{
	nfl_client_stream_free(scene->stream);
	nfl_client_free(scene->client);
	fake_server_stop(scene->server);
}

int next(struct scene *scene)
{
	return nfl_client_next(scene->stream, PATIENCE_MS, &scene->event);
}

void expect(struct scene *scene, enum nfl_client_event_type type)
{
	assert_int_equal(next(scene), 1);
	assert_int_equal(scene->event.type, type);
}

void expect_packet(struct scene *scene, uint64_t sequence)
{
	expect(scene, NFL_CLIENT_PACKET);
	assert_int_equal(scene->event.packet->sequence, sequence);
}

static void *cancel_stream(void *stream)
{
	nfl_client_cancel(stream);
	return NULL;
}

void expect_cancelled_by_another_thread(struct scene *scene)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, cancel_stream, scene->stream), 0);
	assert_int_equal(nfl_client_next(scene->stream, -1, &scene->event), -ECANCELED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(nfl_client_status(scene->stream)->code, NFL_CLIENT_CANCELLED);
	assert_int_equal(nfl_client_next(scene->stream, -1, &scene->event), -ECANCELED);
}

Nflog__V1__SubscribeRequest *scene_request(struct scene *scene, unsigned calls)
{
	size_t len;
	const void *bytes = fake_server_request(scene->server, calls, &len);
	Nflog__V1__SubscribeRequest *request =
	    nflog__v1__subscribe_request__unpack(NULL, len, bytes);

	assert_non_null(request);
	return request;
}
