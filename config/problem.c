/* SPDX-License-Identifier: MIT */
/* The list of a file's errors: filling, sorting, showing and freeing it. */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

/* Holds the longest message: a list of all keys, and a value cut by node_describe(). */
#define PROBLEM_TEXT_BYTES 640

static bool has_room(struct problems *problems)
{
	struct config_errors *errors = problems->errors;

	if (errors->count == CONFIG_ERRORS_MAX) {
		errors->more++;
		return false;
	}
	if (!errors->items)
		errors->items = calloc(CONFIG_ERRORS_MAX, sizeof(*errors->items));
	if (!errors->items)
		problems->no_memory = true;
	return errors->items;
}

void config_problem_add(struct problems *problems, struct config_mark mark, const char *format, ...)
{
	char text[PROBLEM_TEXT_BYTES];
	struct config_error *error;
	va_list args;

	if (!has_room(problems))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a cut text is still a text */
	va_end(args);
	printable_force(text);

	error = &problems->errors->items[problems->errors->count];
	*error = (struct config_error){.path = strdup(problems->path),
				       .line = mark.line,
				       .column = mark.column,
				       .text = strdup(text)};
	if (error->path && error->text) {
		problems->errors->count++;
		return;
	}
	free(error->path);
	free(error->text);
	problems->no_memory = true;
}

size_t config_problem_count(const struct problems *problems)
{
	return problems->errors->count + problems->errors->more;
}

bool config_problem_is_at(const struct problems *problems, struct config_mark mark)
{
	for (size_t i = 0; i < problems->errors->count; i++) {
		const struct config_error *error = &problems->errors->items[i];

		if (error->line == mark.line && error->column == mark.column)
			return true;
	}
	return false;
}

static int compare_errors(const void *left, const void *right)
{
	const struct config_error *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return strcmp(a->text, b->text);
}

void config_problem_sort(struct problems *problems)
{
	struct config_errors *errors = problems->errors;

	if (errors->count > 1)
		qsort(errors->items, errors->count, sizeof(*errors->items), compare_errors);
}

void config_errors_done(struct config_errors *errors)
{
	if (!errors)
		return;
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->items[i].path);
		free(errors->items[i].text);
	}
	free(errors->items);
	*errors = (struct config_errors){0};
}

size_t config_error_render(const struct config_error *error, char *buf, size_t cap)
{
	int len;

	if (error->line)
		len = snprintf(buf, cap, "%s:%u:%u: %s", error->path, error->line, error->column,
			       error->text);
	else
		len = snprintf(buf, cap, "%s: %s", error->path, error->text);
	return len < 0 ? 0 : (size_t)len;
}
