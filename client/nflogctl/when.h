/* SPDX-License-Identifier: MIT */
/*
 * when.h - times as people write them: of --since and --until
 *
 * How long ago, "90s" or "1h30m"; how long from now, "+10s"; or a time: "2026-01-02T03:04:05Z",
 * "2026-01-02 03:04:05", "03:04:05" of today. A time without a zone is local.
 */
#ifndef NFLOGCTL_WHEN_H
#define NFLOGCTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

enum when_kind {
	WHEN_NONE,
	WHEN_AGO,
	WHEN_AHEAD,
	WHEN_AT,
};

struct when {
	enum when_kind kind;
	int64_t ns; /* a duration above 0; of WHEN_AT: CLOCK_REALTIME, above 0 */
};

/**
 * when_parse - read one
 * @now_ns: CLOCK_REALTIME: tells which day is today
 * Returns false, with @ret untouched, for what is none or is no date of the calendar, for a duration
 * of 0 or of more than 10000 days, and for a time that 64 bits of nanoseconds cannot hold.
 */
bool when_parse(const char *text, int64_t now_ns, struct when *ret);

/* CLOCK_REALTIME of one that is not WHEN_NONE. */
int64_t when_at(const struct when *when, int64_t now_ns);

#endif
