/* SPDX-License-Identifier: MIT */
/* nflogctl whoami: who the server thinks the caller is, and what that may do. */
#include <inttypes.h>
#include <stdio.h>

#include "answers.h"
#include "cleanup.h"
#include "cli.h"
#include "report.h"

static struct report_settings settings;

static void print_limit(const char *what, uint64_t limit, const char *none)
{
	if (limit)
		complain_note("%-15s %" PRIu64, what, limit);
	else
		complain_note("%-15s %s", what, none);
}

static void print_text(const struct nfl_client_server_info *info)
{
	complain_note("%-15s %s", "tenant", info->tenant);
	complain_note("%-15s %s", "by", info->principal);
	complain_note("%-15s %s, nflogd %s", "server", info->host_name, info->version);
	print_limit("subscriptions", info->max_subscriptions, "no limit");
	print_limit("filters", info->max_filters, "no limit");
	print_limit("payload bytes", info->max_payload_bytes, "all");
	print_limit("lag bytes", info->max_lag_bytes, "as far as the history reaches");
}

static void print_json(const struct nfl_client_server_info *info)
{
	struct json json = {.f = stdout};

	json_open(&json, NULL, '{');
	answers_put_server(&json, info, settings.utc);
	json_close(&json, '}');
	(void)putchar('\n');
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(answers_info_freep) struct nfl_client_server_info *info = NULL;
	struct nfl_client_error err = {0};
	int r;

	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	r = nfl_client_get_server_info(client, REPORT_TIMEOUT_MS, &info, &err);
	if (r < 0)
		return complain_call(r, err.code, err.message);
	if (settings.json)
		print_json(info);
	else
		print_text(info);
	return EXIT_DONE;
}

const struct command command_whoami = {
    .name = "whoami",
    .arguments = "",
    .summary = "show who the server thinks you are, and your limits",
    .text = "Show the tenant that the server takes you for, what proved it, and the tenant's\n"
	    "limits.",
    .options = report_options,
    .option_count = REPORT_OPTION_COUNT,
    .settings = &settings,
    .run = run,
};
