/* SPDX-License-Identifier: MIT */
/*
 * rpc/access.h - which tenant makes a call, and what it may see
 *
 * Decided before the request is looked at, and again when the policy is another one.
 * Threads: the call's queue.
 */
#ifndef RPC_ACCESS_H
#define RPC_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct identity;
struct policy;
struct source;
struct source_list;
struct status;
struct tenant;
struct tenant_limits;
struct wire_cut;

/* The same whether or not the thing exists. */
#define ACCESS_DENIED_TEXT  "the tenant has no grant for what is asked for"
#define ACCESS_REVOKED_TEXT "the grant was revoked"

struct access {
	struct identity *identity;   /* owned; what was proved */
	struct policy *policy;       /* a reference; NULL: the call was not let in */
	const struct tenant *tenant; /* borrowed from it */
	uint64_t generation;         /* of the policy */
};

/* Finds the tenant. False with UNAUTHENTICATED (or for want of memory) in @err. */
bool access_begin(struct call *call, struct status *err);
void access_done(struct access *access);

/* Is there another policy since the tenant was found? Cheap. */
bool access_is_stale(const struct call *call);
/* Finds the tenant by the policy of now. False: it is none, or another one, any more. */
bool access_renew(struct call *call);

/* May the tenant see the source, and how much of its packets? */
bool access_cut(const struct tenant *tenant, const struct source *source, struct wire_cut *ret);
/* Leaves out of a list what the tenant may not see. */
void access_filter(const struct tenant *tenant, struct source_list *list);

/**
 * access_check - is everything that is named within the tenant's grants, whether it exists or not?
 * Each name must be granted with one of the groups, and each group in one of the names. It looks at
 * nothing but the grants. False with PERMISSION_DENIED in @err.
 */
bool access_check(const struct tenant *tenant, char *const *netns, size_t netns_count,
		  const uint32_t *groups, size_t group_count, struct status *err);

#endif
