/* SPDX-License-Identifier: MIT */
/* What lanes write, a log reads: everything once, also what runs that were killed have stored twice. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/client.h>
#include <nflog/v1/log.pb-c.h>

#include "bytes.h"
#include "lanes.h"

#define MESSAGES_MAX 64

struct scene {
	struct lanes lanes;
	struct checkpoint place;
	struct stored {
		void *bytes;
		size_t len;
		char id[64];
		char subject[64];
	} stored[MESSAGES_MAX];
	size_t count;
	struct nfl_client_log *log;
	char shown[4096]; /* "p<source>:<sequence> l<stage>:<count> s<status> ..." */
};

static int store(void *data, const struct broker_message *message)
{
	struct scene *scene = data;
	struct stored *stored = &scene->stored[scene->count];

	assert_true(scene->count < MESSAGES_MAX);
	stored->bytes = malloc(message->len ? message->len : 1);
	assert_non_null(stored->bytes);
	memcpy(stored->bytes, message->data, message->len);
	stored->len = message->len;
	(void)snprintf(stored->id, sizeof(stored->id), "%s", message->id);
	(void)snprintf(stored->subject, sizeof(stored->subject), "%s", message->subject);
	scene->count++;
	return 0;
}

static void begin(struct scene *scene)
{
	static const struct lanes_options options = {
	    .subject = "log.{netns}", .host = "fw1", .publish = store};
	struct lanes_options with_data = options;

	with_data.data = scene;
	assert_int_equal(lanes_init(&scene->lanes, &with_data, &scene->place), 0);
}

/* The run is killed; the next one begins at the place that was noted last. */
static void begin_again(struct scene *scene)
{
	lanes_done(&scene->lanes);
	begin(scene);
}

static void note_place(struct scene *scene)
{
	free((void *)(uintptr_t)scene->place.counts);
	assert_int_equal(lanes_place(&scene->lanes, &scene->place), 0);
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	memcpy(scene->place.stream_id, "0123456789abcdef", 17);
	begin(scene);
	assert_int_equal(nfl_client_log_new(&scene->log), 0);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < scene->count; i++)
		free(scene->stored[i].bytes);
	lanes_done(&scene->lanes);
	free((void *)(uintptr_t)scene->place.counts);
	nfl_client_log_free(scene->log);
	free(scene);
	return 0;
}

/* --- what the server sends --------------------------------------------------------------- */

static const struct nfl_client_source sources[] = {
    {0},
    {.id = 1, .group = 100, .state = NFL_CLIENT_SOURCE_LISTENING, .netns = "red", .detail = ""},
    {.id = 2, .group = 7, .state = NFL_CLIENT_SOURCE_LISTENING, .netns = "blue", .detail = ""},
};

static void started(struct scene *scene, const char *epoch, enum nfl_client_resume_status status)
{
	const struct nfl_client_started started = {.server_epoch = epoch, .resume_status = status};
	const struct nfl_client_event event = {.type = NFL_CLIENT_STARTED, .started = &started};

	assert_int_equal(lanes_take(&scene->lanes, &event), 0);
}

static void packet(struct scene *scene, uint32_t source, uint64_t sequence)
{
	Nflog__V1__Packet message = NFLOG__V1__PACKET__INIT;
	const struct nfl_packet view = {.sequence = sequence, .source_id = source};
	uint8_t bytes[64];
	struct nfl_client_event event = {
	    .type = NFL_CLIENT_PACKET, .packet = &view, .source = &sources[source]};

	message.sequence = sequence;
	message.source_id = source;
	event.message =
	    (struct nfl_bytes){bytes, (uint32_t)nflog__v1__packet__pack(&message, bytes)};
	assert_int_equal(lanes_take(&scene->lanes, &event), 0);
}

static void packets(struct scene *scene, uint32_t source, uint64_t first, uint64_t last)
{
	for (uint64_t sequence = first; sequence <= last; sequence++)
		packet(scene, source, sequence);
}

static void lost(struct scene *scene, uint32_t source, enum nfl_client_loss_stage stage,
		 uint64_t count)
{
	const struct nfl_client_loss loss = {.stage = stage, .source_id = source, .count = count};
	const struct nfl_client_event event = {
	    .type = NFL_CLIENT_LOSS, .loss = &loss, .source = source ? &sources[source] : NULL};

	assert_int_equal(lanes_take(&scene->lanes, &event), 0);
}

static void flush(struct scene *scene)
{
	assert_int_equal(lanes_flush(&scene->lanes), 0);
}

/* --- what is read ------------------------------------------------------------------------ */

static void show(struct scene *scene, const struct nfl_client_event *event)
{
	size_t len = strlen(scene->shown);
	char *at = scene->shown + len;
	size_t room = sizeof(scene->shown) - len;

	if (event->type == NFL_CLIENT_PACKET)
		(void)snprintf(at, room, "%s:%" PRIu64 " ", event->render_source.netns,
			       event->packet->sequence);
	else if (event->type == NFL_CLIENT_LOSS)
		(void)snprintf(at, room, "%s-%d:%" PRIu64 " ",
			       event->source ? event->source->netns : "all",
			       (int)event->loss->stage, event->loss->count);
	else if (event->type == NFL_CLIENT_STARTED)
		(void)snprintf(at, room, "begun%d ", (int)event->started->resume_status);
}

static void read_message(struct scene *scene, size_t at)
{
	struct nfl_client_event event;

	assert_int_equal(
	    nfl_client_log_take(scene->log, scene->stored[at].bytes, scene->stored[at].len), 0);
	assert_string_equal(nfl_client_log_host(scene->log), "fw1");
	while (nfl_client_log_next(scene->log, &event) > 0)
		show(scene, &event);
}

static void assert_shown(struct scene *scene, const char *expected)
{
	for (size_t i = 0; i < scene->count; i++)
		read_message(scene, i);
	assert_string_equal(scene->shown, expected);
}

/* --- tests ------------------------------------------------------------------------------- */

static void a_stream_is_read_as_it_came(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_NONE);
	packets(scene, 1, 5, 7);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 4);
	packet(scene, 1, 8);
	flush(scene);
	assert_int_equal(scene->count, 2);
	assert_string_equal(scene->stored[0].subject, "log._");
	assert_string_equal(scene->stored[1].subject, "log.red");
	assert_shown(scene, "begun0 red:5 red:6 red:7 red-1:4 red:8 ");
}

static void a_message_is_a_sound_log_segment(void **state)
{
	struct scene *scene = *state;
	Nflog__V1__LogSegment *segment;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 5, 7);
	packets(scene, 1, 20, 20);
	flush(scene);
	assert_int_equal(scene->count, 1);
	segment =
	    nflog__v1__log_segment__unpack(NULL, scene->stored[0].len, scene->stored[0].bytes);
	assert_non_null(segment);
	assert_string_equal(segment->host, "fw1");
	assert_string_equal(segment->stream_id, "0123456789abcdef");
	assert_string_equal(segment->server_epoch, "e1");
	assert_int_equal(segment->n_sources, 1);
	assert_string_equal(segment->sources[0]->netns, "red");
	assert_int_equal(segment->n_spans, 1);
	assert_int_equal(segment->spans[0]->after, 4);
	assert_int_equal(segment->spans[0]->last, 20);
	assert_int_equal(segment->n_responses, 1);
	assert_int_equal(segment->responses[0]->batch->n_packets, 4);
	nflog__v1__log_segment__free_unpacked(segment, NULL);
}

static void the_same_message_has_the_same_id_and_another_one_another(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	note_place(scene);
	packets(scene, 1, 1, 3);
	flush(scene);
	begin_again(scene);
	packets(scene, 1, 1, 3);
	flush(scene);
	begin_again(scene);
	packets(scene, 1, 1, 4);
	flush(scene);
	assert_int_equal(scene->count, 3);
	assert_string_equal(scene->stored[0].id, scene->stored[1].id);
	assert_string_not_equal(scene->stored[0].id, scene->stored[2].id);
}

static void what_a_killed_run_has_stored_is_shown_once(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 3);
	flush(scene);
	note_place(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 9);
	packets(scene, 1, 4, 6);
	flush(scene);
	begin_again(scene);
	packets(scene, 1, 4, 4); /* cut in another way, and its loss told later */
	flush(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 11);
	packets(scene, 1, 5, 8);
	flush(scene);
	assert_shown(scene, "red:1 red:2 red:3 red-1:9 red:4 red:5 red:6 red-1:2 red:7 red:8 ");
	assert_int_equal(nfl_client_log_repeated(scene->log), 3);
}

static void losses_add_up_and_each_is_told_once(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 4);
	packets(scene, 1, 1, 1);
	flush(scene);
	note_place(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 5);
	packets(scene, 1, 2, 2);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 3);
	packets(scene, 1, 3, 3);
	flush(scene);
	begin_again(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 5); /* as the run before has stored */
	packets(scene, 1, 2, 2);
	flush(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_KERNEL_SOCKET, 4); /* one more than that */
	packets(scene, 1, 3, 4);
	flush(scene);
	assert_shown(scene, "red-1:4 red:1 red-1:5 red:2 red-1:3 red:3 red-1:1 red:4 ");
}

static void spans_go_on_from_one_run_to_the_next(void **state)
{
	struct scene *scene = *state;
	Nflog__V1__LogSegment *segment;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 3);
	flush(scene);
	note_place(scene);
	begin_again(scene);
	packets(scene, 1, 10, 10); /* a filter held the others back */
	flush(scene);
	segment =
	    nflog__v1__log_segment__unpack(NULL, scene->stored[1].len, scene->stored[1].bytes);
	assert_non_null(segment);
	assert_int_equal(segment->spans[0]->after, 3);
	assert_int_equal(segment->spans[0]->last, 10);
	nflog__v1__log_segment__free_unpacked(segment, NULL);
}

static void what_was_stored_and_then_evicted_is_not_lost(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 3);
	flush(scene);
	note_place(scene);
	packets(scene, 1, 4, 6);
	flush(scene);
	begin_again(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 7); /* 4 to 10 */
	packets(scene, 1, 11, 11);
	flush(scene);
	assert_shown(scene, "red:1 red:2 red:3 red:4 red:5 red:6 red:11 red-3:4 ");
}

static void a_second_run_that_is_killed_changes_no_count(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 3);
	flush(scene);
	note_place(scene);
	packets(scene, 1, 4, 6);
	flush(scene);
	begin_again(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 2); /* 4, 5 */
	packets(scene, 1, 6, 8);
	flush(scene);
	begin_again(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 8); /* 4 to 11 */
	packets(scene, 1, 12, 12);
	flush(scene);
	assert_shown(scene, "red:1 red:2 red:3 red:4 red:5 red:6 red:7 red:8 red:12 red-3:3 ");
}

static void a_loss_told_behind_its_gap_is_counted_when_it_is_told(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 1);
	packets(scene, 1, 5, 5);
	flush(scene);
	lost(scene, 1, NFL_CLIENT_LOSS_RATE_LIMIT, 3);
	flush(scene);
	assert_shown(scene, "red:1 red:5 red-4:3 ");
}

static void a_loss_that_no_packet_follows_is_counted(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 1);
	lost(scene, 1, NFL_CLIENT_LOSS_RATE_LIMIT, 3);
	flush(scene);
	assert_shown(scene, "red:1 red-4:3 ");
}

static void a_loss_before_the_first_packet_of_a_source_is_counted(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 3);
	packets(scene, 1, 104, 105);
	flush(scene);
	assert_shown(scene, "red:104 red:105 red-3:3 ");
}

static void what_a_filter_holds_back_is_no_loss(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packet(scene, 1, 10);
	packet(scene, 1, 20);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 5);
	packet(scene, 1, 60);
	flush(scene);
	assert_shown(scene, "red:10 red:20 red:60 red-3:5 ");
}

static void messages_in_another_order_lose_nothing(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	for (uint64_t at = 1; at <= 9; at += 3) {
		packets(scene, 1, at, at + 2);
		flush(scene);
	}
	read_message(scene, 2);
	read_message(scene, 0);
	read_message(scene, 1);
	read_message(scene, 0);
	assert_string_equal(scene->shown, "red:7 red:8 red:9 red:1 red:2 red:3 red:4 red:5 red:6 ");
}

static void a_restarted_server_counts_anew(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, 2);
	started(scene, "e2", NFL_CLIENT_RESUME_EPOCH_CHANGED);
	packets(scene, 1, 1, 2);
	flush(scene);
	assert_shown(scene, "red:1 red:2 begun3 red:1 red:2 ");
}

static void sources_have_lanes_of_their_own_and_ids_of_the_reader(void **state)
{
	struct scene *scene = *state;
	struct nfl_client_event event;
	uint32_t ids[2] = {0};

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packet(scene, 1, 1);
	packet(scene, 2, 1);
	flush(scene);
	assert_int_equal(scene->count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    nfl_client_log_take(scene->log, scene->stored[i].bytes, scene->stored[i].len),
		    0);
		assert_int_equal(nfl_client_log_next(scene->log, &event), 1);
		ids[i] = event.packet->source_id;
		assert_int_equal(event.source->id, ids[i]);
		assert_int_equal(nfl_client_log_next(scene->log, &event), 0);
	}
	assert_int_not_equal(ids[0], ids[1]);
}

static void a_message_that_is_full_does_not_wait(void **state)
{
	struct scene *scene = *state;

	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	packets(scene, 1, 1, LANE_PACKETS_MAX + 1);
	assert_int_equal(scene->count, 1);
	assert_false(lanes_are_empty(&scene->lanes));
}

static void what_is_no_segment_is_refused_and_costs_nothing(void **state)
{
	struct scene *scene = *state;
	struct nfl_client_event event;
	const struct stored *stored = &scene->stored[0];

	assert_int_equal(nfl_client_log_take(scene->log, "{\"a\":1}", 7), -EBADMSG);
	assert_int_equal(nfl_client_log_take(scene->log, "", 0), -EBADMSG);
	assert_int_equal(nfl_client_log_next(scene->log, &event), 0);
	started(scene, "e1", NFL_CLIENT_RESUME_CONTINUED);
	lost(scene, 1, NFL_CLIENT_LOSS_HISTORY, 3);
	packets(scene, 1, 4, 6);
	flush(scene);
	for (size_t len = 0; len < stored->len; len++) { /* in a block that ASan guards */
		char *cut = malloc(len ? len : 1);

		assert_non_null(cut);
		memcpy(cut, stored->bytes, len);
		if (nfl_client_log_take(scene->log, cut, len) == 0)
			while (nfl_client_log_next(scene->log, &event) > 0)
				continue;
		assert_int_equal(nfl_client_log_take(scene->log, NULL, 0), -EBADMSG);
		free(cut);
	}
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE(a_stream_is_read_as_it_came),
	    SCENE(a_message_is_a_sound_log_segment),
	    SCENE(the_same_message_has_the_same_id_and_another_one_another),
	    SCENE(what_a_killed_run_has_stored_is_shown_once),
	    SCENE(losses_add_up_and_each_is_told_once),
	    SCENE(spans_go_on_from_one_run_to_the_next),
	    SCENE(what_was_stored_and_then_evicted_is_not_lost),
	    SCENE(a_second_run_that_is_killed_changes_no_count),
	    SCENE(a_loss_told_behind_its_gap_is_counted_when_it_is_told),
	    SCENE(a_loss_that_no_packet_follows_is_counted),
	    SCENE(a_loss_before_the_first_packet_of_a_source_is_counted),
	    SCENE(what_a_filter_holds_back_is_no_loss),
	    SCENE(messages_in_another_order_lose_nothing),
	    SCENE(a_restarted_server_counts_anew),
	    SCENE(sources_have_lanes_of_their_own_and_ids_of_the_reader),
	    SCENE(a_message_that_is_full_does_not_wait),
	    SCENE(what_is_no_segment_is_refused_and_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
