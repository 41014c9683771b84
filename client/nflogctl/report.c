/* SPDX-License-Identifier: MIT */
/* Options of list, status and whoami. */
#include "report.h"

#include <string.h>

const char *parse_report_format(const char *value, void *field)
{
	bool *json = field;

	*json = strcmp(value, "json") == 0;
	return *json || strcmp(value, "table") == 0 ? NULL : "table or json";
}

const struct option_spec report_options[REPORT_OPTION_COUNT] = {
    {"output", 'o', "FORMAT", offsetof(struct report_settings, json), parse_report_format,
     "table (default) or json"},
    {"utc", 0, NULL, offsetof(struct report_settings, utc), parse_flag, "times in UTC"},
};

uint32_t report_render_flags(const struct report_settings *settings)
{
	return settings->utc ? NFL_RENDER_UTC : 0;
}
