/* SPDX-License-Identifier: MIT */
/* report.h - what the commands that print one answer have in common */
#ifndef NFLOGCTL_REPORT_H
#define NFLOGCTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#include "options.h"

#define REPORT_TIMEOUT_MS 10000

struct report_settings {
	bool json;
	bool utc;
};

#define REPORT_OPTION_COUNT 2
extern const struct option_spec report_options[REPORT_OPTION_COUNT];

const char *parse_report_format(const char *value, void *field); /* bool: json */

uint32_t report_render_flags(const struct report_settings *settings);

#endif
