/* SPDX-License-Identifier: MIT */
/*
 * libc knows calendars and zones, but strptime() takes blanks, single digits and the 30th of
 * February: so the shape is checked before it, and the date after it.
 */
#include "when.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define DURATION_MAX_NS (INT64_C(10000) * 86400 * NS_PER_S)
#define SECONDS_MAX     (INT64_MAX / NS_PER_S - 1)

struct unit {
	const char *name;
	int64_t ns;
};

/* The unit of this name, at or behind the first that may come. */
static const struct unit *find_unit(const struct unit *from, const char *name, size_t len)
{
	for (; from->name; from++)
		if (strlen(from->name) == len && strncmp(from->name, name, len) == 0)
			return from;
	return NULL;
}

/* Numbers with units, the large ones first, each once. */
static bool parse_duration(const char *text, int64_t *ret_ns)
{
	static const struct unit units[] = {
	    {"d", 86400 * NS_PER_S}, {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S},
	    {"s", NS_PER_S},         {"ms", NS_PER_MS},      {NULL, 0},
	};
	const struct unit *unit = units;
	int64_t part_ns, total_ns = 0;

	while (*text) {
		size_t len;
		char *name;
		long long number;

		if (!isdigit((unsigned char)*text))
			return false;
		errno = 0;
		number = strtoll(text, &name, 10);
		len = strspn(name, "dhms");
		unit = find_unit(unit, name, len);
		if (errno != 0 || !unit || __builtin_mul_overflow(number, unit->ns, &part_ns) ||
		    __builtin_add_overflow(total_ns, part_ns, &total_ns))
			return false;
		text = name + len;
		unit++;
	}
	*ret_ns = total_ns;
	return total_ns > 0 && total_ns <= DURATION_MAX_NS;
}

/* Does the text begin as the shape, where 0 stands for any digit? */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == '0' ? !isdigit((unsigned char)*text) : *text != *shape)
			return false;
	return true;
}

/* The functions below move *text behind what they have read. */

static bool parse_date(const char **text, struct tm *tm)
{
	struct tm check;

	if (!has_shape(*text, "0000-00-00") || !strptime(*text, "%Y-%m-%d", tm) || !(*text)[10] ||
	    !strchr(" Tt", (*text)[10]))
		return false;
	check = *tm;
	(void)timegm(&check); /* makes the 2nd of March of the 30th of February */
	*text += 11;
	return check.tm_mday == tm->tm_mday;
}

static bool parse_clock(const char **text, struct tm *tm)
{
	/* glibc takes two leap seconds in one minute, which never happen. */
	if (!has_shape(*text, "00:00:00") || !strptime(*text, "%H:%M:%S", tm) || tm->tm_sec > 60)
		return false;
	*text += 8;
	return true;
}

/* Digits behind the ninth are less than a nanosecond. */
static bool parse_fraction(const char **text, int64_t *ret_ns)
{
	int64_t unit_ns = NS_PER_S / 10;

	if (**text != '.')
		return true;
	if (!isdigit((unsigned char)*++*text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text, unit_ns /= 10)
		*ret_ns += (**text - '0') * unit_ns;
	return true;
}

/* The rest of the text: nothing, which is local time, or a zone. */
static bool parse_zone(const char *text, bool *ret_local, long *ret_offset)
{
	struct tm zone = {0};

	*ret_local = *text == '\0';
	if (*ret_local)
		return true;
	if (*text == ' ')
		text++;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if (strlen(text) != strlen("+00:00") || !strchr("+-", *text) ||
	    !has_shape(text + 1, "00:00") || !strptime(text, "%z", &zone))
		return false;
	*ret_offset = zone.tm_gmtoff;
	return true;
}

static void set_today(struct tm *tm, int64_t now_ns, bool local, long offset)
{
	time_t now = now_ns / NS_PER_S + offset;
	struct tm today;

	if (local)
		(void)localtime_r(&now, &today);
	else
		(void)gmtime_r(&now, &today);
	tm->tm_year = today.tm_year;
	tm->tm_mon = today.tm_mon;
	tm->tm_mday = today.tm_mday;
}

static bool parse_at(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	struct tm tm = {0};
	bool dated = has_shape(text, "0000-"), local;
	int64_t fraction_ns = 0;
	long offset = 0;
	time_t seconds;

	if (dated && !parse_date(&text, &tm))
		return false;
	if (!parse_clock(&text, &tm) || !parse_fraction(&text, &fraction_ns) ||
	    !parse_zone(text, &local, &offset))
		return false;
	tzset(); /* localtime_r() need not */
	if (!dated)
		set_today(&tm, now_ns, local, offset);
	tm.tm_isdst = -1; /* as the zone says */
	seconds = local ? mktime(&tm) : timegm(&tm) - offset;
	if (seconds <= 0 || seconds > SECONDS_MAX)
		return false;
	*ret_ns = seconds * NS_PER_S + fraction_ns;
	return true;
}

bool when_parse(const char *text, int64_t now_ns, struct when *ret)
{
	struct when when = {.kind = *text == '+' ? WHEN_AHEAD : WHEN_AGO};

	if (!parse_duration(text + (*text == '+'), &when.ns)) {
		when.kind = WHEN_AT;
		if (!parse_at(text, now_ns, &when.ns))
			return false;
	}
	*ret = when;
	return true;
}

int64_t when_at(const struct when *when, int64_t now_ns)
{
	switch (when->kind) {
	case WHEN_AGO:
		return now_ns - when->ns;
	case WHEN_AHEAD:
		return now_ns + when->ns;
	case WHEN_NONE:
	case WHEN_AT:
		break;
	}
	return when->ns;
}
