/* SPDX-License-Identifier: MIT */
/*
 * The page: tables of what sources, tenants and the server count. A row of a table is a line of an
 * enum and of the rows; values are found by the enum.
 *
 * The equation of every subscriber can be read from it: what its sources have generated is
 * nflogd_source_packets_total and nflogd_source_lost_packets_total; what became of it is sent, filtered,
 * lost, or pending.
 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "history.h"
#include "http.h"
#include "rpc.h"
#include "source.h"
#include "text.h"

struct metrics {
	struct http *http; /* owned */
	char *version;     /* owned */
	struct registry *registry;
	struct rpc *rpc;
	_Atomic uint64_t reloads_applied;
	_Atomic uint64_t reloads_refused;
	_Atomic bool last_reload_refused;
	uint64_t pages; /* the server's thread only */
};

/* --- sources ------------------------------------------------------------------------------------ */

enum source_row {
	SOURCE_PACKETS,
	SOURCE_BYTES,
	SOURCE_LOST_KERNEL,
	SOURCE_LOST_DECODE,
	SOURCE_LOST_UNSETTLED,
	SOURCE_OVERRUNS,
	SOURCE_FOREIGN,
	SOURCE_IS_LISTENING,
	SOURCE_LAST_PACKET,
	SOURCE_HISTORY_PACKETS,
	SOURCE_HISTORY_BYTES,
	SOURCE_HISTORY_LIMIT,
};
#define SOURCE_ROWS 12

static const struct text_row source_rows[SOURCE_ROWS] = {
    [SOURCE_PACKETS] = {"nflogd_source_packets_total", TEXT_COUNTER,
			"Packets received from the kernel and stored.", NULL},
    [SOURCE_BYTES] = {"nflogd_source_received_bytes_total", TEXT_COUNTER,
		      "Bytes of the datagrams received from the kernel.", NULL},
    [SOURCE_LOST_KERNEL] = {"nflogd_source_lost_packets_total", TEXT_COUNTER,
			    "Packets that were logged and not stored, by the stage that lost them.",
			    "stage=\"kernel_socket\""},
    [SOURCE_LOST_DECODE] = {"nflogd_source_lost_packets_total", TEXT_COUNTER, "",
			    "stage=\"decode\""},
    [SOURCE_LOST_UNSETTLED] = {"nflogd_source_lost_packets_unsettled", TEXT_GAUGE,
			       "Packets lost after the last one that came: at least so many, and "
			       "in the counter already.",
			       NULL},
    [SOURCE_OVERRUNS] = {"nflogd_source_socket_overruns_total", TEXT_COUNTER,
			 "Times that the kernel said its socket buffer was full.", NULL},
    [SOURCE_FOREIGN] = {"nflogd_source_foreign_datagrams_total", TEXT_COUNTER,
			"Datagrams that were not the kernel's, dropped.", NULL},
    [SOURCE_IS_LISTENING] = {"nflogd_source_listening", TEXT_GAUGE,
			     "1 while the group is bound and read, else 0.", NULL},
    [SOURCE_LAST_PACKET] = {"nflogd_source_last_packet_timestamp_seconds", TEXT_TIME,
			    "When the newest packet was received; 0 before the first.", NULL},
    [SOURCE_HISTORY_PACKETS] = {"nflogd_source_history_packets", TEXT_GAUGE,
				"Packets that can be read again.", NULL},
    [SOURCE_HISTORY_BYTES] = {"nflogd_source_history_bytes", TEXT_GAUGE,
			      "Memory of the source's history.", NULL},
    [SOURCE_HISTORY_LIMIT] = {"nflogd_source_history_limit_bytes", TEXT_GAUGE,
			      "The most that the source's history may take.", NULL},
};

static void measure_source(struct source *source, uint64_t values[SOURCE_ROWS])
{
	struct source_status status;
	struct history_stats history;

	source_status(source, &status);
	history_log_stats(source->log, &history);
	values[SOURCE_PACKETS] = atomic_load(&source->packets);
	values[SOURCE_BYTES] = atomic_load(&source->bytes);
	values[SOURCE_LOST_KERNEL] = atomic_load(&source->lost_kernel);
	values[SOURCE_LOST_DECODE] = atomic_load(&source->lost_decode);
	values[SOURCE_LOST_UNSETTLED] = atomic_load(&source->lost_tail);
	values[SOURCE_OVERRUNS] = atomic_load(&source->overruns);
	values[SOURCE_FOREIGN] = atomic_load(&source->foreign);
	values[SOURCE_IS_LISTENING] = status.state == SOURCE_LISTENING;
	values[SOURCE_LAST_PACKET] = (uint64_t)atomic_load(&source->last_packet_ns);
	values[SOURCE_HISTORY_PACKETS] = history.records;
	values[SOURCE_HISTORY_BYTES] = history.bytes_used;
	values[SOURCE_HISTORY_LIMIT] = history.bytes_max;
}

static char *label_source(const char *netns, const char *group)
{
	struct text text = {0};

	text_label(&text, "netns", netns);
	text_add(&text, ",");
	text_label(&text, "group", group);
	if (text.failed)
		text_done(&text);
	return text.bytes;
}

/* Sources that have no series of their own. */
static void add_rest(uint64_t *values, const uint64_t *more)
{
	for (size_t row = 0; row < SOURCE_ROWS; row++) {
		if (source_rows[row].type != TEXT_TIME)
			values[row] += more[row];
		else if (more[row] > values[row])
			values[row] = more[row];
	}
}

struct items {
	struct text_item *items; /* owned, and their labels */
	uint64_t *values;        /* owned; of all items */
	size_t count;
};

static void items_done(struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->items[i].labels);
	free(items->items);
	free(items->values);
}

static bool items_init(struct items *items, size_t max, size_t rows)
{
	items->items = calloc(max + 1, sizeof(*items->items));
	items->values = calloc(max + 1, rows * sizeof(*items->values));
	return items->items && items->values;
}

/* The next item; @labels is taken over. NULL: @labels is. */
static uint64_t *items_add(struct items *items, size_t rows, char *labels)
{
	uint64_t *values = items->values + items->count * rows;

	if (!labels)
		return NULL;
	items->items[items->count++] = (struct text_item){.labels = labels, .values = values};
	return values;
}

static bool fill_sources(const struct source_list *list, struct items *items)
{
	uint64_t *rest = NULL;

	for (size_t i = 0; i < list->count; i++) {
		struct source *source = list->items[i];
		uint64_t values[SOURCE_ROWS];
		char group[8];
		uint64_t *place = rest;

		(void)snprintf(group, sizeof(group), "%u", source->group);
		if (i < METRICS_SOURCES_MAX)
			place = items_add(items, SOURCE_ROWS, label_source(source->netns, group));
		else if (!rest)
			place = rest = items_add(items, SOURCE_ROWS, label_source("", ""));
		if (!place)
			return false;
		measure_source(source, values);
		add_rest(place, values);
	}
	return true;
}

static void write_sources(const struct metrics *metrics, struct text *text)
{
	const struct source_query all = {0};
	CLEANUP(source_list_done) struct source_list list = {0};
	CLEANUP(items_done) struct items items = {0};
	size_t max;

	if (registry_select(metrics->registry, &all, &list) < 0) {
		text->failed = true;
		return;
	}
	max = list.count < METRICS_SOURCES_MAX ? list.count : METRICS_SOURCES_MAX + 1;
	if (items_init(&items, max, SOURCE_ROWS) && fill_sources(&list, &items))
		text_table(text, source_rows, SOURCE_ROWS, items.items, items.count);
	else
		text->failed = true;
}

/* --- tenants ------------------------------------------------------------------------------------ */

enum tenant_row {
	TENANT_SUBSCRIPTIONS,
	TENANT_STARTED,
	TENANT_SENT,
	TENANT_SENT_BYTES,
	TENANT_FILTERED,
	TENANT_LOST, /* and RPC_LOSS_STAGES - 1 more */
	TENANT_PENDING = TENANT_LOST + RPC_LOSS_STAGES,
	TENANT_PENDING_BYTES,
};
#define TENANT_ROWS (TENANT_LOST + RPC_LOSS_STAGES + 2)

#define LOST_NAME "nflogd_subscription_packets_lost_total"

static const struct text_row tenant_rows[TENANT_ROWS] = {
    [TENANT_SUBSCRIPTIONS] = {"nflogd_subscriptions", TEXT_GAUGE, "Subscriptions now.", NULL},
    [TENANT_STARTED] = {"nflogd_subscriptions_started_total", TEXT_COUNTER,
			"Subscriptions that began.", NULL},
    [TENANT_SENT] = {"nflogd_subscription_packets_sent_total", TEXT_COUNTER,
		     "Packets sent to subscribers.", NULL},
    [TENANT_SENT_BYTES] = {"nflogd_subscription_sent_bytes_total", TEXT_COUNTER,
			   "Bytes of messages sent to subscribers.", NULL},
    [TENANT_FILTERED] = {"nflogd_subscription_packets_filtered_total", TEXT_COUNTER,
			 "Packets held back by filters.", NULL},
    [TENANT_LOST] = {LOST_NAME, TEXT_COUNTER,
		     "Packets that subscribers were told are lost, by the stage that lost them.",
		     "stage=\"kernel_socket\""},
    [TENANT_LOST + 1] = {LOST_NAME, TEXT_COUNTER, "", "stage=\"decode\""},
    [TENANT_LOST + 2] = {LOST_NAME, TEXT_COUNTER, "", "stage=\"history\""},
    [TENANT_LOST + 3] = {LOST_NAME, TEXT_COUNTER, "", "stage=\"rate_limit\""},
    [TENANT_PENDING] = {"nflogd_subscription_packets_pending", TEXT_GAUGE,
			"Packets in the history that subscribers have not read yet.", NULL},
    [TENANT_PENDING_BYTES] = {"nflogd_subscription_pending_bytes", TEXT_GAUGE,
			      "The same in bytes of the history.", NULL},
};

static char *label_tenant(const char *name)
{
	struct text text = {0};

	text_label(&text, "tenant", name);
	if (text.failed)
		text_done(&text);
	return text.bytes;
}

static bool fill_tenants(const struct rpc_counts *counts, struct items *items)
{
	for (size_t i = 0; i < counts->tenant_count; i++) {
		const struct rpc_tenant_counts *tenant = &counts->tenants[i];
		uint64_t *values = items_add(items, TENANT_ROWS, label_tenant(tenant->name));

		if (!values)
			return false;
		values[TENANT_SUBSCRIPTIONS] = tenant->subscriptions;
		values[TENANT_STARTED] = tenant->started;
		values[TENANT_SENT] = tenant->packets_sent;
		values[TENANT_SENT_BYTES] = tenant->bytes_sent;
		values[TENANT_FILTERED] = tenant->packets_filtered;
		memcpy(&values[TENANT_LOST], tenant->packets_lost, sizeof(tenant->packets_lost));
		values[TENANT_PENDING] = tenant->packets_pending;
		values[TENANT_PENDING_BYTES] = tenant->bytes_pending;
	}
	return true;
}

static void write_tenants(const struct rpc_counts *counts, struct text *text)
{
	CLEANUP(items_done) struct items items = {0};

	if (items_init(&items, counts->tenant_count, TENANT_ROWS) && fill_tenants(counts, &items))
		text_table(text, tenant_rows, TENANT_ROWS, items.items, items.count);
	else
		text->failed = true;
}

/* --- the server --------------------------------------------------------------------------------- */

enum server_row {
	SERVER_REFUSED,
	SERVER_ANONYMOUS,
	SERVER_CUT_OVERDRAWN,
	SERVER_CUT_SILENT,
	SERVER_CUT_REFUSED,
	SERVER_RELOADS_APPLIED,
	SERVER_RELOADS_REFUSED,
	SERVER_RELOAD_WORKED,
	SERVER_RELOAD_TIME,
	SERVER_PAGES,
	SERVER_START_TIME,
	SERVER_CPU,
	SERVER_MEMORY,
};
#define SERVER_ROWS 13

static const struct text_row server_rows[SERVER_ROWS] = {
    [SERVER_REFUSED] = {"nflogd_calls_refused_total", TEXT_COUNTER,
			"Calls whose credentials were no tenant's.", NULL},
    [SERVER_ANONYMOUS] = {"nflogd_anonymous_calls", TEXT_GAUGE,
			  "Calls of health and reflection now, which need no credentials.", NULL},
    [SERVER_CUT_OVERDRAWN] = {"nflogd_connections_cut_total", TEXT_COUNTER,
			      "Connections ended before gRPC saw more of them, and why.",
			      "reason=\"overdrawn\""},
    [SERVER_CUT_SILENT] = {"nflogd_connections_cut_total", TEXT_COUNTER, "", "reason=\"silent\""},
    [SERVER_CUT_REFUSED] = {"nflogd_connections_cut_total", TEXT_COUNTER, "", "reason=\"refused\""},
    [SERVER_RELOADS_APPLIED] = {"nflogd_config_reloads_total", TEXT_COUNTER,
				"Times that the configuration was read again.",
				"result=\"applied\""},
    [SERVER_RELOADS_REFUSED] = {"nflogd_config_reloads_total", TEXT_COUNTER, "",
				"result=\"refused\""},
    [SERVER_RELOAD_WORKED] = {"nflogd_config_last_reload_successful", TEXT_GAUGE,
			      "0 when the configuration as it is now was refused, else 1.", NULL},
    [SERVER_RELOAD_TIME] = {"nflogd_config_last_reload_success_timestamp_seconds", TEXT_TIME,
			    "When the configuration in force was read.", NULL},
    [SERVER_PAGES] = {"nflogd_metrics_pages_total", TEXT_COUNTER, "Times that this page was made.",
		      NULL},
    [SERVER_START_TIME] = {"process_start_time_seconds", TEXT_TIME, "When nflogd was started.",
			   NULL},
    [SERVER_CPU] = {"process_cpu_seconds_total", TEXT_SECONDS_COUNTER,
		    "CPU time of the daemon's process, without the opener's.", NULL},
    [SERVER_MEMORY] = {"process_resident_memory_bytes", TEXT_GAUGE,
		       "Memory of the daemon's process, without the opener's.", NULL},
};

static uint64_t cpu_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (uint64_t)NS_PER_S +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * (uint64_t)NS_PER_US;
}

/* 0: /proc cannot be read. */
static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	(void)fclose(file); /* was only read */
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_server(struct metrics *metrics, const struct rpc_counts *counts,
			 struct text *text)
{
	char no_labels[] = "";
	uint64_t values[SERVER_ROWS] = {
	    [SERVER_REFUSED] = counts->calls_refused,
	    [SERVER_ANONYMOUS] = counts->anonymous_calls,
	    [SERVER_CUT_OVERDRAWN] = counts->cut_overdrawn,
	    [SERVER_CUT_SILENT] = counts->cut_silent,
	    [SERVER_CUT_REFUSED] = counts->cut_refused,
	    [SERVER_RELOADS_APPLIED] = atomic_load(&metrics->reloads_applied),
	    [SERVER_RELOADS_REFUSED] = atomic_load(&metrics->reloads_refused),
	    [SERVER_RELOAD_WORKED] = !atomic_load(&metrics->last_reload_refused),
	    [SERVER_RELOAD_TIME] = (uint64_t)counts->config_load_time_ns,
	    [SERVER_PAGES] = ++metrics->pages,
	    [SERVER_START_TIME] = (uint64_t)counts->start_time_ns,
	    [SERVER_CPU] = cpu_ns(),
	    [SERVER_MEMORY] = resident_bytes(),
	};
	const struct text_item item = {.labels = no_labels, .values = values};

	text_add(text, "# HELP nflogd_build_info 1; the version is the label.\n"
		       "# TYPE nflogd_build_info gauge\nnflogd_build_info{");
	text_label(text, "version", metrics->version);
	text_add(text, "} 1\n");
	text_table(text, server_rows, SERVER_ROWS, &item, 1);
}

/* --- life --------------------------------------------------------------------------------------- */

static void write_page(void *data, struct text *text)
{
	struct metrics *metrics = data;
	CLEANUP(rpc_counts_done) struct rpc_counts counts = {0};

	if (rpc_count(metrics->rpc, &counts) < 0) {
		text->failed = true;
		return;
	}
	write_server(metrics, &counts, text);
	write_tenants(&counts, text);
	write_sources(metrics, text);
}

static void metrics_freep(struct metrics **metrics)
{
	metrics_free(*metrics);
}

int metrics_open(const struct metrics_options *options, struct metrics **ret)
{
	CLEANUP(metrics_freep) struct metrics *metrics = calloc(1, sizeof(*metrics));
	struct http_options http = {
	    .listen = options->listen, .write = write_page, .data = metrics};
	int r;

	if (!metrics)
		return -ENOMEM;
	metrics->registry = options->registry;
	metrics->rpc = options->rpc;
	metrics->version = strdup(options->version);
	if (!metrics->version)
		return -ENOMEM;
	r = http_open(&http, &metrics->http);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(metrics);
	return 0;
}

int metrics_start(struct metrics *metrics)
{
	return http_start(metrics->http);
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	http_free(metrics->http);
	free(metrics->version);
	free(metrics);
}

void metrics_count_reload(struct metrics *metrics, bool is_applied)
{
	if (!metrics)
		return;
	atomic_fetch_add(is_applied ? &metrics->reloads_applied : &metrics->reloads_refused, 1);
	atomic_store(&metrics->last_reload_refused, !is_applied);
}
