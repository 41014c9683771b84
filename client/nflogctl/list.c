/* SPDX-License-Identifier: MIT */
/* nflogctl list: the namespaces or the sources that the caller may read. */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "json.h"
#include "output.h"
#include "report.h"
#include "table.h"

static struct report_settings settings;

/* --- namespaces -------------------------------------------------------------------------- */

static void netns_list_freep(struct nfl_client_netns_list **list)
{
	nfl_client_netns_list_free(*list);
}

static void groups_text(struct table *table, const struct nfl_client_netns *netns)
{
	struct table_cell cell;
	FILE *f = table_begin_cell(table, &cell);

	for (size_t i = 0; i < netns->group_count && f; i++)
		(void)fprintf(f, "%s%u", i ? "," : "", netns->groups[i]);
	table_end_cell(&cell);
}

static int print_netns_table(const struct nfl_client_netns_list *list)
{
	static const char *const headings[] = {"NETNS", ">INODE", "LAST PACKET", "GROUPS"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};

	for (size_t i = 0; i < list->count; i++) {
		const struct nfl_client_netns *netns = &list->items[i];

		table_text(&table, netns->name);
		if (netns->inode)
			table_number(&table, netns->inode);
		else
			table_text(&table, "");
		table_time(&table, netns->last_packet_time_ns, settings.utc);
		groups_text(&table, netns);
	}
	return table_print(&table, stdout);
}

static void print_netns_json(const struct nfl_client_netns *netns)
{
	struct json json = {.f = stdout};

	json_open(&json, NULL, '{');
	json_text(&json, "netns", netns->name);
	if (netns->inode)
		json_number(&json, "inode", netns->inode);
	json_time(&json, "last_packet_time", netns->last_packet_time_ns,
		  report_render_flags(&settings));
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < netns->group_count; i++)
		json_number(&json, NULL, netns->groups[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	(void)putchar('\n');
}

static int list_netns(struct nfl_client *client, struct nfl_client_error *err)
{
	CLEANUP(netns_list_freep) struct nfl_client_netns_list *list = NULL;
	int r = nfl_client_list_netns(client, REPORT_TIMEOUT_MS, &list, err);

	if (r < 0)
		return r;
	if (!settings.json)
		return print_netns_table(list);
	for (size_t i = 0; i < list->count; i++)
		print_netns_json(&list->items[i]);
	return 0;
}

/* --- sources ----------------------------------------------------------------------------- */

static void source_list_freep(struct nfl_client_source_list **list)
{
	nfl_client_source_list_free(*list);
}

static int print_source_table(const struct nfl_client_source_list *list)
{
	static const char *const headings[] = {"NETNS", ">GROUP", "STATE", "SINCE", "DETAIL"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};

	for (size_t i = 0; i < list->count; i++) {
		const struct nfl_client_source *source = &list->items[i];

		table_text(&table, source->netns);
		table_number(&table, source->group);
		table_text(&table, state_name(source->state));
		table_time(&table, source->state_time_ns, settings.utc);
		table_text(&table, source->detail);
	}
	return table_print(&table, stdout);
}

static int list_sources(struct nfl_client *client, struct nfl_client_error *err)
{
	CLEANUP(source_list_freep) struct nfl_client_source_list *list = NULL;
	int r = nfl_client_list_sources(client, REPORT_TIMEOUT_MS, &list, err);

	if (r < 0)
		return r;
	if (!settings.json)
		return print_source_table(list);
	for (size_t i = 0; i < list->count; i++) {
		struct json json = {.f = stdout};

		json_open(&json, NULL, '{');
		json_source(&json, &list->items[i], report_render_flags(&settings));
		json_close(&json, '}');
		(void)putchar('\n');
	}
	return 0;
}

/* ----------------------------------------------------------------------------------------- */

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	int (*list)(struct nfl_client *, struct nfl_client_error *);
	struct nfl_client_error err = {0};
	int r;

	if (argc != 1)
		return complain_usage(command, "list: expected one of netns, sources");
	if (strcmp(argv[0], "netns") == 0)
		list = list_netns;
	else if (strcmp(argv[0], "sources") == 0)
		list = list_sources;
	else
		return complain_usage(command, "list %s: expected netns or sources", argv[0]);
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	r = list(client, &err);
	return r < 0 ? complain_call(r, err.code, err.message) : EXIT_DONE;
}

const struct command command_list = {
    .name = "list",
    .arguments = "netns|sources",
    .summary = "list the namespaces or sources that you may read",
    .text = "List the network namespaces, or the sources (NFLOG groups of namespaces), that you\n"
	    "may read. In JSON: one object a line.",
    .options = report_options,
    .option_count = REPORT_OPTION_COUNT,
    .settings = &settings,
    .run = run,
};
