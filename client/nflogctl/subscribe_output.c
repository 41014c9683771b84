/* SPDX-License-Identifier: MIT */
/* The options of nflogctl subscribe that say how packets are shown, and where: read, checked, applied. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cli.h"
#include "subscribe.h"

#define KEEP_DEFAULT 10

static const struct output_format *const formats[] = {
    &format_compact,   &format_table,  &format_hex, &format_json,
    &format_protojson, &format_pcapng, &format_raw,
};

const char *parse_output(const char *value, void *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcmp(value, formats[i]->name) == 0) {
			*(const struct output_format **)field = formats[i];
			return NULL;
		}
	}
	return "compact, table, hex, json, protojson, pcapng or raw";
}

/* The number of the name that the value is, or -1. */
static int find_name(const char *value, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(value, names[i]) == 0)
			return (int)i;
	return -1;
}

const char *parse_color(const char *value, void *field)
{
	static const char *const names[] = {
	    [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
	int number = find_name(value, names, ARRAY_SIZE(names));

	if (number < 0)
		return "auto, always or never";
	*(enum color *)field = (enum color)number;
	return NULL;
}

const char *parse_time_format(const char *value, void *field)
{
	static const char *const names[] = {
	    [TIME_CLOCK] = "clock", [TIME_DATE] = "date",         [TIME_RFC3339] = "rfc3339",
	    [TIME_EPOCH] = "epoch", [TIME_RELATIVE] = "relative", [TIME_DELTA] = "delta",
	    [TIME_NONE] = "none",
	};
	int number = find_name(value, names, ARRAY_SIZE(names));

	if (number < 0)
		return "clock, date, rfc3339, epoch, relative, delta or none";
	*(enum time_format *)field = (enum time_format)number;
	return NULL;
}

const char *parse_link(const char *value, void *field)
{
	enum nfl_pcapng_link *link = field;

	if (strcmp(value, "nflog") == 0)
		*link = NFL_PCAPNG_NFLOG;
	else if (strcmp(value, "raw") == 0)
		*link = NFL_PCAPNG_RAW;
	else
		return "nflog or raw";
	return NULL;
}

const char *parse_keep(const char *value, void *field)
{
	uint64_t keep;

	if (parse_count(value, &keep) || keep > OUT_FILE_KEEP_MAX)
		return "a number from 1 to 1000";
	*(uint64_t *)field = keep;
	return NULL;
}

const struct output_format *output_format(const struct output_settings *settings)
{
	if (settings->quiet)
		return &format_quiet;
	if (settings->format)
		return settings->format;
	return settings->write_path ? &format_pcapng : &format_compact;
}

/* "-" is standard output, as is nothing. */
static const char *file_path(const struct output_settings *settings)
{
	const char *path = settings->write_path;

	return path && strcmp(path, "-") != 0 ? path : NULL;
}

static bool is_terminal(const struct output_settings *settings)
{
	return !file_path(settings) && isatty(STDOUT_FILENO);
}

static int check_quiet(const struct output_settings *settings)
{
	if (settings->quiet && settings->format)
		return complain_usage(&command_subscribe,
				      "--quiet prints no packets: it cannot have --output");
	if (settings->quiet && settings->write_path)
		return complain_usage(&command_subscribe,
				      "--quiet prints no packets: it cannot have --write");
	return EXIT_DONE;
}

static int check_file(const struct output_settings *settings)
{
	if (settings->rotate_bytes && !file_path(settings))
		return complain_usage(&command_subscribe, "--rotate needs a file: --write FILE");
	if (settings->keep && !settings->rotate_bytes)
		return complain_usage(&command_subscribe,
				      "--keep needs --rotate: there is one file only");
	return EXIT_DONE;
}

/* Options of one format would be ignored in silence by the others. */
static int check_format(const struct output_settings *settings)
{
	const struct output_format *format = output_format(settings);

	if (settings->link && format != &format_pcapng)
		return complain_usage(&command_subscribe, "--link is for pcapng, not for %s",
				      format->name);
	if (settings->numeric && !format->is_lines && format != &format_protojson)
		return complain_usage(&command_subscribe, "--numeric is not for %s: it has both",
				      format->name);
	if ((settings->date || settings->time_format != TIME_CLOCK) && !format->is_lines)
		return complain_usage(
		    &command_subscribe,
		    "--%s is for compact, table and hex: times in %s have one form",
		    settings->date ? "date" : "time-format", format->name);
	if (settings->date && settings->time_format != TIME_CLOCK &&
	    settings->time_format != TIME_DATE)
		return complain_usage(&command_subscribe,
				      "--date is --time-format date: a time has one form");
	if (format->is_binary && is_terminal(settings))
		return complain_usage(&command_subscribe,
				      "--output %s is nothing for a terminal: into a file by "
				      "--write FILE, or into a pipe",
				      format->name);
	return EXIT_DONE;
}

int output_check(const struct output_settings *settings)
{
	int r = check_quiet(settings);

	if (r == EXIT_DONE)
		r = check_file(settings);
	return r == EXIT_DONE && !settings->quiet ? check_format(settings) : r;
}

static bool use_color(const struct output_settings *settings)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (settings->color != COLOR_AUTO)
		return settings->color == COLOR_ALWAYS;
	return is_terminal(settings) && (!no_color || !*no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

static uint32_t time_flags(enum time_format format)
{
	switch (format) {
	case TIME_CLOCK:
		break;
	case TIME_DATE:
		return NFL_RENDER_DATE;
	case TIME_RFC3339:
		return NFL_RENDER_RFC3339;
	case TIME_EPOCH:
		return NFL_RENDER_EPOCH;
	case TIME_RELATIVE:
	case TIME_DELTA: /* of output->stamp */
	case TIME_NONE:
		return NFL_RENDER_NO_TIME;
	}
	return 0;
}

void output_set(const struct output_settings *settings, struct output *ret)
{
	ret->format = output_format(settings);
	ret->link = settings->link ? settings->link : NFL_PCAPNG_NFLOG;
	ret->render_flags = time_flags(settings->date ? TIME_DATE : settings->time_format) |
			    (use_color(settings) ? NFL_RENDER_COLOR : 0) |
			    (settings->utc ? NFL_RENDER_UTC : 0) |
			    (settings->numeric ? NFL_RENDER_NUMERIC : 0);
	if (settings->time_format == TIME_RELATIVE)
		ret->stamp.kind = STAMP_FIRST;
	else if (settings->time_format == TIME_DELTA)
		ret->stamp.kind = STAMP_LAST;
}

struct out_file output_file(const struct output_settings *settings)
{
	return (struct out_file){
	    .path = file_path(settings),
	    .rotate_bytes = settings->rotate_bytes,
	    .keep = settings->keep ? settings->keep : KEEP_DEFAULT,
	    .fd = -1,
	};
}
