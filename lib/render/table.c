/* SPDX-License-Identifier: MIT */
/*
 * Packets as rows of a table. A stream has no end, so nobody knows how wide a column must be: each has
 * a width to begin with, and keeps that of the widest cell that it has had, up to a limit.
 */
#include <nfl/render.h>

#include "bytes.h"
#include "color.h"
#include "parts.h"
#include "words.h"
#include "writer.h"

#define WIDTH_MAX 47 /* of an IPv6 address and a port; one cell must not push all others away */

struct row {
	struct text *text;
	const struct nfl_packet *packet;
	const struct nfl_render_source *source;
	uint32_t flags;
};

static void cell_time(const struct row *row)
{
	text_clock(row->text, packet_time(&row->packet->record), row->flags);
}

static void cell_netns(const struct row *row)
{
	if (row->source && row->source->netns)
		text_escaped(row->text, row->source->netns, strlen(row->source->netns));
}

static void cell_group(const struct row *row)
{
	text_number(row->text, row->source ? row->source->group : row->packet->record.group);
}

static void cell_hook(const struct row *row)
{
	words_hook(row->text, &row->packet->record, row->flags);
}

static void cell_in(const struct row *row)
{
	words_device(row->text, row->packet, true, row->flags);
}

static void cell_out(const struct row *row)
{
	words_device(row->text, row->packet, false, row->flags);
}

static void cell_from(const struct row *row)
{
	if (row->packet->decoded.present & NFL_HAS_ADDRESSES)
		words_endpoint(row->text, &row->packet->decoded, true);
}

static void cell_to(const struct row *row)
{
	if (row->packet->decoded.present & NFL_HAS_ADDRESSES)
		words_endpoint(row->text, &row->packet->decoded, false);
}

static void cell_what(const struct row *row)
{
	const struct nfl_decoded *d = &row->packet->decoded;

	if (d->present & NFL_HAS_PROTOCOL) {
		words_protocol(row->text, d, row->flags);
		return;
	}
	words_kind(row->text, &row->packet->record, d);
	if (d->present & NFL_HAS_ARP)
		text_string(row->text, d->arp_operation == 1   ? " request"
				       : d->arp_operation == 2 ? " reply"
							       : "");
}

static void cell_length(const struct row *row)
{
	if (packet_length(row->packet))
		text_number(row->text, packet_length(row->packet));
}

static void cell_prefix(const struct row *row)
{
	if (has_prefix(&row->packet->record))
		words_prefix(row->text, row->packet);
}

static const struct column {
	const char *head;
	const char *color; /* NULL: none */
	uint8_t width;     /* to begin with; 0: the last one, never padded */
	void (*put)(const struct row *row);
} columns[] = {
    {"TIME", COLOR_DIM, 15, cell_time},
    {"NETNS", COLOR_SOURCE, 8, cell_netns},
    {"GROUP", COLOR_SOURCE, 5, cell_group},
    {"HOOK", NULL, 7, cell_hook},
    {"IN", NULL, 8, cell_in},
    {"OUT", NULL, 8, cell_out},
    {"FROM", NULL, 19, cell_from},
    {"TO", NULL, 19, cell_to},
    {"WHAT", NULL, 7, cell_what},
    {"LEN", NULL, 5, cell_length},
    {"PREFIX", COLOR_PREFIX, 0, cell_prefix},
};

_Static_assert(ARRAY_SIZE(columns) == NFL_RENDER_COLUMNS, "a width for each column");

/* Characters on a screen, as far as a byte tells: a character of UTF-8 is one. */
static size_t count_columns(const struct text *t, size_t start)
{
	size_t count = 0;

	for (size_t i = start; i < t->len && i + 1 < t->cap; i++)
		count += ((unsigned char)t->buf[i] & 0xc0) != 0x80;
	return count;
}

static size_t time_width(uint32_t flags)
{
	if (flags & NFL_RENDER_RFC3339)
		return flags & NFL_RENDER_UTC ? 30 : 35;
	if (flags & NFL_RENDER_EPOCH)
		return 17;
	return flags & NFL_RENDER_DATE ? 26 : 15;
}

/* Before anything stands in them. */
static void begin_widths(struct nfl_render_table *table, uint32_t flags)
{
	if (table->widths[0])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		table->widths[i] = columns[i].width;
	table->widths[0] = (uint8_t)time_width(flags);
}

/* Blanks up to the next column; the column widens with what stands in it. */
static void pad(struct text *t, size_t used, const struct column *column, uint8_t *width)
{
	if (!column->width)
		return;
	if (used > *width)
		*width = (uint8_t)(used < WIDTH_MAX ? used : WIDTH_MAX);
	for (size_t i = used; i < *width; i++)
		text_char(t, ' ');
	text_literal(t, "  ");
}

static bool is_left_out(const struct column *column, uint32_t flags)
{
	return flags & NFL_RENDER_NO_TIME && column == columns;
}

/* Blanks at the end of a line are none. */
static size_t end_line(struct text *t)
{
	while (t->len > 0 && t->len < t->cap && t->buf[t->len - 1] == ' ')
		t->len--;
	return text_end(t);
}

size_t nfl_render_table_head(char *buf, size_t cap, struct nfl_render_table *table, uint32_t flags)
{
	struct text t = text_start(buf, cap);

	begin_widths(table, flags);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (is_left_out(&columns[i], flags))
			continue;
		color_begin(&t, flags, COLOR_HEAD);
		text_string(&t, columns[i].head);
		color_end(&t, flags);
		pad(&t, strlen(columns[i].head), &columns[i], &table->widths[i]);
	}
	return end_line(&t);
}

static void put_cell(const struct row *row, const struct column *column, uint8_t *width)
{
	uint32_t flags = column->color ? row->flags : 0;
	struct text *t = row->text;
	size_t begin = t->len, start, used;

	color_begin(t, flags, column->color);
	start = t->len;
	column->put(row);
	used = count_columns(t, start);
	if (t->len == start)
		t->len = begin;
	else
		color_end(t, flags);
	pad(t, used, column, width);
}

size_t nfl_render_table_row(char *buf, size_t cap, struct nfl_render_table *table,
			    const struct nfl_packet *packet, const struct nfl_render_source *source,
			    uint32_t flags)
{
	struct text t = text_start(buf, cap);
	const struct row row = {&t, packet, source, flags};

	begin_widths(table, flags);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!is_left_out(&columns[i], flags))
			put_cell(&row, &columns[i], &table->widths[i]);
	return end_line(&t);
}
