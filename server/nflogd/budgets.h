/* SPDX-License-Identifier: MIT */
/*
 * nflogd/budgets.h - the history budget of each tenant, by its name, across reloads
 *
 * A source stays charged to the account that it was added with, so an account lives until the end,
 * also when a reload has removed its tenant. Threads: main.
 */
#ifndef NFLOGD_BUDGETS_H
#define NFLOGD_BUDGETS_H

#include <stdint.h>

struct history;
struct history_account;

struct budgets {
	void *tree; /* tsearch(3), by tenant */
};

/**
 * budgets_get - the account of a tenant, made when there is none yet
 * @bytes: its budget from now on; 0: no limit
 * @ret: borrowed, until budgets_done()
 * 0 or -ENOMEM.
 */
int budgets_get(struct budgets *budgets, struct history *history, const char *tenant,
		uint64_t bytes, struct history_account **ret);
void budgets_done(struct budgets *budgets); /* after all logs */

#endif
