/* SPDX-License-Identifier: MIT */
/* A search tree of names and budgets. */
#include "budgets.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "history.h"

struct account {
	char *tenant; /* owned */
	struct history_account *budget;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct account *)a)->tenant, ((const struct account *)b)->tenant);
}

static void account_free(void *data)
{
	struct account *account = data;

	history_account_free(account->budget);
	free(account->tenant);
	free(account);
}

static void account_freep(struct account **account)
{
	if (*account)
		account_free(*account);
}

static int account_new(struct history *history, const char *tenant, size_t bytes_max,
		       struct account **ret)
{
	CLEANUP(account_freep) struct account *account = calloc(1, sizeof(*account));
	int r;

	if (!account)
		return -ENOMEM;
	account->tenant = strdup(tenant);
	if (!account->tenant)
		return -ENOMEM;
	r = history_account_new(history, bytes_max, &account->budget);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(account);
	return 0;
}

int budgets_get(struct budgets *budgets, struct history *history, const char *tenant,
		uint64_t bytes, struct history_account **ret)
{
	CLEANUP(account_freep) struct account *made = NULL;
	size_t bytes_max = bytes ? (size_t)bytes : SIZE_MAX;
	struct account **found;
	int r = account_new(history, tenant, bytes_max, &made);

	if (r < 0)
		return r;
	found = tsearch(made, &budgets->tree, compare);
	if (!found)
		return -ENOMEM;
	if (*found == made)
		(void)TAKE_PTR(made);
	else
		history_account_set_bytes((*found)->budget, bytes_max);
	*ret = (*found)->budget;
	return 0;
}

void budgets_done(struct budgets *budgets)
{
	tdestroy(budgets->tree, account_free);
	budgets->tree = NULL;
}
