/* SPDX-License-Identifier: MIT */
/*
 * The loop of nflogctl subscribe. In come the events of the library; out go lines on standard
 * output, the resume file, and in the end the summary and an exit code.
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "interrupt.h"
#include "totals.h"

#define TICK_MS        100 /* how often a quiet stream is looked after */
#define STORE_EVERY_NS NS_PER_S
#define UNTIL_GRACE_NS NS_PER_S /* for packets on their way, and the server's clock */
#define GOES_ON        2        /* beside what nfl_client_next() returns */

struct session {
	const struct session_options *options;
	struct nfl_client_stream *stream;
	struct output output;
	struct out_file file;
	struct totals totals;
	struct interrupt interrupt;
	int64_t store_ns; /* monotonic: when the place may be stored again */
	int store_error;  /* -errno of the write of the resume file that failed */
	int end;          /* GOES_ON, or how it ends with the response at hand */
	uint64_t bytes;   /* of output behind the last response that was shown as a whole */
};

/* --- the place in the stream ------------------------------------------------------------- */

/* Stores the place behind what was shown; without a resume file it has nothing to do. */
static void store_place(struct session *session)
{
	struct out *out = &session->output.out;
	const struct out_place place = {
	    .device = session->file.device,
	    .inode = session->file.inode,
	    .bytes = session->file.inode ? session->bytes : 0,
	};
	const void *token;
	size_t len;

	if (!session->options->resume || session->store_error || out_flush(out) < 0)
		return;
	/* A power cut must not leave the place without the packets; what is no file cannot. */
	(void)fdatasync(out->fd);
	len = nfl_client_resume_token(session->stream, &token);
	session->store_error = resume_file_write(session->options->resume, token, len, &place);
	session->store_ns = monotonic_ns() + STORE_EVERY_NS;
}

/* The place that an earlier run has left is in another file: a kill before the stream begins must not
 * leave it there, with something in this one. What this one has by then is cut off. */
static void move_place(struct session *session)
{
	struct resume_file *resume = session->options->resume;
	const struct out_place place = {
	    .device = session->file.device,
	    .inode = session->file.inode,
	    .bytes = session->output.out.written,
	};

	if (resume && place.inode)
		session->store_error =
		    resume_file_write(resume, resume->token, resume->len, &place);
}

static void store_place_in_time(struct session *session)
{
	if (session->options->resume && monotonic_ns() >= session->store_ns)
		store_place(session);
}

static void begin_output(struct session *session)
{
	const struct output_format *format = session->output.format;

	if (format->begin)
		format->begin(&session->output);
	session->bytes = out_bytes(&session->output.out);
}

/* The place comes first: at most one file is newer than the one that the place is in. */
static void rotate_in_time(struct session *session)
{
	struct output *output = &session->output;

	if (!out_file_is_full(&session->file, &output->out))
		return;
	store_place(session);
	if (output->out.error || session->store_error)
		return;
	if (out_file_rotate(&session->file, &output->out) == 0)
		begin_output(session);
}

/* All events of a response have been shown: the stream's place is behind them. */
static void response_shown(struct session *session)
{
	session->bytes = out_bytes(&session->output.out);
	store_place_in_time(session);
}

/* --- events ------------------------------------------------------------------------------ */

static int wait_ms(const struct session *session)
{
	/* Write when there is nothing else to do: large writes under load. */
	if (session->end != GOES_ON || session->output.out.used)
		return 0;
	return session->options->resume || session->options->until_ns ? TICK_MS : -1;
}

/* Nothing comes at the moment. */
static int take_silence(struct session *session)
{
	int64_t until_ns = session->options->until_ns;

	(void)out_flush(&session->output.out);
	response_shown(session);
	if (session->output.out.error || session->store_error)
		return 1;
	if (interrupt_over(&session->interrupt))
		return -ECANCELED;
	/* A server ends the stream with the next packet, which may never come. */
	return until_ns && realtime_ns() > until_ns + UNTIL_GRACE_NS ? 0 : GOES_ON;
}

/* Counts and shows an event, and says whether the session goes on. */
static int take_event(struct session *session, const struct nfl_client_event *event, bool late)
{
	const struct session_options *options = session->options;

	session->output.format->show(&session->output, event);
	totals_take(&session->totals, event);
	if (late || interrupt_over(&session->interrupt))
		return -ECANCELED;
	if (options->count && session->totals.packets >= options->count)
		return 1;
	return options->exit_on_loss && totals_have_loss(&session->totals) ? 1 : GOES_ON;
}

/* GOES_ON, or how the session has ended: as nfl_client_next(), 1 for an end from this side. */
static int step(struct session *session)
{
	struct nfl_client_event event;
	bool late;
	int r;

	r = nfl_client_next(session->stream, wait_ms(session), &event);
	if (r != 1 && session->end != GOES_ON)
		return session->end; /* the rest of a response is always at hand: there is none */
	if (r != 1)
		return r == -ETIMEDOUT ? take_silence(session) : r;
	late = interrupt_passed(&session->interrupt,
				event.packet ? event.packet->record.receive_time_ns : 0);
	if (late && !session->options->resume)
		return -ECANCELED;
	r = take_event(session, &event, late);
	if (event.ends_response)
		response_shown(session);
	if (event.ends_response || !session->options->resume)
		rotate_in_time(session);
	if (session->output.out.error || session->store_error)
		return 1;
	if (session->end == GOES_ON)
		session->end = r;
	if (session->options->resume && !event.ends_response)
		return GOES_ON;
	return session->end;
}

static int read_stream(struct session *session)
{
	int r;

	do {
		r = step(session);
	} while (r == GOES_ON);
	return r;
}

/* --- the end ----------------------------------------------------------------------------- */

static int complain_end(const struct session *session, int r)
{
	const struct nfl_client_status *status = nfl_client_status(session->stream);

	if (r == -EREMOTEIO && status->code == NFL_CLIENT_OUT_OF_RANGE &&
	    session->options->strict_resume)
		complain("--strict-resume: packets were lost, the server no longer has what "
			 "follows the place to resume at");
	return complain_call(r, status->code, status->message);
}

static const char *output_name(const struct session *session)
{
	return session->file.path ? session->file.path : "standard output";
}

static int finish(const struct session *session, int r)
{
	int error = session->output.out.error;

	if (error == -EPIPE)
		return EXIT_DONE; /* as in "nflogctl subscribe | head" */
	totals_print(&session->totals, NULL, stderr);
	if (error) {
		complain("cannot write to %s: %s", output_name(session), strerror(-error));
		return EXIT_ERROR;
	}
	if (session->store_error) {
		complain("cannot write the resume file %s: %s", session->options->resume->path,
			 resume_file_error(session->store_error));
		return EXIT_ERROR;
	}
	if (session->options->exit_on_loss && totals_have_loss(&session->totals))
		return EXIT_LOSS;
	if (r == -ECANCELED)
		return EXIT_INTERRUPTED;
	return r < 0 ? complain_end(session, r) : EXIT_DONE;
}

static void session_done(struct session *session)
{
	output_done(&session->output);
	out_file_close(&session->file);
	totals_done(&session->totals);
}

static int open_output(struct session *session)
{
	const struct resume_file *resume = session->options->resume;
	int r = out_file_open(&session->file, resume ? &resume->place : NULL, &session->output.out);

	if (r < 0) {
		complain("cannot write to %s: %s", output_name(session), out_file_error(r));
		return EXIT_ERROR;
	}
	move_place(session);
	begin_output(session);
	return EXIT_DONE;
}

int session_run(const struct session_options *options, struct nfl_client_stream *stream)
{
	CLEANUP(session_done)
	struct session session = {
	    .options = options,
	    .stream = stream,
	    .output = options->output,
	    .file = options->file,
	    .end = GOES_ON,
	};
	int r = open_output(&session);

	if (r != EXIT_DONE)
		return r;
	r = interrupt_start(&session.interrupt, stream, options->resume == NULL);
	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	r = read_stream(&session);
	(void)out_flush(&session.output.out);
	store_place(&session);
	interrupt_stop(&session.interrupt);
	return finish(&session, r);
}
