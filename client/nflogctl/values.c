/* SPDX-License-Identifier: MIT */
/* Values of options: text into typed fields. A value is taken whole or refused, never in part. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/client.h>

#include "clock.h"
#include "options.h"
#include "when.h"

static bool read_number(const char *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;

	/* strtoull() takes blanks and signs as well. */
	if (!isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	*ret = strtoull(value, &end, 10);
	return errno == 0 && *end == '\0' && *ret >= min && *ret <= max;
}

const char option_no_memory[] = "memory";

const char *parse_flag(const char *value, void *field)
{
	(void)value;
	*(bool *)field = true;
	return NULL;
}

const char *parse_text(const char *value, void *field)
{
	*(const char **)field = value;
	return NULL;
}

const char *parse_texts(const char *value, void *field)
{
	struct text_list *list = field;
	const char **grown;

	if (!*value)
		return "a name";
	grown = reallocarray(list->items, list->count + 1, sizeof(char *));
	if (!grown)
		return option_no_memory;
	list->items = grown;
	list->items[list->count++] = value;
	return NULL;
}

const char *parse_groups(const char *value, void *field)
{
	struct group_list *list = field;
	uint16_t *grown;
	uint64_t number;

	if (!read_number(value, 0, UINT16_MAX, &number))
		return "a number from 0 to 65535";
	grown = reallocarray(list->items, list->count + 1, sizeof(uint16_t));
	if (!grown)
		return option_no_memory;
	list->items = grown;
	list->items[list->count++] = (uint16_t)number;
	return NULL;
}

const char *parse_count(const char *value, void *field)
{
	return read_number(value, 1, UINT64_MAX, field) ? NULL : "a number from 1";
}

const char *parse_length(const char *value, void *field)
{
	uint64_t number;

	if (!read_number(value, 1, UINT16_MAX, &number))
		return "a number from 1 to 65535";
	*(uint32_t *)field = (uint32_t)number;
	return NULL;
}

const char *parse_interval(const char *value, void *field)
{
	char *end;
	double seconds;

	if (!isdigit((unsigned char)value[0]))
		return "seconds";
	seconds = strtod(value, &end);
	if (*end != '\0' || !(seconds >= 0.001 && seconds <= 86400))
		return "seconds from 0.001 to 86400";
	*(uint32_t *)field = (uint32_t)lround(seconds * 1000);
	return NULL;
}

const char *parse_label(const char *value, void *field)
{
	if (strlen(value) > 64)
		return "at most 64 bytes";
	return parse_text(value, field);
}

const char *parse_file(const char *value, void *field)
{
	return *value ? parse_text(value, field) : "the name of a file";
}

const char *parse_size(const char *value, void *field)
{
	static const char expected[] = "bytes from 1, also with K, M or G, as 512K or 8M";
	static const char units[] = "KMG";
	const char *unit;
	uint64_t number;
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return expected;
	errno = 0;
	number = strtoull(value, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno != 0 || number == 0 || (*end && (!unit || end[1])))
		return expected;
	if (unit && __builtin_mul_overflow(number, UINT64_C(1024) << 10 * (unit - units), &number))
		return expected;
	*(uint64_t *)field = number;
	return NULL;
}

const char *parse_since(const char *value, void *field)
{
	struct when when;

	if (!when_parse(value, realtime_ns(), &when) || when.kind == WHEN_AHEAD)
		return "how long ago, as 90s or 1h30m, or a time, as 03:04:05, "
		       "\"2026-01-02 03:04:05\" or 2026-01-02T03:04:05Z";
	*(struct when *)field = when;
	return NULL;
}

const char *parse_until(const char *value, void *field)
{
	if (!when_parse(value, realtime_ns(), field))
		return "how long ago, as 90s or 1h30m, how long from now, as +10s, or a time, as "
		       "03:04:05, \"2026-01-02 03:04:05\" or 2026-01-02T03:04:05Z";
	return NULL;
}

const char *parse_slow(const char *value, void *field)
{
	enum nfl_client_slow_policy *policy = field;

	if (strcmp(value, "drop") == 0)
		*policy = NFL_CLIENT_SLOW_DROP_OLDEST;
	else if (strcmp(value, "disconnect") == 0)
		*policy = NFL_CLIENT_SLOW_DISCONNECT;
	else
		return "drop or disconnect";
	return NULL;
}

const char *parse_view(const char *value, void *field)
{
	static const char *const names[] = {
	    [NFL_CLIENT_VIEW_BASIC] = "basic",
	    [NFL_CLIENT_VIEW_FULL] = "full",
	    [NFL_CLIENT_VIEW_RAW] = "raw",
	};

	for (int view = NFL_CLIENT_VIEW_BASIC; view <= NFL_CLIENT_VIEW_RAW; view++) {
		if (strcmp(value, names[view]) == 0) {
			*(enum nfl_client_view *)field = (enum nfl_client_view)view;
			return NULL;
		}
	}
	return "basic, full or raw";
}
