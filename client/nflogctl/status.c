/* SPDX-License-Identifier: MIT */
/* nflogctl status: the server, who it thinks you are, what it hears and who listens. */
#include <stdio.h>

#include "answers.h"
#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "report.h"
#include "table.h"

static struct report_settings settings;

static int print_server(const struct nfl_client_server_info *info)
{
	static const char *const headings[] = {"SERVER",     "VERSION", "UP SINCE",
					       "CONFIGURED", "TENANT",  "YOU ARE"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};

	table_text(&table, info->host_name);
	table_text(&table, info->version);
	table_time(&table, info->start_time_ns, settings.utc);
	table_time(&table, info->config_load_time_ns, settings.utc);
	table_text(&table, info->tenant);
	table_text(&table, info->principal);
	return table_print(&table, stdout);
}

static int print_tables(const struct nfl_client_server_info *info,
			const struct answers_stats *stats)
{
	int r = print_server(info);

	if (r < 0)
		return r;
	(void)putchar('\n');
	return answers_print_stats(stats);
}

static void print_json(const struct nfl_client_server_info *info, const struct answers_stats *stats)
{
	struct json json = {.f = stdout};

	json_open(&json, NULL, '{');
	json_open(&json, "server", '{');
	answers_put_server(&json, info, settings.utc);
	json_close(&json, '}');
	answers_put_stats(&json, stats);
	json_close(&json, '}');
	(void)putchar('\n');
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(answers_info_freep) struct nfl_client_server_info *info = NULL;
	CLEANUP(answers_stats_freep) struct nfl_client_stats *now = NULL;
	struct answers_stats stats = {.utc = settings.utc};
	struct nfl_client_error err = {0};
	int r;

	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	r = nfl_client_get_server_info(client, REPORT_TIMEOUT_MS, &info, &err);
	if (r == 0)
		r = nfl_client_get_stats(client, REPORT_TIMEOUT_MS, &now, &err);
	stats.now = now;
	if (r == 0 && settings.json)
		print_json(info, &stats);
	else if (r == 0)
		r = print_tables(info, &stats);
	return r < 0 ? complain_call(r, err.code, err.message) : EXIT_DONE;
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "show the server, its sources and your subscriptions",
    .text = "Show the server, who it thinks you are, every source with what was received and\n"
	    "lost, and the running subscriptions of your tenant.",
    .options = report_options,
    .option_count = REPORT_OPTION_COUNT,
    .settings = &settings,
    .run = run,
};
