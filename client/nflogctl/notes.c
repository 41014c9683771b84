/* SPDX-License-Identifier: MIT */
/* What happens beside packets, for people: lines on standard error that begin with two dashes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nfl/render.h>

#include "output.h"

/* Two dashes, and of several servers which. */
static void begin_note(const struct output *output)
{
	(void)fprintf(stderr, "-- %s%s", output->server ? output->server : "",
		      output->server ? ": " : "");
}

/* A source as people name it, with a hostile namespace name made harmless. */
#define SOURCE_NAME_MAX 1100
#define DETAIL_MAX      2048

static const char *source_name(char buf[SOURCE_NAME_MAX], const struct nfl_client_source *source)
{
	char netns[SOURCE_NAME_MAX - 8];

	(void)nfl_escape_line(netns, sizeof(netns), source->netns, strlen(source->netns));
	(void)snprintf(buf, SOURCE_NAME_MAX, "%s/%u", netns, source->group);
	return buf;
}

const char *stage_words(enum nfl_client_loss_stage stage)
{
	switch (stage) {
	case NFL_CLIENT_LOSS_KERNEL_SOCKET:
		return "in the kernel's socket buffer";
	case NFL_CLIENT_LOSS_DECODE:
		return "in malformed datagrams";
	case NFL_CLIENT_LOSS_HISTORY:
		return "overwritten in the history before they were read";
	case NFL_CLIENT_LOSS_RATE_LIMIT:
		return "to a rate limit";
	}
	return "for a reason this version does not know";
}

static void show_loss(const struct output *output, const struct nfl_client_event *event)
{
	const struct nfl_client_loss *loss = event->loss;
	char name[SOURCE_NAME_MAX] = "all sources", count[32] = "some";

	if (event->source)
		(void)source_name(name, event->source);
	else if (loss->source_id != 0)
		(void)snprintf(name, sizeof(name), "source %" PRIu32, loss->source_id);
	if (loss->count > 0) /* else how many cannot be known */
		(void)snprintf(count, sizeof(count), "%s%" PRIu64,
			       loss->lower_bound ? "at least " : "", loss->count);
	begin_note(output);
	(void)fprintf(stderr, "lost %s packet%s of %s %s (total %" PRIu64 ")\n", count,
		      loss->count == 1 ? "" : "s", name, stage_words(loss->stage),
		      loss->cumulative_count);
}

static void show_source(const struct output *output, const struct nfl_client_source *source)
{
	char netns[SOURCE_NAME_MAX], detail[DETAIL_MAX];

	(void)nfl_escape_line(netns, sizeof(netns), source->netns, strlen(source->netns));
	(void)nfl_escape_line(detail, sizeof(detail), source->detail, strlen(source->detail));
	begin_note(output);
	(void)fprintf(stderr, "netns %s group %u: %s%s%s%s\n", netns, source->group,
		      state_name(source->state), *detail ? " (" : "", detail, *detail ? ")" : "");
}

/* NULL: not worth a line. */
static const char *resume_words(const struct output *output, enum nfl_client_resume_status status)
{
	switch (status) {
	case NFL_CLIENT_RESUME_NONE:
		break;
	case NFL_CLIENT_RESUME_CONTINUED:
		return "resumed";
	case NFL_CLIENT_RESUME_GAP:
		return "resumed with a gap: losses below";
	case NFL_CLIENT_RESUME_EPOCH_CHANGED:
		return "server was restarted: what was lost meanwhile cannot be counted";
	}
	return output->begun ? "connected again: what was lost meanwhile cannot be counted" : NULL;
}

/* A source that cannot deliver looks like a quiet one: say so. */
static void show_started(struct output *output, const struct nfl_client_started *started)
{
	const char *words = resume_words(output, started->resume_status);

	if (words) {
		begin_note(output);
		(void)fprintf(stderr, "%s\n", words);
	}
	output->begun = true;
	if (started->source_count == 0) {
		begin_note(output);
		(void)fputs("no source yet\n", stderr);
	}
	for (size_t i = 0; i < started->source_count; i++)
		if (started->sources[i].state != NFL_CLIENT_SOURCE_LISTENING)
			show_source(output, &started->sources[i]);
}

static void show_reconnecting(const struct output *output,
			      const struct nfl_client_reconnecting *reconnecting)
{
	const char *why = *reconnecting->why.message ? reconnecting->why.message
						     : nfl_client_code_name(reconnecting->why.code);
	char reason[DETAIL_MAX];

	(void)nfl_escape_line(reason, sizeof(reason), why, strlen(why));
	begin_note(output);
	(void)fprintf(stderr, "%s (%s), trying again in %.1f s\n",
		      reconnecting->try_number > 1 ? "still no connection" : "connection lost",
		      reason, reconnecting->pause_ms / 1000.0);
}

static void show_heartbeat(const struct output *output,
			   const struct nfl_client_heartbeat *heartbeat)
{
	begin_note(output);
	(void)fprintf(stderr, "alive: sent %" PRIu64 ", lost %" PRIu64 "\n",
		      heartbeat->packets_sent, heartbeat->packets_lost);
}

void note_event(struct output *output, const struct nfl_client_event *event)
{
	(void)out_flush(&output->out); /* both go to one terminal: keep the order */
	switch (event->type) {
	case NFL_CLIENT_STARTED:
		show_started(output, event->started);
		break;
	case NFL_CLIENT_LOSS:
		show_loss(output, event);
		break;
	case NFL_CLIENT_SOURCE:
		show_source(output, event->source);
		break;
	case NFL_CLIENT_HEARTBEAT:
		if (output->heartbeats)
			show_heartbeat(output, event->heartbeat);
		break;
	case NFL_CLIENT_CAUGHT_UP:
		begin_note(output);
		(void)fprintf(stderr, "caught up after %" PRIu64 " packet%s\n",
			      event->packets_replayed, event->packets_replayed == 1 ? "" : "s");
		break;
	case NFL_CLIENT_RECONNECTING:
		show_reconnecting(output, event->reconnecting);
		break;
	case NFL_CLIENT_PACKET:
		break;
	}
}
