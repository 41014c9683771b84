/* SPDX-License-Identifier: MIT */
/* For people: a line for each packet; with the packet's bytes below it where they are wanted. */
#include "output.h"

#include <string.h>

static size_t put_line(struct output *output, char *at, const struct nfl_client_event *event)
{
	size_t head = output_put_server(output, at);
	size_t used = head + stamp_put(&output->stamp, at + head, event->packet);
	size_t len = nfl_render_compact(at + used, NFL_RENDER_MAX, event->packet,
					&event->render_source, output->render_flags);

	used += len < NFL_RENDER_MAX ? len : strlen(at + used); /* cut */
	at[used] = '\n';
	return used + 1;
}

static void show_compact(struct output *output, const struct nfl_client_event *event)
{
	char *at;

	if (event->type != NFL_CLIENT_PACKET) {
		note_event(output, event);
		return;
	}
	at = out_reserve(&output->out, OUTPUT_SERVER_MAX + STAMP_BYTES + NFL_RENDER_MAX);
	if (at)
		out_commit(&output->out, put_line(output, at, event));
}

static void show_hex(struct output *output, const struct nfl_client_event *event)
{
	const struct nfl_record *r;
	size_t len, bound, payload;
	char *at;

	if (event->type != NFL_CLIENT_PACKET) {
		note_event(output, event);
		return;
	}
	r = &event->packet->record;
	payload = r->present & NFL_HAS_PAYLOAD ? r->payload.len : 0;
	bound = nfl_render_hex_bound(payload);
	at = out_reserve(&output->out, OUTPUT_SERVER_MAX + STAMP_BYTES + NFL_RENDER_MAX + bound);
	if (!at)
		return;
	len = put_line(output, at, event);
	if (payload) {
		len += nfl_render_hex(at + len, bound, r->payload.data, payload);
		at[len++] = '\n'; /* in place of the NUL */
	}
	out_commit(&output->out, len);
}

const struct output_format format_compact = {
    .name = "compact",
    .show = show_compact,
    .is_lines = true,
};

const struct output_format format_hex = {
    .name = "hex",
    .show = show_hex,
    .is_lines = true,
    .needs_payload = true,
    .view = NFL_CLIENT_VIEW_FULL,
};
