/* SPDX-License-Identifier: MIT */
/*
 * metrics/text.h - the text format of Prometheus, version 0.0.4, in memory that grows up to a bound
 *
 * Threads: the holder's.
 */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX_BYTES ((size_t)16777216)

/* Zeroed at first; text_done() ends it. */
struct text {
	char *bytes; /* owned */
	size_t len;
	size_t room;
	bool failed; /* no memory, or beyond TEXT_MAX_BYTES: what is there is useless */
};

void text_done(struct text *text);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* name="value". The value may hold any bytes: what is no UTF-8 is written as \xHH, and a backslash as
 * two, so that values that differ stay different. */
void text_label(struct text *text, const char *name, const char *value);

enum text_type {
	TEXT_COUNTER,
	TEXT_GAUGE,
	TEXT_TIME,            /* a gauge of seconds; values are nanoseconds */
	TEXT_SECONDS_COUNTER, /* a counter; the same */
};

/* One metric, or one of its series where the row before has the same name. */
struct text_row {
	const char *name;
	enum text_type type;
	const char *help;
	const char *label; /* stage="decode", beside those of the item; or NULL */
};

/* What is measured, such as a source. */
struct text_item {
	char *labels;     /* netns="red",group="100"; "": none */
	uint64_t *values; /* of each row */
};

/* Each row of each item: all series of a metric together, as the format asks for. */
void text_table(struct text *text, const struct text_row *rows, size_t row_count,
		const struct text_item *items, size_t item_count);

#endif
