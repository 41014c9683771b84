/* SPDX-License-Identifier: MIT */
/* filter_keys.h - a tenant's packet filter: maps of the file as terms of <nfl/filter.h> */
#ifndef CONFIG_FILTER_KEYS_H
#define CONFIG_FILTER_KEYS_H

struct config_filter;

extern const struct schema schema_filter; /* of struct config_filter */

void filter_done(struct config_filter *filter);

#endif
