/* SPDX-License-Identifier: MIT */
/*
 * For programs: one JSON object a line. A packet has no "type"; every other object has one, so that
 * select(.type == null) is the packets and nothing else is mistaken for one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "output.h"

#define JSON_SERVER_MAX 2048

static const char *server_key(const struct output *output)
{
	return output->server_key ? output->server_key : "server";
}

/* {"server":"fw1:7443" where there are several. Returns the length. */
static size_t put_server(const struct output *output, char *buf)
{
	size_t len, room, name;

	if (!output->server)
		return 0;
	len = (size_t)snprintf(buf, JSON_SERVER_MAX, "{\"%s\":\"", server_key(output));
	room = JSON_SERVER_MAX - len - 1;
	name = nfl_escape_json(buf + len, room, output->server_text, strlen(output->server_text));
	len += name < room ? name : strlen(buf + len); /* an address is far shorter */
	buf[len++] = '"';
	return len;
}

static void show_packet(struct output *output, const struct nfl_client_event *event)
{
	size_t cap = nfl_render_json_bound(event->packet, &event->render_source);
	char *line = out_reserve(&output->out, JSON_SERVER_MAX + cap);
	size_t head, len;

	if (!line)
		return;
	head = put_server(output, line);
	len = nfl_render_json(line + head, cap, event->packet, &event->render_source,
			      output->render_flags);
	if (head > 0)
		line[head] = ','; /* in place of the bracket: the object is begun */
	line[head + len] = '\n';  /* in place of the NUL */
	out_commit(&output->out, head + len + 1);
}

static const char *stage_name(enum nfl_client_loss_stage stage)
{
	switch (stage) {
	case NFL_CLIENT_LOSS_KERNEL_SOCKET:
		return "kernel_socket";
	case NFL_CLIENT_LOSS_DECODE:
		return "decode";
	case NFL_CLIENT_LOSS_HISTORY:
		return "history";
	case NFL_CLIENT_LOSS_RATE_LIMIT:
		return "rate_limit";
	}
	return "unknown";
}

static void put_loss(struct json *json, const void *data, uint32_t flags)
{
	const struct nfl_client_event *event = data;
	const struct nfl_client_loss *loss = event->loss;

	json_text(json, "type", "loss");
	if (event->source) {
		json_text(json, "netns", event->source->netns);
		json_number(json, "group", event->source->group);
	}
	if (loss->source_id != 0)
		json_number(json, "source_id", loss->source_id);
	json_text(json, "stage", stage_name(loss->stage));
	json_number(json, "count", loss->count);
	json_number(json, "total", loss->cumulative_count);
	if (loss->lower_bound)
		json_true(json, "lower_bound");
	json_time(json, "first_time", loss->first_time_ns, flags);
	json_time(json, "last_time", loss->last_time_ns, flags);
}

static void put_source(struct json *json, const void *data, uint32_t flags)
{
	json_text(json, "type", "source");
	json_source(json, data, flags);
}

static const char *resume_name(enum nfl_client_resume_status status)
{
	switch (status) {
	case NFL_CLIENT_RESUME_NONE:
		return "none";
	case NFL_CLIENT_RESUME_CONTINUED:
		return "continued";
	case NFL_CLIENT_RESUME_GAP:
		return "gap";
	case NFL_CLIENT_RESUME_EPOCH_CHANGED:
		return "epoch_changed";
	}
	return "unknown";
}

static void put_resumed(struct json *json, const void *data, uint32_t flags)
{
	const struct nfl_client_started *started = data;

	(void)flags;
	json_text(json, "type", "resumed");
	json_text(json, "status", resume_name(started->resume_status));
}

static void put_reconnecting(struct json *json, const void *data, uint32_t flags)
{
	const struct nfl_client_reconnecting *reconnecting = data;

	(void)flags;
	json_text(json, "type", "reconnecting");
	json_text(json, "code", nfl_client_code_name(reconnecting->why.code));
	json_text(json, "reason", reconnecting->why.message);
	json_number(json, "try", reconnecting->try_number);
	json_number(json, "pause_ms", reconnecting->pause_ms);
}

static void put_caught_up(struct json *json, const void *data, uint32_t flags)
{
	const struct nfl_client_event *event = data;

	(void)flags;
	json_text(json, "type", "caught_up");
	json_number(json, "packets_replayed", event->packets_replayed);
}

static void put_heartbeat(struct json *json, const void *data, uint32_t flags)
{
	const struct nfl_client_heartbeat *heartbeat = data;

	json_text(json, "type", "heartbeat");
	json_time(json, "time", heartbeat->time_ns, flags);
	json_number(json, "packets_sent", heartbeat->packets_sent);
	json_number(json, "packets_lost", heartbeat->packets_lost);
	json_number(json, "packets_filtered", heartbeat->packets_filtered);
	json_number(json, "lag_bytes", heartbeat->lag_bytes);
}

/* One object on a line; rare enough for a stream in memory, which takes texts of any length. */
static void show_object(struct output *output,
			void (*put)(struct json *json, const void *data, uint32_t flags),
			const void *data)
{
	CLEANUP(freep) char *text = NULL;
	size_t len = 0;
	struct json json = {.f = open_memstream(&text, &len)};

	if (!json.f) {
		output->out.error = -ENOMEM;
		return;
	}
	json_open(&json, NULL, '{');
	if (output->server)
		json_text(&json, server_key(output), output->server_text);
	put(&json, data, output->render_flags);
	json_close(&json, '}');
	(void)fputc('\n', json.f);
	if (fclose(json.f) == 0)
		out_append(&output->out, text, len, NULL, 0);
	else
		output->out.error = -ENOMEM;
}

/* Of the sources at the start only those that cannot deliver are told, as text output does. */
static void show_started(struct output *output, const struct nfl_client_started *started)
{
	if (output->begun || started->resume_status != NFL_CLIENT_RESUME_NONE)
		show_object(output, put_resumed, started);
	output->begun = true;
	for (size_t i = 0; i < started->source_count; i++)
		if (started->sources[i].state != NFL_CLIENT_SOURCE_LISTENING)
			show_object(output, put_source, &started->sources[i]);
}

static void show_json(struct output *output, const struct nfl_client_event *event)
{
	switch (event->type) {
	case NFL_CLIENT_PACKET:
		show_packet(output, event);
		break;
	case NFL_CLIENT_STARTED:
		show_started(output, event->started);
		break;
	case NFL_CLIENT_LOSS:
		show_object(output, put_loss, event);
		break;
	case NFL_CLIENT_SOURCE:
		show_object(output, put_source, event->source);
		break;
	case NFL_CLIENT_HEARTBEAT:
		if (output->heartbeats)
			show_object(output, put_heartbeat, event->heartbeat);
		break;
	case NFL_CLIENT_CAUGHT_UP:
		show_object(output, put_caught_up, event);
		break;
	case NFL_CLIENT_RECONNECTING:
		show_object(output, put_reconnecting, event->reconnecting);
		break;
	}
}

const struct output_format format_json = {.name = "json", .show = show_json};
