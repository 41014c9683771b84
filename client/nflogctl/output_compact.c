/* SPDX-License-Identifier: MIT */
/* For people: a line for each packet on standard output, everything else on standard error. */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "output.h"

/* A source as people name it, with a hostile namespace name made harmless. */
#define SOURCE_NAME_MAX 1100

static void show_packet(struct output *output, const struct nfl_client_event *event)
{
	char *line = out_reserve(&output->out, NFL_RENDER_MAX);
	size_t len;

	if (!line)
		return;
	len = nfl_render_compact(line, NFL_RENDER_MAX, event->packet, &event->render_source,
				 output->render_flags);
	if (len >= NFL_RENDER_MAX)
		len = NFL_RENDER_MAX - 1; /* cut */
	line[len] = '\n';
	out_commit(&output->out, len + 1);
}

static const char *source_name(char buf[SOURCE_NAME_MAX], const struct nfl_client_source *source)
{
	char netns[SOURCE_NAME_MAX - 8];

	(void)escape_line(netns, sizeof(netns), source->netns);
	(void)snprintf(buf, SOURCE_NAME_MAX, "%s/%u", netns, source->group);
	return buf;
}

static const char *stage_words(enum nfl_client_loss_stage stage)
{
	switch (stage) {
	case NFL_CLIENT_LOSS_KERNEL_SOCKET:
		return "in the kernel's socket buffer";
	case NFL_CLIENT_LOSS_DECODE:
		return "in malformed datagrams";
	case NFL_CLIENT_LOSS_HISTORY:
		return "because this reader is too slow";
	case NFL_CLIENT_LOSS_RATE_LIMIT:
		return "to a rate limit";
	}
	return "for a reason this version does not know";
}

static void show_loss(const struct nfl_client_event *event)
{
	const struct nfl_client_loss *loss = event->loss;
	char name[SOURCE_NAME_MAX] = "all sources";

	if (event->source)
		(void)source_name(name, event->source);
	else if (loss->source_id != 0)
		(void)snprintf(name, sizeof(name), "source %" PRIu32, loss->source_id);
	(void)fprintf(stderr, "-- lost %s%" PRIu64 " packet%s of %s %s (total %" PRIu64 ")\n",
		      loss->lower_bound ? "at least " : "", loss->count,
		      loss->count == 1 ? "" : "s", name, stage_words(loss->stage),
		      loss->cumulative_count);
}

static void show_source(const struct nfl_client_source *source)
{
	char name[SOURCE_NAME_MAX], detail[1024];

	(void)escape_line(detail, sizeof(detail), source->detail);
	(void)fprintf(stderr, "-- %s %s%s%s%s\n", source_name(name, source),
		      source->state == NFL_CLIENT_SOURCE_FAILED ? "" : "is ",
		      state_name(source->state), *detail ? ": " : "", detail);
}

/* A source that cannot deliver looks like a quiet one: say so. */
static void show_started(const struct nfl_client_started *started)
{
	if (started->source_count == 0)
		(void)fputs("-- no source yet\n", stderr);
	for (size_t i = 0; i < started->source_count; i++)
		if (started->sources[i].state != NFL_CLIENT_SOURCE_LISTENING)
			show_source(&started->sources[i]);
}

static void show_heartbeat(const struct nfl_client_heartbeat *heartbeat)
{
	(void)fprintf(stderr, "-- alive: sent %" PRIu64 ", lost %" PRIu64 "\n",
		      heartbeat->packets_sent, heartbeat->packets_lost);
}

void output_compact(struct output *output, const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_PACKET) {
		show_packet(output, event);
		return;
	}
	(void)out_flush(&output->out); /* both go to one terminal: keep the order */
	switch (event->type) {
	case NFL_CLIENT_STARTED:
		show_started(event->started);
		break;
	case NFL_CLIENT_LOSS:
		show_loss(event);
		break;
	case NFL_CLIENT_SOURCE:
		show_source(event->source);
		break;
	case NFL_CLIENT_HEARTBEAT:
		if (output->heartbeats)
			show_heartbeat(event->heartbeat);
		break;
	case NFL_CLIENT_PACKET:
	case NFL_CLIENT_CAUGHT_UP:
	case NFL_CLIENT_RECONNECTING:
		break;
	}
}
