/* SPDX-License-Identifier: MIT */
/* scene.h - a fake server, a client and its stream, for the tests of streams */
#ifndef TEST_CLIENT_SCENE_H
#define TEST_CLIENT_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

#include "fake_server.h"

#define PATIENCE_MS 30000

struct scene {
	struct fake_call call; /* of a scene with one script */
	struct fake_server *server;
	struct nfl_client *client;
	struct nfl_client_stream *stream;
	struct nfl_client_event event;
};

/* A server with one script, and a stream with these options (NULL: none). */
void scene_begin_with(struct scene *scene, const struct fake_step *steps, size_t count,
		      const struct nfl_client_subscribe_options *options);
void scene_begin(struct scene *scene, const struct fake_step *steps, size_t count);
/* A script for each call. */
void scene_begin_calls(struct scene *scene, const struct fake_call *calls, size_t count,
		       const struct nfl_client_subscribe_options *options);
void scene_end(struct scene *scene);

int next(struct scene *scene);
void expect(struct scene *scene, enum nfl_client_event_type type);
void expect_packet(struct scene *scene, uint64_t sequence);

/* A waiting next() returns at once, and says so for ever. */
void expect_cancelled_by_another_thread(struct scene *scene);

/* The request of the last call, once so many were begun; freed with free_unpacked(). */
Nflog__V1__SubscribeRequest *scene_request(struct scene *scene, unsigned calls);

#endif
