/* SPDX-License-Identifier: MIT */
/* history/log_state.h - what a log, an account and all of them are made of; private to the room */
#ifndef HISTORY_LOG_STATE_H
#define HISTORY_LOG_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "history.h"
#include "slab.h"

/* A shared budget: footprints of the slabs that logs hold. */
struct budget {
	_Atomic size_t bytes_max;
	_Atomic size_t bytes_used;
};

struct history {
	struct budget total;
	pthread_mutex_t lock; /* before any log's */
	/* [lock] closed logs that have slabs, the one closed longest ago first; borrowed */
	struct history_log *closed_first, *closed_last;
};

struct history_account {
	struct budget budget;
};

struct history_log {
	struct history *history;         /* borrowed */
	struct history_account *account; /* borrowed, or NULL */
	size_t bytes_max;                /* const */

	struct history_log *closed_next, *closed_previous; /* [history's lock] */
	bool closed;                                       /* [history's lock] */
	bool listed; /* [history's lock] among the closed ones */

	/* writer only */
	struct history_slab *current; /* borrowed from the ring; NULL before the first record */
	uint64_t appended_records;
	uint64_t appended_bytes;

	pthread_mutex_t lock;
	struct history_slab **ring; /* [lock] owned; slab n is at n & (ring_cap - 1) */
	size_t ring_cap;            /* [lock] 0 or a power of two */
	uint64_t oldest;            /* [lock] number of the oldest slab held */
	uint64_t next;              /* [lock] number the next slab gets; oldest == next: none */
	uint64_t oldest_record;     /* [lock] number of the oldest record held */
	size_t bytes_used;          /* [lock] footprints of its slabs */
	struct history_cursor end;  /* [lock] where the next published record will be */
	uint64_t end_bytes;         /* [lock] */

	_Atomic uint64_t published; /* equals end.record, for history_end() */
};

static inline struct history_slab *slab_at(const struct history_log *log, uint64_t number)
{
	return log->ring[number & (log->ring_cap - 1)];
}

/* [log's lock] Also drops a slab that readers hold: it leaves the budgets, they keep it. */
void log_drop_oldest(struct history_log *log);

/* A slab of this footprint came into a log, or left it. */
void budget_take(struct history_log *log, size_t footprint);
void budget_give_back(struct history_log *log, size_t footprint);
/* Is there no room for this many bytes more in what the log shares with others? */
bool budget_is_spent(const struct history_log *log, size_t footprint);
/* Makes room at the cost of closed logs, as far as there are any. No lock is held. */
void budget_make_room(struct history_log *log, size_t footprint);
/* The log will not be there any more. */
void budget_forget(struct history_log *log);

#endif
