/* SPDX-License-Identifier: MIT */
/*
 * Time stamps. The calendar is asked once a second at most: packets come by the thousand in the
 * same second, and localtime_r takes a lock and searches the zone's rules each time.
 */
#include <nfl/render.h>

#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "writer.h"

/* One second of a zone, as text. */
struct second {
	bool is_set;
	bool is_utc;
	int64_t number;
	char date[10];  /* 2026-11-23 */
	char clock[8];  /* 12:00:00 */
	char offset[6]; /* Z, +01:00 */
	size_t offset_len;
};

static void render_offset(struct text *t, bool is_utc, long seconds)
{
	unsigned long minutes = (unsigned long)labs(seconds) / 60;

	if (is_utc) {
		text_char(t, 'Z');
		return;
	}
	text_char(t, seconds < 0 ? '-' : '+');
	text_digits(t, minutes / 60, 2);
	text_char(t, ':');
	text_digits(t, minutes % 60, 2);
}

/* "2026-11-23" "12:00:00" "+01:00" in a row, into the struct's parts. */
static void second_fill(struct second *s, int64_t number, bool is_utc)
{
	char all[sizeof(s->date) + sizeof(s->clock) + sizeof(s->offset) + 1];
	struct text t = text_start(all, sizeof(all));
	time_t seconds = (time_t)number;
	struct tm tm;

	if (is_utc)
		(void)gmtime_r(&seconds, &tm); /* fails only for years beyond int */
	else
		(void)localtime_r(&seconds, &tm);
	text_digits(&t, (uint64_t)tm.tm_year + 1900, 4);
	text_char(&t, '-');
	text_digits(&t, (uint64_t)tm.tm_mon + 1, 2);
	text_char(&t, '-');
	text_digits(&t, (uint64_t)tm.tm_mday, 2);
	text_digits(&t, (uint64_t)tm.tm_hour, 2);
	text_char(&t, ':');
	text_digits(&t, (uint64_t)tm.tm_min, 2);
	text_char(&t, ':');
	text_digits(&t, (uint64_t)tm.tm_sec, 2);
	render_offset(&t, is_utc, tm.tm_gmtoff);

	memcpy(s->date, all, sizeof(s->date));
	memcpy(s->clock, all + sizeof(s->date), sizeof(s->clock));
	s->offset_len = t.len - sizeof(s->date) - sizeof(s->clock);
	memcpy(s->offset, all + sizeof(s->date) + sizeof(s->clock), s->offset_len);
	s->number = number;
	s->is_utc = is_utc;
	s->is_set = true;
}

/* The second that a time lies in; *ret_ns is the rest. Times before 1970 round down, too. */
static const struct second *second_find(int64_t time_ns, uint32_t flags, uint64_t *ret_ns)
{
	static _Thread_local struct second last;
	bool is_utc = flags & NFL_RENDER_UTC;
	int64_t number = time_ns / NS_PER_S;
	int64_t ns = time_ns % NS_PER_S;

	if (ns < 0) {
		ns += NS_PER_S;
		number--;
	}
	if (!last.is_set || last.number != number || last.is_utc != is_utc)
		second_fill(&last, number, is_utc);
	*ret_ns = (uint64_t)ns;
	return &last;
}

void text_time(struct text *t, int64_t time_ns, uint32_t flags)
{
	uint64_t ns;
	const struct second *s = second_find(time_ns, flags, &ns);

	text_bytes(t, s->date, sizeof(s->date));
	text_char(t, 'T');
	text_bytes(t, s->clock, sizeof(s->clock));
	text_char(t, '.');
	text_digits(t, ns, 9);
	text_bytes(t, s->offset, s->offset_len);
}

/* As of "date +%s.%6N". */
static void text_epoch(struct text *t, int64_t time_ns)
{
	uint64_t ns = time_ns < 0 ? 0 - (uint64_t)time_ns : (uint64_t)time_ns;

	if (time_ns < 0)
		text_char(t, '-');
	text_number(t, ns / NS_PER_S);
	text_char(t, '.');
	text_digits(t, ns % NS_PER_S / NS_PER_US, 6);
}

void text_clock(struct text *t, int64_t time_ns, uint32_t flags)
{
	const struct second *s;
	uint64_t ns;

	if (flags & NFL_RENDER_RFC3339) {
		text_time(t, time_ns, flags);
		return;
	}
	if (flags & NFL_RENDER_EPOCH) {
		text_epoch(t, time_ns);
		return;
	}
	s = second_find(time_ns, flags, &ns);
	if (flags & NFL_RENDER_DATE) {
		text_bytes(t, s->date, sizeof(s->date));
		text_char(t, ' ');
	}
	text_bytes(t, s->clock, sizeof(s->clock));
	text_char(t, '.');
	text_digits(t, ns / NS_PER_US, 6);
}

size_t nfl_render_time(char *buf, size_t cap, int64_t time_ns, uint32_t flags)
{
	struct text t = text_start(buf, cap);

	text_time(&t, time_ns, flags);
	return text_end(&t);
}
