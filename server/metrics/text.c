/* SPDX-License-Identifier: MIT */
/* The text format: HELP and TYPE once for a metric, labels with their escapes, values. */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "utf8.h"

#define FIRST_BYTES ((size_t)16384)

void text_done(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

/* Room for so many bytes more, and a NUL. */
static bool make_room(struct text *text, size_t bytes)
{
	size_t room = text->room ? text->room : FIRST_BYTES;
	char *grown;

	while (room - text->len <= bytes && room < TEXT_MAX_BYTES)
		room *= 2;
	if (text->failed || room - text->len <= bytes)
		return false;
	if (room == text->room)
		return true;
	grown = realloc(text->bytes, room);
	if (!grown)
		return false;
	text->bytes = grown;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || !make_room(text, (size_t)len)) {
		text->failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text->bytes + text->len, text->room - text->len, format, args);
	va_end(args);
	text->len += (size_t)len;
}

static void add_character(struct text *text, const char *bytes, size_t len)
{
	if (*bytes == '\\')
		text_add(text, "\\\\\\\\");
	else if (*bytes == '"')
		text_add(text, "\\\"");
	else if (*bytes == '\n')
		text_add(text, "\\n");
	else
		text_add(text, "%.*s", (int)len, bytes);
}

void text_label(struct text *text, const char *name, const char *value)
{
	size_t left = strlen(value);

	text_add(text, "%s=\"", name);
	while (left > 0) {
		uint32_t code;
		size_t len = utf8_decode((const uint8_t *)value, left, &code);

		if (len > 0)
			add_character(text, value, len);
		else
			text_add(text, "\\\\x%02x", (unsigned)(uint8_t)*value);
		value += len ? len : 1;
		left -= len ? len : 1;
	}
	text_add(text, "\"");
}

static bool is_seconds(enum text_type type)
{
	return type == TEXT_TIME || type == TEXT_SECONDS_COUNTER;
}

static const char *type_name(enum text_type type)
{
	return type == TEXT_COUNTER || type == TEXT_SECONDS_COUNTER ? "counter" : "gauge";
}

static void add_series(struct text *text, const struct text_row *row, const struct text_item *item,
		       uint64_t value)
{
	const char *label = row->label ? row->label : "";

	text_add(text, "%s", row->name);
	if (*item->labels || *label)
		text_add(text, "{%s%s%s}", item->labels, *item->labels && *label ? "," : "", label);
	if (is_seconds(row->type))
		text_add(text, " %" PRIu64 ".%09" PRIu64 "\n", value / (uint64_t)NS_PER_S,
			 value % (uint64_t)NS_PER_S);
	else
		text_add(text, " %" PRIu64 "\n", value);
}

void text_table(struct text *text, const struct text_row *rows, size_t row_count,
		const struct text_item *items, size_t item_count)
{
	for (size_t r = 0; r < row_count; r++) {
		const struct text_row *row = &rows[r];

		if (r == 0 || strcmp(rows[r - 1].name, row->name) != 0)
			text_add(text, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
				 row->name, type_name(row->type));
		for (size_t i = 0; i < item_count; i++)
			add_series(text, row, &items[i], items[i].values[r]);
	}
}
