/* SPDX-License-Identifier: MIT */
/* Cells are kept until all are known, because the widest one sets the width of its column. */
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nfl/render.h>

#include "clock.h"

/* Takes the text over; NULL is out of memory. */
static void add_cell(struct table *table, char *owned)
{
	/* Grown at powers of two. */
	if (owned && (table->count & (table->count - 1)) == 0) {
		size_t capacity = table->count ? table->count * 2 : 1;
		char **grown = reallocarray(table->cells, capacity, sizeof(char *));

		if (!grown) {
			free(owned);
			owned = NULL;
		} else {
			table->cells = grown;
		}
	}
	if (owned)
		table->cells[table->count++] = owned;
	else
		table->failed = -ENOMEM;
}

void table_text(struct table *table, const char *text)
{
	size_t len = strlen(text);
	size_t size = nfl_escape_line(NULL, 0, text, len) + 1;
	char *cell = *text ? malloc(size) : strdup("-");

	if (cell && *text)
		(void)nfl_escape_line(cell, size, text, len);
	add_cell(table, cell);
}

void table_format(struct table *table, const char *format, ...)
{
	char *cell = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&cell, format, args) < 0)
		cell = NULL;
	va_end(args);
	add_cell(table, cell);
}

FILE *table_begin_cell(struct table *table, struct table_cell *cell)
{
	*cell = (struct table_cell){.table = table};
	cell->f = open_memstream(&cell->text, &cell->len);
	if (!cell->f)
		table->failed = -ENOMEM;
	return cell->f;
}

void table_end_cell(struct table_cell *cell)
{
	if (!cell->f)
		return;
	if (fclose(cell->f) == 0)
		table_text(cell->table, cell->text);
	else
		cell->table->failed = -ENOMEM;
	free(cell->text);
}

void table_number(struct table *table, uint64_t number)
{
	table_format(table, "%" PRIu64, number);
}

void table_time(struct table *table, int64_t time_ns, int utc)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	char text[32] = "-";
	struct tm tm;

	if (time_ns != 0 && (utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	table_text(table, text);
}

/* Characters, not bytes: escaped text is printable UTF-8. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static const char *heading_text(const struct table *table, size_t column)
{
	const char *heading = table->headings[column];

	return heading + (heading[0] == '>');
}

static void print_cell(const struct table *table, size_t column, int width, const char *text,
		       FILE *f)
{
	int padding = width - width_of(text);
	int right = table->headings[column][0] == '>';
	int last = column + 1 == table->columns;

	(void)fprintf(f, "%*s%s", right ? padding : 0, "", text);
	if (last)
		(void)fputc('\n', f);
	else
		(void)fprintf(f, "%*s", (right ? 0 : padding) + 2, "");
}

int table_print(const struct table *table, FILE *f)
{
	int widths[TABLE_COLUMNS_MAX];

	if (table->failed)
		return table->failed;
	for (size_t c = 0; c < table->columns; c++)
		widths[c] = width_of(heading_text(table, c));
	for (size_t i = 0; i < table->count; i++) {
		size_t c = i % table->columns;
		int width = width_of(table->cells[i]);

		widths[c] = width > widths[c] ? width : widths[c];
	}
	for (size_t c = 0; c < table->columns; c++)
		print_cell(table, c, widths[c], heading_text(table, c), f);
	for (size_t i = 0; i < table->count; i++) {
		size_t c = i % table->columns;

		print_cell(table, c, widths[c], table->cells[i], f);
	}
	return 0;
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->count = 0;
}
