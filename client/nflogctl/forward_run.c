/* SPDX-License-Identifier: MIT */
/* The loop of nflogctl forward. In come the events of the library; out go messages to a broker, and the
 * place in the stream once they are stored. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "forward.h"
#include "interrupt.h"
#include "lanes.h"
#include "marks.h"
#include "output.h"
#include "totals.h"

#define TICK_MS       100             /* how often a quiet stream is looked after */
#define MARK_EVERY_NS NS_PER_S        /* the place is stored so often at most */
#define STORE_WAIT_NS (10 * NS_PER_S) /* at the end, for the broker to store what it has */
#define GOES_ON       2               /* beside what nfl_client_next() returns */
#define BROKEN        3               /* the broker, for good */

struct forward {
	const struct forward_options *options;
	struct nfl_client_stream *stream;
	struct lanes lanes;
	struct marks marks;
	struct output output; /* of JSON */
	struct totals totals;
	struct interrupt interrupt;
	int64_t flush_ns; /* monotonic: when lanes are published; 0: there is nothing in them */
	int64_t mark_ns;  /* the same: when the place may be noted again */
	uint64_t stored;  /* messages */
	int given_up;     /* -errno: a message was not published; no place lies behind it */
	void *noted;      /* owned; the place that was noted last */
	size_t noted_len;
	bool in_trouble; /* told on standard error */
	bool in_response;
	int end; /* GOES_ON, or how it ends with the response at hand */
};

/* --- the broker -------------------------------------------------------------------------- */

/* A broker in trouble is told once, and its recovery. */
static void tell_trouble(struct forward *forward, const struct broker_error *err)
{
	if (err && !forward->in_trouble)
		complain("%s: %s; trying again", forward->options->target, err->text);
	else if (!err && forward->in_trouble)
		complain("%s: stores again", forward->options->target);
	forward->in_trouble = err != NULL;
}

static int store_place(struct forward *forward, const struct mark *mark)
{
	const struct forward_options *options = forward->options;
	static const struct out_place none;
	struct broker_error err = {""};
	int r = 0;

	if (options->file)
		r = resume_file_write(options->file, mark->place, mark->len, &none);
	if (r < 0) {
		complain("cannot write the resume file %s: %s", options->file->path,
			 resume_file_error(r));
		return BROKEN;
	}
	if (options->bucket)
		r = options->module->store(options->broker, options->bucket, options->key,
					   mark->place, mark->len, &err);
	if (r < 0) /* what is not stored there comes again: no reason to end */
		tell_trouble(forward, &err);
	return GOES_ON;
}

/* Waits for the broker, and stores the place that it has reached. */
static int progress(struct forward *forward, int timeout_ms)
{
	const struct forward_options *options = forward->options;
	struct broker_error err = {""};
	struct mark mark = {0};
	int r = options->module->progress(options->broker, timeout_ms, &forward->stored, &err);

	if (r == -EAGAIN) {
		tell_trouble(forward, &err);
	} else if (r < 0 && r != -ETIMEDOUT) {
		complain("%s: %s", options->target, err.text);
		return BROKEN;
	} else {
		tell_trouble(forward, NULL);
	}
	r = GOES_ON;
	if (marks_reached(&forward->marks, forward->stored, &mark))
		r = store_place(forward, &mark);
	mark_done(&mark);
	return r;
}

/* Waits for room, unless the user has had enough. */
static int publish_message(struct forward *forward, const struct broker_message *message)
{
	const struct forward_options *options = forward->options;
	struct broker_error err = {""};
	int r;

	while ((r = options->module->publish(options->broker, message, &err)) == -EAGAIN) {
		r = progress(forward, TICK_MS);
		if (r != GOES_ON)
			return -EPROTO;
		if (interrupt_over(&forward->interrupt))
			return -ECANCELED;
	}
	if (r == -EPIPE)
		return r; /* the reader of a pipe may leave when it likes */
	if (r < 0)
		complain("%s: %s", options->target, err.text);
	return r < 0 ? -EPROTO : 0;
}

/* For the lanes. */
static int publish(void *data, const struct broker_message *message)
{
	struct forward *forward = data;
	int r = publish_message(forward, message);

	if (r < 0)
		forward->given_up = r;
	return r;
}

/* For the lanes: JSON, as subscribe would show the event of this host. */
static void render(void *data, struct out *body, const struct nfl_client_event *event)
{
	struct forward *forward = data;

	forward->output.out = *body;
	format_json.show(&forward->output, event);
	*body = forward->output.out;
	forward->output.out = (struct out){.fd = -1};
}

/* GOES_ON, or the end that a result of the lanes is. */
static int lanes_end(int r)
{
	if (r >= 0)
		return GOES_ON;
	if (r == -ENOMEM)
		complain("%s", strerror(ENOMEM));
	return r == -ECANCELED || r == -EPIPE ? r : BROKEN;
}

/* --- the place --------------------------------------------------------------------------- */

/* False: it is the one that was noted last. */
static bool is_new_place(struct forward *forward, const void *bytes, size_t len)
{
	void *copy;

	if (len == forward->noted_len && memcmp(bytes, forward->noted, len) == 0)
		return false;
	copy = malloc(len);
	if (copy)
		memcpy(copy, bytes, len);
	free(forward->noted);
	forward->noted = copy;
	forward->noted_len = copy ? len : 0;
	return true;
}

/* Everything up to here is published: when it is stored, this is the place. */
static int note_place(struct forward *forward)
{
	struct checkpoint place = {0};
	void *bytes;
	size_t len;
	int r;

	place.token_len = nfl_client_resume_token(forward->stream, &place.token);
	if (place.token_len == 0 || (!forward->options->file && !forward->options->bucket))
		return 0;
	forward->mark_ns = monotonic_ns() + MARK_EVERY_NS;
	r = lanes_place(&forward->lanes, &place);
	if (r < 0)
		return r;
	r = checkpoint_encode(&place, &bytes, &len);
	free((void *)(uintptr_t)place.counts);
	if (r < 0)
		return r;
	if (is_new_place(forward, bytes, len))
		marks_add(&forward->marks, lanes_published(&forward->lanes), bytes, len);
	else
		free(bytes);
	return 0;
}

/* Publishes what there is. At the end of a response only, where a place is. */
static int flush(struct forward *forward, bool must_note)
{
	int r = lanes_flush(&forward->lanes);

	forward->flush_ns = 0;
	if (r == 0 && (must_note || monotonic_ns() >= forward->mark_ns))
		r = note_place(forward);
	return lanes_end(r);
}

/* --- events ------------------------------------------------------------------------------ */

static int wait_ms(const struct forward *forward)
{
	int64_t left_ns;

	if (forward->end != GOES_ON)
		return 0;
	if (!forward->flush_ns)
		return TICK_MS;
	left_ns = forward->flush_ns - monotonic_ns();
	if (left_ns <= 0)
		return 0;
	return left_ns > TICK_MS * NS_PER_MS ? TICK_MS : (int)(left_ns / NS_PER_MS) + 1;
}

static int take_event(struct forward *forward, const struct nfl_client_event *event)
{
	struct output notes = {.server = NULL};

	totals_take(&forward->totals, event);
	if (event->type == NFL_CLIENT_RECONNECTING)
		note_event(&notes, event);
	return lanes_end(lanes_take(&forward->lanes, event));
}

/* A response is over: its place is the stream's. */
static int response_over(struct forward *forward)
{
	int64_t now_ns = monotonic_ns();
	int r = GOES_ON;

	if (!forward->flush_ns && !lanes_are_empty(&forward->lanes))
		forward->flush_ns = now_ns + forward->options->linger_ns;
	if (forward->flush_ns && now_ns >= forward->flush_ns)
		r = flush(forward, false);
	else if (!forward->flush_ns && now_ns >= forward->mark_ns)
		r = lanes_end(
		    note_place(forward)); /* nothing matched, and what did not is behind us */
	return r == GOES_ON ? progress(forward, 0) : r;
}

/* GOES_ON, or how the stream has ended: as nfl_client_next(), BROKEN, 1 for enough packets. */
static int step(struct forward *forward)
{
	const struct forward_options *options = forward->options;
	struct nfl_client_event event;
	bool late;
	int r = nfl_client_next(forward->stream, wait_ms(forward), &event);

	if (r == -ETIMEDOUT) {
		r = response_over(forward);
		if (r == GOES_ON && interrupt_over(&forward->interrupt))
			return -ECANCELED;
		return r;
	}
	if (r != 1)
		return r;
	late = interrupt_passed(&forward->interrupt,
				event.packet ? event.packet->record.receive_time_ns : 0);
	r = take_event(forward, &event);
	if (r == GOES_ON && event.ends_response)
		r = response_over(forward);
	if (r != GOES_ON)
		return r;
	if (late || interrupt_over(&forward->interrupt))
		forward->end = -ECANCELED;
	else if (options->count && forward->totals.packets >= options->count)
		forward->end = 1;
	return event.ends_response ? forward->end : GOES_ON;
}

/* --- the end ----------------------------------------------------------------------------- */

static int complain_unstored(const struct forward *forward, uint64_t count)
{
	complain("%s: %" PRIu64 " messages were not stored; %s", forward->options->target, count,
		 forward->options->file || forward->options->bucket
		     ? "the next run stores them"
		     : "they are lost, for no place is kept");
	return BROKEN;
}

/* The last messages are stored, or the broker has had its time. */
static int wait_stored(struct forward *forward)
{
	int64_t until_ns = monotonic_ns() + STORE_WAIT_NS;
	int r = GOES_ON;

	while (r == GOES_ON && forward->stored < lanes_published(&forward->lanes)) {
		if (monotonic_ns() >= until_ns)
			return complain_unstored(forward, lanes_published(&forward->lanes) -
							      forward->stored);
		r = progress(forward, TICK_MS);
	}
	return r;
}

/* Publishes the rest and waits for it, where there was no end to publishing before. GOES_ON, or how that
 * ended. */
static int publish_rest(struct forward *forward)
{
	int r;

	/* One more than those on their way: the message that was given up. */
	if (forward->given_up == -ECANCELED)
		return complain_unstored(forward,
					 lanes_published(&forward->lanes) - forward->stored + 1);
	if (forward->given_up)
		return forward->given_up == -EPIPE ? -EPIPE : BROKEN;
	r = flush(forward, true);
	return r == GOES_ON ? wait_stored(forward) : r;
}

static int finish(struct forward *forward, int r)
{
	const struct nfl_client_status *status = nfl_client_status(forward->stream);
	int rest = r == BROKEN ? BROKEN : publish_rest(forward);

	interrupt_stop(&forward->interrupt);
	if (rest == -EPIPE)
		return EXIT_DONE; /* as in "nflogctl forward --to - | head" */
	totals_print(&forward->totals, NULL, stderr);
	(void)fprintf(stderr, "-- %" PRIu64 " messages stored\n", forward->stored);
	if (rest != GOES_ON)
		return EXIT_ERROR;
	if (r == -ECANCELED)
		return EXIT_INTERRUPTED;
	return r < 0 ? complain_call(r, status->code, status->message) : EXIT_DONE;
}

static void forward_done(struct forward *forward)
{
	lanes_done(&forward->lanes);
	marks_done(&forward->marks);
	totals_done(&forward->totals);
	free(forward->noted);
}

/* Goes on with what an earlier run has left, or draws the name of a new stream. */
static int begin(struct forward *forward)
{
	const struct forward_options *options = forward->options;
	const struct lanes_options lanes = {
	    .subject = options->subject,
	    .host = options->host,
	    .publish = publish,
	    .render = options->is_json ? render : NULL,
	    .data = forward,
	};
	uint64_t id;
	int r;

	forward->output.server = forward->output.server_text = options->host;
	forward->output.server_key = "host";
	forward->output.render_flags = NFL_RENDER_UTC;
	if (options->place->token_len == 0) {
		if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
			return -errno;
		(void)snprintf(options->place->stream_id, sizeof(options->place->stream_id),
			       "%016" PRIx64, id);
	}
	r = lanes_init(&forward->lanes, &lanes, options->place);
	return r < 0 ? r : interrupt_start(&forward->interrupt, forward->stream, false);
}

int forward_run(const struct forward_options *options, struct nfl_client_stream *stream)
{
	CLEANUP(forward_done)
	struct forward forward = {.options = options, .stream = stream, .end = GOES_ON};
	int r = begin(&forward);

	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	do {
		r = step(&forward);
	} while (r == GOES_ON);
	return finish(&forward, r);
}
