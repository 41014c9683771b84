/* SPDX-License-Identifier: MIT */
/* The loop of nflogctl subscribe with several servers: session.c is that with one. */
#include "sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfl/render.h>

#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "interrupt.h"
#include "merge.h"

#define TICK_MS        50 /* how often quiet streams are looked after; interrupt.c waits longer */
#define STORE_EVERY_NS NS_PER_S
#define UNTIL_GRACE_NS NS_PER_S /* for packets on their way, and the servers' clocks */
#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS  10000
#define GOES_ON        (-1) /* beside exit codes */

struct sessions {
	const struct sessions_options *options;
	struct session_member *members;
	size_t count;
	struct merge *merge;
	struct output output;
	struct interrupt interrupt;
	uint64_t packets; /* of all */
	int64_t store_ns; /* monotonic: when the places may be stored again */
	int store_error;  /* -errno of the write of a resume file that failed */
	const char *store_path;
};

void session_member_done(struct session_member *member)
{
	nfl_client_stream_free(member->stream);
	nfl_client_free(member->client);
	resume_file_done(&member->resume);
	totals_done(&member->totals);
	free(member->name);
	free(member->place);
}

/* --- places in the streams --------------------------------------------------------------- */

/* A response was shown as a whole: the stream's place is behind it, until it is read on. */
static void note_place(struct sessions *sessions, struct session_member *member)
{
	const void *token;
	size_t len;
	void *copy;

	if (!member->resume.path)
		return;
	len = nfl_client_resume_token(member->stream, &token);
	if (len == 0)
		return;
	copy = realloc(member->place, len);
	if (!copy) {
		sessions->store_error = -ENOMEM;
		sessions->store_path = member->resume.path;
		return;
	}
	memcpy(copy, token, len);
	member->place = copy;
	member->place_len = len;
}

static void store_places(struct sessions *sessions)
{
	static const struct out_place nowhere; /* standard output has no place */
	struct out *out = &sessions->output.out;

	if (sessions->store_error || out_flush(out) < 0)
		return;
	/* A power cut must not leave a place without the packets; what is no file cannot. */
	(void)fdatasync(out->fd);
	for (size_t i = 0; i < sessions->count && !sessions->store_error; i++) {
		struct session_member *member = &sessions->members[i];

		if (!member->place)
			continue;
		sessions->store_error =
		    resume_file_write(&member->resume, member->place, member->place_len, &nowhere);
		sessions->store_path = member->resume.path;
	}
	sessions->store_ns = monotonic_ns() + STORE_EVERY_NS;
}

static void store_places_in_time(struct sessions *sessions)
{
	if (sessions->members[0].resume.path && monotonic_ns() >= sessions->store_ns)
		store_places(sessions);
}

/* --- servers ----------------------------------------------------------------------------- */

/* Begins the stream of a member. 0 or -errno. */
static int begin_member(struct sessions *sessions, struct session_member *member)
{
	int r;

	nfl_client_stream_free(member->stream);
	member->stream = NULL;
	member->retry_ns = 0;
	r = nfl_client_subscribe(member->client, &member->request, &member->stream);
	if (r == 0)
		merge_set(sessions->merge, (size_t)(member - sessions->members), member->stream,
			  member->request.start != NFL_CLIENT_START_LIVE);
	return r;
}

static void end_member(struct session_member *member, int exit_code)
{
	member->over = true;
	member->exit_code = exit_code;
}

/* A server that could not be reached in the first place, and may be there later. */
static bool try_later(const struct sessions *sessions, struct session_member *member,
		      const struct nfl_client_status *status)
{
	uint32_t pause_ms = (uint32_t)RETRY_FIRST_MS << (member->tries < 4 ? member->tries : 4);
	char why[1024];

	if (member->begun || !sessions->options->reconnects ||
	    status->code != NFL_CLIENT_UNAVAILABLE)
		return false;
	pause_ms = pause_ms < RETRY_LAST_MS ? pause_ms : RETRY_LAST_MS;
	member->tries++;
	member->retry_ns = monotonic_ns() + pause_ms * NS_PER_MS;
	(void)nfl_escape_line(why, sizeof(why), status->message, strlen(status->message));
	(void)fprintf(stderr, "-- %s: no connection (%s), trying again in %.1f s\n", member->name,
		      why, pause_ms / 1000.0);
	return true;
}

static void take_end(struct sessions *sessions, size_t at)
{
	struct session_member *member = &sessions->members[at];
	const struct nfl_client_status *status = nfl_client_status(member->stream);
	int r = merge_result(sessions->merge, at);

	(void)out_flush(&sessions->output.out); /* both go to one terminal: keep the order */
	if (r == 0 || r == -ECANCELED) {
		end_member(member, EXIT_DONE);
		return;
	}
	if (r == -EREMOTEIO && try_later(sessions, member, status))
		return;
	complain("%s: the stream has ended", member->server);
	end_member(member, complain_call(r, status->code, status->message));
}

/* Begins the streams whose pause is over. False where nothing is left to wait for. */
static bool begin_again(struct sessions *sessions)
{
	bool left = false;

	for (size_t i = 0; i < sessions->count; i++) {
		struct session_member *member = &sessions->members[i];
		int r;

		/* While no other one was ever reached, this is an error as that of a single one. */
		left |= !member->over && (member->begun || !member->retry_ns);
		if (!member->retry_ns || monotonic_ns() < member->retry_ns)
			continue;
		r = begin_member(sessions, member);
		if (r < 0) {
			complain("%s: %s", member->server, strerror(-r));
			end_member(member, EXIT_ERROR);
		}
	}
	return left;
}

/* --- events ------------------------------------------------------------------------------ */

static void show_event(struct sessions *sessions, struct session_member *member,
		       const struct nfl_client_event *event)
{
	struct output *output = &sessions->output;

	output->server = member->name;
	output->server_text = member->server;
	output->begun = member->begun;
	output->format->show(output, event);
	member->begun = output->begun || event->type == NFL_CLIENT_STARTED;
	totals_take(&member->totals, event);
	sessions->packets += event->type == NFL_CLIENT_PACKET;
	member->in_response = !event->ends_response;
	if (event->ends_response)
		note_place(sessions, member);
}

/* Shows what is left of the responses that were begun, so that no place repeats a packet. */
static void finish_responses(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++) {
		struct session_member *member = &sessions->members[i];
		struct nfl_client_event event;

		while (member->resume.path && member->in_response &&
		       merge_rest(sessions->merge, i, &event) == 1)
			show_event(sessions, member, &event);
	}
}

/* Nothing comes at the moment. GOES_ON or an exit code. */
static int take_silence(struct sessions *sessions)
{
	int64_t until_ns = sessions->options->until_ns;

	(void)out_flush(&sessions->output.out);
	if (interrupt_over(&sessions->interrupt))
		return EXIT_INTERRUPTED;
	/* A server ends its stream with the next packet, which may never come. */
	return until_ns && realtime_ns() > until_ns + UNTIL_GRACE_NS ? EXIT_DONE : GOES_ON;
}

static int take_event(struct sessions *sessions, size_t at, const struct nfl_client_event *event)
{
	const struct sessions_options *options = sessions->options;
	struct session_member *member = &sessions->members[at];
	bool late = interrupt_passed(&sessions->interrupt,
				     event->packet ? event->packet->record.receive_time_ns : 0);

	if (late && !member->in_response) { /* this one has caught up with the signal */
		merge_drop(sessions->merge, at);
		end_member(member, EXIT_INTERRUPTED);
		return GOES_ON;
	}
	show_event(sessions, member, event);
	if (interrupt_over(&sessions->interrupt))
		return EXIT_INTERRUPTED;
	if (options->count && sessions->packets >= options->count)
		return EXIT_DONE;
	return options->exit_on_loss && totals_have_loss(&member->totals) ? EXIT_LOSS : GOES_ON;
}

static int step(struct sessions *sessions)
{
	struct nfl_client_event event;
	int r, end = GOES_ON;
	size_t at = 0;

	if (interrupt_seen(&sessions->interrupt))
		merge_hurry(sessions->merge);
	r = merge_next(sessions->merge, sessions->output.out.used ? 0 : TICK_MS, &at, &event);
	if (r == 1)
		end = take_event(sessions, at, &event);
	else if (r == MERGE_ENDED)
		take_end(sessions, at);
	else
		end = take_silence(sessions);
	store_places_in_time(sessions);
	if (sessions->output.out.error || sessions->store_error)
		return EXIT_ERROR;
	if (end == GOES_ON && r != 1 && !begin_again(sessions))
		return EXIT_DONE; /* the members know why */
	return end;
}

/* --- the end ----------------------------------------------------------------------------- */

static int member_exit_code(const struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++) {
		const struct session_member *member = &sessions->members[i];

		if (member->retry_ns)
			return EXIT_UNAVAILABLE;
		if (member->exit_code != EXIT_DONE)
			return member->exit_code;
	}
	return EXIT_DONE;
}

static bool have_loss(const struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++)
		if (totals_have_loss(&sessions->members[i].totals))
			return true;
	return false;
}

static int finish(const struct sessions *sessions, int r)
{
	int error = sessions->output.out.error;

	if (error == -EPIPE)
		return EXIT_DONE; /* as in "nflogctl subscribe | head" */
	for (size_t i = 0; i < sessions->count; i++)
		totals_print(&sessions->members[i].totals, sessions->members[i].name, stderr);
	if (error) {
		complain("cannot write to standard output: %s", strerror(-error));
		return EXIT_ERROR;
	}
	if (sessions->store_error) {
		complain("cannot write the resume file %s: %s", sessions->store_path,
			 resume_file_error(sessions->store_error));
		return EXIT_ERROR;
	}
	if (sessions->options->exit_on_loss && have_loss(sessions))
		return EXIT_LOSS;
	return r == EXIT_DONE ? member_exit_code(sessions) : r;
}

static void sessions_done(struct sessions *sessions)
{
	merge_free(sessions->merge);
	output_done(&sessions->output);
}

/* What a terminal may see of an address. */
static int name_member(struct session_member *member)
{
	size_t len = strlen(member->server);
	size_t size = nfl_escape_line(NULL, 0, member->server, len) + 1;

	member->name = malloc(size);
	if (!member->name)
		return -ENOMEM;
	(void)nfl_escape_line(member->name, size, member->server, len);
	return 0;
}

static int begin(struct sessions *sessions)
{
	const struct output_format *format = sessions->output.format;
	int r = out_init(&sessions->output.out, STDOUT_FILENO);

	if (r == 0)
		r = merge_new(sessions->count, sessions->options->window_ns, &sessions->merge);
	for (size_t i = 0; i < sessions->count && r == 0; i++) {
		r = name_member(&sessions->members[i]);
		if (r == 0)
			r = begin_member(sessions, &sessions->members[i]);
	}
	if (r == 0 && format->begin)
		format->begin(&sessions->output);
	return r == 0 ? interrupt_start(&sessions->interrupt, NULL, false) : r;
}

int sessions_run(const struct sessions_options *options, struct session_member *members,
		 size_t count)
{
	CLEANUP(sessions_done)
	struct sessions sessions = {
	    .options = options, .members = members, .count = count, .output = options->output};
	int r = begin(&sessions);

	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	do {
		r = step(&sessions);
	} while (r == GOES_ON);
	finish_responses(&sessions);
	(void)out_flush(&sessions.output.out);
	if (members[0].resume.path)
		store_places(&sessions);
	interrupt_stop(&sessions.interrupt);
	return finish(&sessions, r);
}
