/* SPDX-License-Identifier: MIT */
/*
 * rpc/tally.h - what subscriptions of a tenant have counted, those that are over included
 *
 * By the tenant's name, so that a reload does not begin anew; there are as many as tenants have ever been
 * configured. Threads: any, with the lock of the list of subscriptions.
 */
#ifndef RPC_TALLY_H
#define RPC_TALLY_H

#include <stdint.h>

#include "rpc.h"

struct policy;
struct subscription;

struct tally {
	struct tally *next;
	char *name;                     /* owned */
	struct rpc_tenant_counts ended; /* of subscriptions that are over, and `started`; no name */
};

/* Finds or makes the tally of a tenant; NULL without memory. Borrowed from @list. */
struct tally *tally_get(struct tally **list, const char *name);
/* One for each tenant, so that its counters are seen to begin at 0. 0 or -ENOMEM. */
int tally_tenants(struct tally **list, const struct policy *policy);
void tally_free_all(struct tally *list);

/* Adds what a subscription has counted. */
void tally_add(struct rpc_tenant_counts *counts, const struct subscription *sub);

#endif
