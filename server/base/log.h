/* SPDX-License-Identifier: MIT */
/*
 * base/log.h - structured log lines to stderr
 *
 * A stable event key, then key=value pairs: log_warn("listener.failed", "netns=%s group=%u", ...).
 *
 *	text     2026-11-23T12:00:00.123456789Z warn listener.failed netns=red group=100
 *	journal  <4>listener.failed netns=red group=100
 *	json     {"time":"...","level":"warn","event":"listener.failed","netns":"red","group":100}
 *
 * Values of outside origin and values with spaces go through log_quote(). A line has at most about
 * 1000 bytes of pairs; what is longer is cut and ends in "...".
 *
 * Threads: any; one write(2) for each line. errno is left as it was.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* syslog's numbers */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_format {
	LOG_FORMAT_AUTO, /* journal priorities when stderr is the journal, else text */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* @max: lines of a higher number are dropped. Without a call: info and auto. */
void log_setup(enum log_level max, enum log_format format);

/* @event: our own, lower case and dots. @format: key=value pairs; may be "". */
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* Bytes of outside origin, escaped and in double quotes; returns buf. What does not fit into cap
 * (at least 3) is cut, the quotes always stand. NULL is "". */
const char *log_quote(char *buf, size_t cap, const char *text);

#endif
