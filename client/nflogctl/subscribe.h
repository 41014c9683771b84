/* SPDX-License-Identifier: MIT */
/* subscribe.h - what the options of nflogctl subscribe say, and whether they go together */
#ifndef NFLOGCTL_SUBSCRIBE_H
#define NFLOGCTL_SUBSCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

#include "options.h"
#include "output.h"
#include "when.h"

enum color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

struct subscribe_settings {
	struct text_list netns;
	struct group_list groups;
	uint64_t last; /* 0: not given */
	struct when since;
	bool all;
	struct when until;
	bool no_follow;
	bool no_reconnect;
	const char *resume_file;
	bool strict_resume;
	bool wait;
	uint64_t max_lag_bytes;
	enum nfl_client_slow_policy slow_policy;
	output_fn show;
	uint64_t count;
	uint32_t payload_bytes;
	uint32_t heartbeat_ms;
	enum nfl_client_view view;
	enum color color;
	const char *label;
	bool quiet;
	bool utc;
	bool date;
	bool exit_on_loss;
};

/* Options that would be ignored in silence beside others are refused. @now_ns: CLOCK_REALTIME.
 * Returns EXIT_DONE, or EXIT_USAGE after complaining. */
int subscribe_check(const struct subscribe_settings *settings, int64_t now_ns);

#endif
