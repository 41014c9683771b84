/* SPDX-License-Identifier: MIT */
/* check.h - what may stand only once: groups of a namespace, tenants, identities, endpoints */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "tree.h"

/* Groups of one source that overlap. @list: the entries, for their places. */
void check_groups(struct problems *problems, const struct node *list,
		  const struct config_source *source);

/* The rest, over the whole configuration, which may be incomplete where problems were found. */
void check_config(struct problems *problems, const struct config *config);

#endif
