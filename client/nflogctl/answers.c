/* SPDX-License-Identifier: MIT */
/* Rows and members of counters, for status, stats and whoami. */
#include "answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nfl/render.h>

#include "bytes.h"
#include "cleanup.h"
#include "clock.h"
#include "output.h"
#include "table.h"

void answers_stats_freep(struct nfl_client_stats **stats)
{
	nfl_client_stats_free(*stats);
}

void answers_info_freep(struct nfl_client_server_info **info)
{
	nfl_client_server_info_free(*info);
}

/* --- rates ------------------------------------------------------------------------------- */

/* Of a counter that is of the same thing; a server that was restarted begins at zero. */
static double rate(const struct answers_stats *stats, uint64_t now, uint64_t before)
{
	double seconds = (double)(stats->now->time_ns - stats->before->time_ns) / (double)NS_PER_S;

	return seconds > 0 && now >= before ? (double)(now - before) / seconds : 0;
}

/* What a source received a second; 0 where it was not there before. */
static double source_rate(const struct answers_stats *stats,
			  const struct nfl_client_source_stats *source)
{
	for (size_t i = 0; i < stats->before->source_count; i++) {
		const struct nfl_client_source_stats *old = &stats->before->sources[i];

		if (old->source.id == source->source.id)
			return rate(stats, source->packets_received, old->packets_received);
	}
	return 0;
}

static double subscription_rate(const struct answers_stats *stats,
				const struct nfl_client_subscription_stats *one)
{
	for (size_t i = 0; i < stats->before->subscription_count; i++) {
		const struct nfl_client_subscription_stats *old = &stats->before->subscriptions[i];

		if (strcmp(old->subscription_id, one->subscription_id) == 0)
			return rate(stats, one->packets_sent, old->packets_sent);
	}
	return 0;
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

static int print_sources(const struct answers_stats *stats)
{
	static const char *const headings[] = {"NETNS",    ">GROUP", "STATE",      ">PACKETS/S",
					       ">PACKETS", ">LOST",  ">MALFORMED", ">OVERRUNS",
					       ">HISTORY", "DETAIL"};
	static const char *const without_rates[] = {"NETNS",     ">GROUP",   "STATE",
						    ">PACKETS",  ">LOST",    ">MALFORMED",
						    ">OVERRUNS", ">HISTORY", "DETAIL"};
	CLEANUP(table_done)
	struct table table = {
	    .headings = stats->before ? headings : without_rates,
	    .columns = stats->before ? ARRAY_SIZE(headings) : ARRAY_SIZE(without_rates),
	};

	for (size_t i = 0; i < stats->now->source_count; i++) {
		const struct nfl_client_source_stats *source = &stats->now->sources[i];

		table_text(&table, source->source.netns);
		table_number(&table, source->source.group);
		table_text(&table, state_name(source->source.state));
		if (stats->before)
			table_format(&table, "%.1f", source_rate(stats, source));
		table_number(&table, source->packets_received);
		table_number(&table, source->packets_lost_kernel);
		table_number(&table, source->packets_lost_decode);
		table_number(&table, source->socket_overruns);
		table_size(&table, source->ring_used_bytes);
		table_text(&table, source->source.detail);
	}
	return table_print(&table, stdout);
}

static int print_subscriptions(const struct answers_stats *stats)
{
	static const char *const headings[] = {"SUBSCRIPTION", "LABEL",      "PEER",
					       "SINCE",        ">PACKETS/S", ">PACKETS",
					       ">LOST",        ">FILTERED",  ">BEHIND"};
	static const char *const without_rates[] = {
	    "SUBSCRIPTION", "LABEL", "PEER", "SINCE", ">PACKETS", ">LOST", ">FILTERED", ">BEHIND"};
	CLEANUP(table_done)
	struct table table = {
	    .headings = stats->before ? headings : without_rates,
	    .columns = stats->before ? ARRAY_SIZE(headings) : ARRAY_SIZE(without_rates),
	};

	for (size_t i = 0; i < stats->now->subscription_count; i++) {
		const struct nfl_client_subscription_stats *one = &stats->now->subscriptions[i];

		table_text(&table, one->subscription_id);
		table_text(&table, one->client_label);
		table_text(&table, one->peer);
		table_time(&table, one->start_time_ns, stats->utc);
		if (stats->before)
			table_format(&table, "%.1f", subscription_rate(stats, one));
		table_number(&table, one->packets_sent);
		table_number(&table, one->packets_lost);
		table_number(&table, one->packets_filtered);
		table_size(&table, one->lag_bytes);
	}
	return table_print(&table, stdout);
}

int answers_print_stats(const struct answers_stats *stats)
{
	int r = print_sources(stats);

	if (r < 0 || stats->now->subscription_count == 0)
		return r;
	(void)putchar('\n');
	return print_subscriptions(stats);
}

/* --- as JSON ----------------------------------------------------------------------------- */

void answers_put_server(struct json *json, const struct nfl_client_server_info *info, bool utc)
{
	uint32_t flags = utc ? NFL_RENDER_UTC : 0;

	json_text(json, "host_name", info->host_name);
	json_text(json, "version", info->version);
	json_text(json, "server_epoch", info->server_epoch);
	json_time(json, "start_time", info->start_time_ns, flags);
	json_time(json, "config_load_time", info->config_load_time_ns, flags);
	json_text(json, "tenant", info->tenant);
	json_text(json, "principal", info->principal);
	json_open(json, "limits", '{');
	json_number(json, "max_subscriptions", info->max_subscriptions);
	json_number(json, "max_filters", info->max_filters);
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

static void put_source(struct json *json, const struct answers_stats *stats,
		       const struct nfl_client_source_stats *source)
{
	uint32_t flags = stats->utc ? NFL_RENDER_UTC : 0;

	json_open(json, NULL, '{');
	json_source(json, &source->source, flags);
	json_number(json, "packets_received", source->packets_received);
	json_number(json, "bytes_received", source->bytes_received);
	json_number(json, "packets_lost_kernel", source->packets_lost_kernel);
	json_number(json, "packets_lost_decode", source->packets_lost_decode);
	json_number(json, "socket_overruns", source->socket_overruns);
	json_number(json, "datagrams_foreign", source->datagrams_foreign);
	json_number(json, "ring_packets", source->ring_packets);
	json_number(json, "ring_capacity_bytes", source->ring_capacity_bytes);
	json_number(json, "ring_used_bytes", source->ring_used_bytes);
	json_time(json, "oldest_packet_time", source->oldest_packet_time_ns, flags);
	json_time(json, "newest_packet_time", source->newest_packet_time_ns, flags);
	if (stats->before)
		json_rate(json, "packets_per_second", source_rate(stats, source));
	json_close(json, '}');
}

static void put_subscription(struct json *json, const struct answers_stats *stats,
			     const struct nfl_client_subscription_stats *one)
{
	json_open(json, NULL, '{');
	json_text(json, "subscription_id", one->subscription_id);
	json_text(json, "client_label", one->client_label);
	json_text(json, "peer", one->peer);
	json_time(json, "start_time", one->start_time_ns, stats->utc ? NFL_RENDER_UTC : 0);
	json_number(json, "packets_sent", one->packets_sent);
	json_number(json, "bytes_sent", one->bytes_sent);
	json_number(json, "packets_filtered", one->packets_filtered);
	json_number(json, "packets_lost", one->packets_lost);
	json_number(json, "lag_bytes", one->lag_bytes);
	json_number(json, "max_lag_bytes", one->max_lag_bytes);
	json_number(json, "lag_ms", one->lag_ms);
	if (stats->before)
		json_rate(json, "packets_per_second", subscription_rate(stats, one));
	json_close(json, '}');
}

void answers_put_stats(struct json *json, const struct answers_stats *stats)
{
	json_time(json, "time", stats->now->time_ns, stats->utc ? NFL_RENDER_UTC : 0);
	json_open(json, "sources", '[');
	for (size_t i = 0; i < stats->now->source_count; i++)
		put_source(json, stats, &stats->now->sources[i]);
	json_close(json, ']');
	json_open(json, "subscriptions", '[');
	for (size_t i = 0; i < stats->now->subscription_count; i++)
		put_subscription(json, stats, &stats->now->subscriptions[i]);
	json_close(json, ']');
}
