/* SPDX-License-Identifier: MIT */
/*
 * Budgets that logs share, and what is given up first when one is spent: slabs of closed logs, in the
 * order in which they were closed. What a source that is gone has left is worth less than what those
 * that live are logging.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "log_state.h"

int history_new(size_t bytes_total, struct history **ret)
{
	CLEANUP(freep) struct history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return -ENOMEM;
	r = pthread_mutex_init(&history->lock, NULL);
	if (r)
		return -r;
	atomic_init(&history->total.bytes_max, bytes_total);
	*ret = TAKE_PTR(history);
	return 0;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	(void)pthread_mutex_destroy(&history->lock);
	free(history);
}

int history_account_new(struct history *history, size_t bytes_max, struct history_account **ret)
{
	struct history_account *account = calloc(1, sizeof(*account));

	(void)history; /* its logs name it, too */
	if (!account)
		return -ENOMEM;
	atomic_init(&account->budget.bytes_max, bytes_max);
	*ret = account;
	return 0;
}

void history_set_bytes(struct history *history, size_t bytes_total)
{
	atomic_store(&history->total.bytes_max, bytes_total);
}

void history_account_set_bytes(struct history_account *account, size_t bytes_max)
{
	atomic_store(&account->budget.bytes_max, bytes_max);
}

void history_account_free(struct history_account *account)
{
	free(account);
}

void budget_take(struct history_log *log, size_t footprint)
{
	atomic_fetch_add(&log->history->total.bytes_used, footprint);
	if (log->account)
		atomic_fetch_add(&log->account->budget.bytes_used, footprint);
}

void budget_give_back(struct history_log *log, size_t footprint)
{
	atomic_fetch_sub(&log->history->total.bytes_used, footprint);
	if (log->account)
		atomic_fetch_sub(&log->account->budget.bytes_used, footprint);
}

static bool is_spent(const struct budget *budget, size_t footprint)
{
	return atomic_load(&budget->bytes_used) + footprint > atomic_load(&budget->bytes_max);
}

bool budget_is_spent(const struct history_log *log, size_t footprint)
{
	return is_spent(&log->history->total, footprint) ||
	       (log->account && is_spent(&log->account->budget, footprint));
}

/* [history's lock] */
static void unlist(struct history_log *log)
{
	struct history *history = log->history;

	if (!log->listed)
		return;
	if (log->closed_previous)
		log->closed_previous->closed_next = log->closed_next;
	else
		history->closed_first = log->closed_next;
	if (log->closed_next)
		log->closed_next->closed_previous = log->closed_previous;
	else
		history->closed_last = log->closed_previous;
	log->listed = false;
}

/* [history's lock] The next one to give up a slab; @account NULL: of any. */
static struct history_log *find_closed(const struct history *history,
				       const struct history_account *account)
{
	struct history_log *log = history->closed_first;

	while (log && account && log->account != account)
		log = log->closed_next;
	return log;
}

/* [history's lock] Drops the oldest slab of a closed log; without any it leaves the list. */
static void give_up_slab(struct history_log *log)
{
	bool empty;

	(void)pthread_mutex_lock(&log->lock);
	if (log->oldest < log->next)
		log_drop_oldest(log);
	empty = log->oldest == log->next;
	(void)pthread_mutex_unlock(&log->lock);
	if (empty)
		unlist(log);
}

/* [history's lock] */
static void shrink(struct history *history, const struct budget *budget,
		   const struct history_account *account, size_t footprint)
{
	while (is_spent(budget, footprint)) {
		struct history_log *log = find_closed(history, account);

		if (!log)
			return;
		give_up_slab(log);
	}
}

void budget_make_room(struct history_log *log, size_t footprint)
{
	struct history *history = log->history;

	if (!budget_is_spent(log, footprint))
		return;
	(void)pthread_mutex_lock(&history->lock);
	if (log->account)
		shrink(history, &log->account->budget, log->account, footprint);
	shrink(history, &history->total, NULL, footprint);
	(void)pthread_mutex_unlock(&history->lock);
}

void budget_forget(struct history_log *log)
{
	(void)pthread_mutex_lock(&log->history->lock);
	unlist(log);
	(void)pthread_mutex_unlock(&log->history->lock);
}

void history_log_close(struct history_log *log)
{
	struct history *history = log->history;

	history_publish(log); /* what is dropped from now on counts as lost, not as never been */
	(void)pthread_mutex_lock(&history->lock);
	if (!log->closed) {
		log->closed = true;
		log->listed = true;
		log->closed_next = NULL;
		log->closed_previous = history->closed_last;
		if (history->closed_last)
			history->closed_last->closed_next = log;
		else
			history->closed_first = log;
		history->closed_last = log;
	}
	(void)pthread_mutex_unlock(&history->lock);
}

void history_log_clear(struct history_log *log)
{
	(void)pthread_mutex_lock(&log->history->lock);
	while (log->listed)
		give_up_slab(log);
	(void)pthread_mutex_unlock(&log->history->lock);
}
