/* SPDX-License-Identifier: MIT */
/* nflogctl status: the server, who it thinks you are, what it hears and who listens. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nfl/render.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "json.h"
#include "output.h"
#include "report.h"
#include "table.h"

static struct report_settings settings;

static void stats_freep(struct nfl_client_stats **stats)
{
	nfl_client_stats_free(*stats);
}

static void info_freep(struct nfl_client_server_info **info)
{
	nfl_client_server_info_free(*info);
}

/* --- as tables --------------------------------------------------------------------------- */

/* 1536 is "1.5K": short enough for a column, exact enough for a person. */
static void table_size(struct table *table, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 2 < sizeof(units)) {
		value /= 1024;
		unit++;
	}
	table_format(table, unit && value < 10 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

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

static int print_sources(const struct nfl_client_stats *stats)
{
	static const char *const headings[] = {"NETNS",     ">GROUP",   "STATE",
					       ">PACKETS",  ">LOST",    ">MALFORMED",
					       ">OVERRUNS", ">HISTORY", "DETAIL"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};

	for (size_t i = 0; i < stats->source_count; i++) {
		const struct nfl_client_source_stats *source = &stats->sources[i];

		table_text(&table, source->source.netns);
		table_number(&table, source->source.group);
		table_text(&table, state_name(source->source.state));
		table_number(&table, source->packets_received);
		table_number(&table, source->packets_lost_kernel);
		table_number(&table, source->packets_lost_decode);
		table_number(&table, source->socket_overruns);
		table_size(&table, source->ring_used_bytes);
		table_text(&table, source->source.detail);
	}
	return table_print(&table, stdout);
}

static int print_subscriptions(const struct nfl_client_stats *stats)
{
	static const char *const headings[] = {"SUBSCRIPTION", "LABEL", "PEER",      "SINCE",
					       ">PACKETS",     ">LOST", ">FILTERED", ">BEHIND"};
	CLEANUP(table_done)
	struct table table = {.headings = headings, .columns = ARRAY_SIZE(headings)};

	for (size_t i = 0; i < stats->subscription_count; i++) {
		const struct nfl_client_subscription_stats *one = &stats->subscriptions[i];

		table_text(&table, one->subscription_id);
		table_text(&table, one->client_label);
		table_text(&table, one->peer);
		table_time(&table, one->start_time_ns, settings.utc);
		table_number(&table, one->packets_sent);
		table_number(&table, one->packets_lost);
		table_number(&table, one->packets_filtered);
		table_size(&table, one->lag_bytes);
	}
	return table_print(&table, stdout);
}

static int print_tables(const struct nfl_client_server_info *info,
			const struct nfl_client_stats *stats)
{
	int r = print_server(info);

	if (r < 0)
		return r;
	(void)putchar('\n');
	r = print_sources(stats);
	if (r < 0 || stats->subscription_count == 0)
		return r;
	(void)putchar('\n');
	return print_subscriptions(stats);
}

/* --- as JSON ----------------------------------------------------------------------------- */

static void put_server(struct json *json, const struct nfl_client_server_info *info)
{
	uint32_t flags = report_render_flags(&settings);

	json_text(json, "host_name", info->host_name);
	json_text(json, "version", info->version);
	json_text(json, "server_epoch", info->server_epoch);
	json_time(json, "start_time", info->start_time_ns, flags);
	json_time(json, "config_load_time", info->config_load_time_ns, flags);
	json_text(json, "tenant", info->tenant);
	json_text(json, "principal", info->principal);
	json_open(json, "limits", '{');
	json_number(json, "max_subscriptions", info->max_subscriptions);
	json_number(json, "max_batch_packets", info->max_batch_packets);
	json_number(json, "max_batch_bytes", info->max_batch_bytes);
	json_number(json, "max_lag_bytes", info->max_lag_bytes);
	json_number(json, "max_payload_bytes", info->max_payload_bytes);
	json_close(json, '}');
	json_open(json, "features", '[');
	for (size_t i = 0; i < info->feature_count; i++)
		json_text(json, NULL, info->features[i]);
	json_close(json, ']');
}

static void put_source(struct json *json, const struct nfl_client_source_stats *source)
{
	json_open(json, NULL, '{');
	json_source(json, &source->source, report_render_flags(&settings));
	json_number(json, "packets_received", source->packets_received);
	json_number(json, "bytes_received", source->bytes_received);
	json_number(json, "packets_lost_kernel", source->packets_lost_kernel);
	json_number(json, "packets_lost_decode", source->packets_lost_decode);
	json_number(json, "socket_overruns", source->socket_overruns);
	json_number(json, "ring_packets", source->ring_packets);
	json_number(json, "ring_capacity_bytes", source->ring_capacity_bytes);
	json_number(json, "ring_used_bytes", source->ring_used_bytes);
	json_close(json, '}');
}

static void put_subscription(struct json *json, const struct nfl_client_subscription_stats *one)
{
	json_open(json, NULL, '{');
	json_text(json, "subscription_id", one->subscription_id);
	json_text(json, "client_label", one->client_label);
	json_text(json, "peer", one->peer);
	json_time(json, "start_time", one->start_time_ns, report_render_flags(&settings));
	json_number(json, "packets_sent", one->packets_sent);
	json_number(json, "bytes_sent", one->bytes_sent);
	json_number(json, "packets_filtered", one->packets_filtered);
	json_number(json, "packets_lost", one->packets_lost);
	json_number(json, "lag_bytes", one->lag_bytes);
	json_close(json, '}');
}

static void print_json(const struct nfl_client_server_info *info,
		       const struct nfl_client_stats *stats)
{
	struct json json = {.f = stdout};

	json_open(&json, NULL, '{');
	json_time(&json, "time", stats->time_ns, report_render_flags(&settings));
	json_open(&json, "server", '{');
	put_server(&json, info);
	json_close(&json, '}');
	json_open(&json, "sources", '[');
	for (size_t i = 0; i < stats->source_count; i++)
		put_source(&json, &stats->sources[i]);
	json_close(&json, ']');
	json_open(&json, "subscriptions", '[');
	for (size_t i = 0; i < stats->subscription_count; i++)
		put_subscription(&json, &stats->subscriptions[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	(void)putchar('\n');
}

/* ----------------------------------------------------------------------------------------- */

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(info_freep) struct nfl_client_server_info *info = NULL;
	CLEANUP(stats_freep) struct nfl_client_stats *stats = NULL;
	struct nfl_client_error err = {0};
	int r;

	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	r = nfl_client_get_server_info(client, REPORT_TIMEOUT_MS, &info, &err);
	if (r == 0)
		r = nfl_client_get_stats(client, REPORT_TIMEOUT_MS, &stats, &err);
	if (r == 0 && settings.json)
		print_json(info, stats);
	else if (r == 0)
		r = print_tables(info, stats);
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
