/* SPDX-License-Identifier: MIT */
/*
 * nflogd/plan.h - what a configuration means to the other rooms: the rules of what is read, and the
 * tenants
 *
 * Threads: any. No globals, and nothing but memory is asked of the system.
 */
#ifndef NFLOGD_PLAN_H
#define NFLOGD_PLAN_H

#include <stddef.h>

struct config;
struct history_account;
struct identity_spec;
struct policy_problem;
struct rules;
struct tenant_spec;

/**
 * plan_make - the rules of a configuration: of all tenants together
 * @accounts: of each tenant, NULL for those without a budget; NULL: none has one
 * @ret: untouched on failure; rules_done() ends it
 * Returns 0 or -ENOMEM.
 */
int plan_make(const struct config *config, struct history_account *const *accounts,
	      struct rules *ret);

/* Tenants for policy_new(), in the order of the configuration. */
struct plan_tenants {
	struct tenant_spec
	    *specs; /* owned, and their rules and filters until they are taken over */
	size_t count;
	struct identity_spec *identities; /* owned; of all of them */
};

/**
 * plan_tenants - each tenant with its own rules, filter and limits
 * @config: must live as long as the plan, which borrows its texts
 * @ret: untouched on failure; plan_tenants_done() ends it
 * @err: set with -EINVAL: what filter cannot be compiled, and why
 * Returns 0, -EINVAL or -ENOMEM.
 */
int plan_tenants(const struct config *config, struct plan_tenants *ret, struct policy_problem *err);

void plan_tenants_done(struct plan_tenants *plan);

#endif
