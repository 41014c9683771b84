/* SPDX-License-Identifier: MIT */
/* answers.h - what the server tells of itself and of its counters, as tables and as JSON */
#ifndef NFLOGCTL_ANSWERS_H
#define NFLOGCTL_ANSWERS_H

#include <stdbool.h>

#include <nfl/client.h>

#include "json.h"

/* Counters, and those of some seconds earlier where rates are wanted. */
struct answers_stats {
	const struct nfl_client_stats *now;
	const struct nfl_client_stats *before; /* NULL: no rates */
	bool utc;
};

/* The sources, and the subscriptions if there are any. 0 or -ENOMEM. */
int answers_print_stats(const struct answers_stats *stats);

/* The members "time", "sources" and "subscriptions". */
void answers_put_stats(struct json *json, const struct answers_stats *stats);

/* The members that tell of the server and of its caller. */
void answers_put_server(struct json *json, const struct nfl_client_server_info *info, bool utc);

/* For CLEANUP(). */
void answers_stats_freep(struct nfl_client_stats **stats);
void answers_info_freep(struct nfl_client_server_info **info);

#endif
