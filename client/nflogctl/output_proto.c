/* SPDX-License-Identifier: MIT */
/*
 * The contract itself: each record is one nflog.v1.SubscribeResponse, a packet a batch of one. raw has its
 * bytes behind their length, protojson has it as JSON on a line.
 */
#include "output.h"
#include "wire.h"

static void put_response(struct output *output, struct nfl_bytes message)
{
	uint8_t head[WIRE_SINGLE_HEADER_MAX];

	out_append(&output->out, head, wire_delimiter(head, message.len), message.data,
		   message.len);
}

static void put_json(struct output *output, struct nfl_bytes message, uint32_t flags)
{
	const char *text;
	size_t len;
	int r = output->json ? 0 : nfl_client_json_new(&output->json);

	if (output->render_flags & NFL_RENDER_NUMERIC)
		flags |= NFL_CLIENT_JSON_NUMERIC;
	if (r == 0)
		r = nfl_client_json_render(output->json, message, flags, &text, &len);
	if (r < 0)
		output->out.error = r;
	else
		out_append(&output->out, text, len, NULL, 0);
}

/* Events that are shown. Told on standard error as well: a lost connection, which has no message. */
static bool is_shown(struct output *output, const struct nfl_client_event *event)
{
	int r = dictionary_take(&output->dictionary, event);

	if (r < 0)
		output->out.error = r;
	if (event->type == NFL_CLIENT_RECONNECTING)
		note_event(output, event);
	if (event->type == NFL_CLIENT_HEARTBEAT && !output->heartbeats)
		return false;
	return event->message.len > 0;
}

static void show_raw(struct output *output, const struct nfl_client_event *event)
{
	uint8_t head[WIRE_SINGLE_HEADER_MAX];

	if (event->type == NFL_CLIENT_PACKET)
		out_append(&output->out, head, wire_single_header(head, event->message.len),
			   event->message.data, event->message.len);
	else if (is_shown(output, event))
		put_response(output, event->message);
}

static void begin_raw(struct output *output)
{
	for (size_t i = 0; i < output->dictionary.count; i++)
		put_response(output, dictionary_get(&output->dictionary, i));
}

static void show_protojson(struct output *output, const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_PACKET)
		put_json(output, event->message, NFL_CLIENT_JSON_PACKET);
	else if (is_shown(output, event))
		put_json(output, event->message, 0);
}

static void begin_protojson(struct output *output)
{
	for (size_t i = 0; i < output->dictionary.count; i++)
		put_json(output, dictionary_get(&output->dictionary, i), 0);
}

const struct output_format format_raw = {
    .name = "raw",
    .show = show_raw,
    .begin = begin_raw,
    .is_binary = true,
};

const struct output_format format_protojson = {
    .name = "protojson",
    .show = show_protojson,
    .begin = begin_protojson,
};
