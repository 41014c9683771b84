/* SPDX-License-Identifier: MIT */
/*
 * nflogd/plan.h - what the configuration makes the daemon bind: each (namespace, group) once
 *
 * Two tenants may name the same pair. It is bound with the larger copy range and the lower latency
 * of the two. Pure: reads the configuration and one folder, opens nothing.
 */
#ifndef NFLOGD_PLAN_H
#define NFLOGD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/listener.h>

struct config;

#define PLAN_NETNS_FOLDER "/run/netns"
#define PLAN_HOST         "host" /* how the daemon's own namespace is shown */

struct plan_source {
	char *netns;                         /* owned: as shown: a name, "host", a path, "pid:N" */
	struct nfl_listener_options options; /* netns.name borrows from netns */
};

struct plan {
	struct plan_source *sources; /* owned, in the order of the configuration */
	size_t count;
};

/**
 * plan_make - all pairs of a configuration
 * @netns_folder: where names are, for globs: PLAN_NETNS_FOLDER; missing is as good as empty
 * @ret: untouched on failure; plan_done() ends it
 * Returns 0, -ENOMEM, or -errno of reading the folder.
 */
int plan_make(const struct config *config, const char *netns_folder, struct plan *ret);
void plan_done(struct plan *plan);

#endif
