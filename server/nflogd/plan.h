/* SPDX-License-Identifier: MIT */
/* nflogd/plan.h - what the configuration makes the daemon read, as rules of the keeper */
#ifndef NFLOGD_PLAN_H
#define NFLOGD_PLAN_H

struct config;
struct history_account;
struct rules;

/**
 * plan_make - the rules of a configuration
 * @accounts: of each tenant, NULL for those without a budget; NULL: none has one
 * @ret: untouched on failure; rules_done() ends it
 * Returns 0 or -ENOMEM.
 */
int plan_make(const struct config *config, struct history_account *const *accounts,
	      struct rules *ret);

#endif
