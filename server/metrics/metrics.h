/* SPDX-License-Identifier: MIT */
/*
 * metrics/metrics.h - what is measured, for Prometheus, at /metrics
 *
 * Labels are namespaces, groups, tenants and stages: nothing that a packet could choose. Whoever reaches
 * the address can read all of it.
 *
 * Threads: open, start, free and the counters from main; the page is made on a thread of its own.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>

struct metrics;
struct registry;
struct rpc;

/* Sources beyond so many are one series together, with empty labels: sums stay right. */
#define METRICS_SOURCES_MAX 4096

struct metrics_options {
	const char *listen; /* numeric address and port */
	const char *version;
	struct registry *registry; /* borrowed until metrics_free(), as is the next */
	struct rpc *rpc;
};

/* Binds; nobody is answered before metrics_start(). 0 or -errno. */
int metrics_open(const struct metrics_options *options, struct metrics **ret);
int metrics_start(struct metrics *metrics);
void metrics_free(struct metrics *metrics); /* NULL is allowed; ends the thread first */

/* The configuration was read again, and is in force or was refused. NULL is allowed. */
void metrics_count_reload(struct metrics *metrics, bool is_applied);

#endif
