/* SPDX-License-Identifier: MIT */
/*
 * Log lines of nflogd. A caller gives an event and key=value pairs as text; here the line is made
 * for who reads stderr: a person, the journal, or a program that wants JSON. Whatever the values
 * hold, a line stays one line.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nfl/render.h>

#include "clock.h"
#include "printable.h"
#include "writer.h"

/* JSON makes at most two bytes of one in a value, so a line stays below PIPE_BUF (4096): write(2) of
 * two threads or processes to one pipe are then not mixed. */
#define PAIRS_BYTES      1024
#define LINE_BYTES       4096
#define JSON_DIGITS_MAX  15 /* a longer number would lose digits in a double */
#define FORMAT_JOURNAL   (LOG_FORMAT_JSON + 1)
#define JOURNAL_TEXT_MAX 64 /* "dev:inode" */

static atomic_int max_level = LOG_LEVEL_INFO;
static atomic_int chosen_format = LOG_FORMAT_AUTO;

/* systemd sets JOURNAL_STREAM to the device and inode of the stream it opened, which may since
 * have been redirected. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char expected[JOURNAL_TEXT_MAX];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	return strcmp(stream, expected) == 0;
}

void log_setup(enum log_level max, enum log_format format)
{
	max_level = max;
	chosen_format = format == LOG_FORMAT_AUTO && is_journal() ? FORMAT_JOURNAL : (int)format;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "?";
}

static void put_text(struct text *t, enum log_level level, const char *event, const char *pairs)
{
	text_time(t, realtime_ns(), NFL_RENDER_UTC);
	text_char(t, ' ');
	text_string(t, level_name(level));
	text_char(t, ' ');
	text_string(t, event);
	if (*pairs)
		text_char(t, ' ');
	text_string(t, pairs);
}

static void put_journal(struct text *t, enum log_level level, const char *event, const char *pairs)
{
	text_char(t, '<');
	text_number(t, (uint64_t)level);
	text_char(t, '>');
	text_string(t, event);
	if (*pairs)
		text_char(t, ' ');
	text_string(t, pairs);
}

static bool is_json_number(const char *value, size_t len)
{
	if (len == 0 || len > JSON_DIGITS_MAX || (len > 1 && *value == '0'))
		return false;
	return strspn(value, "0123456789") >= len;
}

/* The inside of "...", up to the closing quote; only \" and \\ are undone, so that escaped bytes
 * are still seen. Returns what follows the quote. */
static const char *put_quoted(struct text *t, const char *at)
{
	while (*at && *at != '"') {
		size_t run = strcspn(at, "\"\\");

		if (!run) { /* a backslash */
			if (at[1] == '"' || at[1] == '\\')
				at++;
			run = *at ? 1 : 0;
		}
		text_escaped_json(t, at, run);
		at += run;
	}
	return *at ? at + 1 : at;
}

/* One value without quotes: up to the next word that has a '='. */
static const char *put_bare(struct text *t, const char *at)
{
	size_t len = strcspn(at, " ");

	while (at[len]) {
		size_t word = strcspn(at + len + 1, " =\"");

		if (word && at[len + 1 + word] == '=')
			break;
		len += 1 + strcspn(at + len + 1, " ");
	}
	if (is_json_number(at, len)) {
		text_bytes(t, at, len);
	} else {
		text_char(t, '"');
		text_escaped_json(t, at, len);
		text_char(t, '"');
	}
	return at + len;
}

/* key=value key="value" as members; words before the first key are the member "message". */
static void put_members(struct text *t, const char *at)
{
	while (*at) {
		size_t key = strcspn(at, " =\"");

		text_literal(t, ",\"");
		if (key && at[key] == '=') {
			text_escaped_json(t, at, key);
			at += key + 1;
		} else {
			text_literal(t, "message");
		}
		text_literal(t, "\":");
		if (*at == '"') {
			text_char(t, '"');
			at = put_quoted(t, at + 1);
			text_char(t, '"');
		} else {
			at = put_bare(t, at);
		}
		at += strspn(at, " ");
	}
}

static void put_json_head(struct text *t, enum log_level level, const char *event)
{
	text_literal(t, "{\"time\":\"");
	text_time(t, realtime_ns(), NFL_RENDER_UTC);
	text_literal(t, "\",\"level\":\"");
	text_string(t, level_name(level));
	text_literal(t, "\",\"event\":\"");
	text_string(t, event);
	text_char(t, '"');
}

static void put_json(struct text *t, enum log_level level, const char *event, const char *pairs)
{
	const struct text start = *t;

	put_json_head(t, level, event);
	put_members(t, pairs);
	text_char(t, '}');
	if (t->len + 1 < t->cap)
		return;
	/* Nothing of ours: so many quotes, which nobody has escaped, that they made too many members. */
	*t = start;
	put_json_head(t, level, event);
	text_literal(t, ",\"message\":\"");
	text_escaped_json(t, pairs, strlen(pairs));
	text_literal(t, "\"}");
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
	char pairs[PAIRS_BYTES], line[LINE_BYTES];
	struct text t = text_start(line, sizeof(line));
	int chosen = chosen_format;
	int saved_errno = errno;
	va_list args;

	if ((int)level > max_level)
		return;
	va_start(args, format);
	if (vsnprintf(pairs, sizeof(pairs), format, args) >= (int)sizeof(pairs))
		memcpy(pairs + sizeof(pairs) - sizeof("..."), "...", sizeof("..."));
	va_end(args);
	printable_force(pairs); /* a value that should have been quoted */
	if (chosen == LOG_FORMAT_JSON)
		put_json(&t, level, event, pairs);
	else if (chosen == FORMAT_JOURNAL)
		put_journal(&t, level, event, pairs);
	else
		put_text(&t, level, event, pairs);
	text_char(&t, '\n');
	/* nobody is left to tell when stderr fails */
	(void)!write(STDERR_FILENO, line, t.len < sizeof(line) ? t.len : sizeof(line) - 1);
	errno = saved_errno;
}

const char *log_quote(char *buf, size_t cap, const char *text)
{
	/* room for the closing quote is kept back */
	struct text t = text_start(buf, cap - 1);
	size_t end, half = 0;

	text_char(&t, '"');
	if (text)
		text_escaped(&t, text, strlen(text));
	(void)text_end(&t);
	end = strlen(buf);
	/* Half of an escape would make the closing quote a part of the value. */
	while (half < end && buf[end - 1 - half] == '\\')
		half++;
	memcpy(buf + end - half % 2, "\"", 2);
	return buf;
}
