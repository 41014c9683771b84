/* SPDX-License-Identifier: MIT */
/* nflogctl config: each setting, its value, and where it comes from. */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "json.h"
#include "report.h"
#include "settings.h"
#include "table.h"

static bool as_json;

static const struct option_spec options[] = {
    {"output", 'o', "FORMAT", 0, parse_report_format, "table (default) or json"},
};

static const char *origin_name(enum setting_origin origin)
{
	switch (origin) {
	case SETTING_DEFAULT:
		return "default";
	case SETTING_FILE:
		return "file";
	case SETTING_ENVIRONMENT:
		return "environment";
	case SETTING_OPTION:
		return "option";
	}
	return "unknown";
}

static void put_value(struct table *table, const struct setting *setting)
{
	struct table_cell cell;
	FILE *f = table_begin_cell(table, &cell);

	for (size_t i = 0; i < setting->count && f; i++)
		(void)fprintf(f, "%s%s", i ? ", " : "", setting->texts[i]);
	if (setting->count == 0 && setting->initial && f)
		(void)fputs(setting->initial, f);
	table_end_cell(&cell);
}

static int print_table(void)
{
	static const char *const headings[] = {"OPTION", "VALUE", "FROM"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};
	bool was_read;
	const char *file = settings_file(&was_read);
	int r;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings_all[i];

		table_format(&table, "--%s", setting->option);
		put_value(&table, setting);
		if (setting->where)
			table_text(&table, setting->where);
		else
			table_text(&table,
				   setting->origin == SETTING_OPTION ? "command line" : "default");
	}
	r = table_print(&table, stdout);
	if (r == 0 && file)
		complain_note("file: %s%s", file, was_read ? "" : " (not there)");
	return r;
}

static void print_json(const struct setting *setting)
{
	char environment[SETTING_NAME_MAX], key[SETTING_NAME_MAX];
	struct json json = {.f = stdout};

	settings_environment_name(setting->option, environment);
	settings_key(setting->option, key);
	json_open(&json, NULL, '{');
	json_text(&json, "option", setting->option);
	json_text(&json, "environment", environment);
	json_text(&json, "key", key);
	json_open(&json, "values", '[');
	for (size_t i = 0; i < setting->count; i++)
		json_text(&json, NULL, setting->texts[i]);
	if (setting->count == 0 && setting->initial)
		json_text(&json, NULL, setting->initial);
	json_close(&json, ']');
	json_text(&json, "origin", origin_name(setting->origin));
	if (setting->where)
		json_text(&json, "where", setting->where);
	json_close(&json, '}');
	(void)putchar('\n');
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	int r = 0;

	(void)common;
	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	if (!as_json)
		r = print_table();
	for (size_t i = 0; i < SETTING_COUNT && as_json; i++)
		print_json(&settings_all[i]);
	return r < 0 ? complain_call(r, 0, "") : EXIT_DONE;
}

const struct command command_config = {
    .name = "config",
    .arguments = "",
    .summary = "show each setting, its value and where it comes from",
    .text = "Show each setting that the environment and the configuration file can set, its\n"
	    "value, and where that comes from. An option of the command line comes before the\n"
	    "environment, that before the file, that before the default. --tls-ca is\n"
	    "NFLOGCTL_TLS_CA in the environment and tls_ca in the file.",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &as_json,
    .run = run,
};
