/* SPDX-License-Identifier: MIT */
/* table.h - text in columns as wide as they need to be */
#ifndef NFLOGCTL_TABLE_H
#define NFLOGCTL_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 10

/* A heading that begins with ">" is of a column of numbers, set to the right. */
struct table {
	const char *const *headings; /* borrowed */
	size_t columns;
	char **cells; /* owned, each owned; row after row */
	size_t count;
	int failed; /* -ENOMEM: table_print() says so */
};

/* The next cells of the row; texts of outside origin are escaped. An empty one is shown as "-". */
void table_text(struct table *table, const char *text);
void table_format(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_number(struct table *table, uint64_t number);
/* "2026-11-23 12:00:00"; "-" for 0. utc: else local time. */
void table_time(struct table *table, int64_t time_ns, int utc);

/* A cell that is written piece by piece: the stream to write to, NULL without memory, and its end. */
struct table_cell {
	struct table *table; /* borrowed */
	char *text;          /* owned */
	size_t len;
	FILE *f; /* owned */
};
FILE *table_begin_cell(struct table *table, struct table_cell *cell);
void table_end_cell(struct table_cell *cell);

/* 0 or -ENOMEM. */
int table_print(const struct table *table, FILE *f);
void table_done(struct table *table);

#endif
