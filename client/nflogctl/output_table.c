/* SPDX-License-Identifier: MIT */
/* For people: packets as rows below one head. */
#include "output.h"

#include <string.h>

/* @len: of the row, as the renderer returned it */
static void end_row(struct output *output, char *at, size_t used, size_t len)
{
	used += len < NFL_RENDER_MAX ? len : strlen(at + used); /* cut */
	at[used] = '\n';
	out_commit(&output->out, used + 1);
}

static void begin_table(struct output *output)
{
	char *at = out_reserve(&output->out, OUTPUT_SERVER_MAX + STAMP_BYTES + NFL_RENDER_MAX);
	size_t used;

	if (!at)
		return;
	used = stamp_head(&output->stamp, at);
	end_row(
	    output, at, used,
	    nfl_render_table_head(at + used, NFL_RENDER_MAX, &output->table, output->render_flags));
}

static void show_table(struct output *output, const struct nfl_client_event *event)
{
	char *at;
	size_t used;

	if (event->type != NFL_CLIENT_PACKET) {
		note_event(output, event);
		return;
	}
	at = out_reserve(&output->out, OUTPUT_SERVER_MAX + STAMP_BYTES + NFL_RENDER_MAX);
	if (!at)
		return;
	used = output_put_server(output, at);
	used += stamp_put(&output->stamp, at + used, event->packet);
	end_row(output, at, used,
		nfl_render_table_row(at + used, NFL_RENDER_MAX, &output->table, event->packet,
				     &event->render_source, output->render_flags));
}

const struct output_format format_table = {
    .name = "table",
    .show = show_table,
    .begin = begin_table,
    .is_lines = true,
};
