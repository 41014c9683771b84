/* SPDX-License-Identifier: MIT */
/*
 * The log of one source: a ring of slab pointers, numbered consecutively from 0.
 *
 * Intake writes records into the newest slab and publishes them; subscriptions read spans at their
 * cursors; rpc asks for figures. The writer works in memory that no reader can see yet, so the lock
 * is taken only to publish, to add a slab with the dropping of old ones it needs, and to find the
 * slab of a cursor. Slabs grow from SLAB_FIRST_BYTES, so that a thousand quiet sources are cheap,
 * and there is none before the first record.
 */
#include "history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "log_state.h"

/* Footprints are whole powers of two: kind to the allocator. */
#define SLAB_FIRST_BYTES ((size_t)4096)
#define RING_FIRST       ((size_t)8)

int history_log_new(struct history *history, struct history_account *account, size_t bytes_max,
		    struct history_log **ret)
{
	CLEANUP(freep) struct history_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return -ENOMEM;
	r = pthread_mutex_init(&log->lock, NULL);
	if (r)
		return -r;
	log->history = history;
	log->account = account;
	log->bytes_max = bytes_max < 2 * HISTORY_SLAB_BYTES ? 2 * HISTORY_SLAB_BYTES : bytes_max;
	*ret = TAKE_PTR(log);
	return 0;
}

void log_drop_oldest(struct history_log *log)
{
	struct history_slab *slab = slab_at(log, log->oldest++);

	log->oldest_record = log->oldest < log->next ? slab_at(log, log->oldest)->first_record
						     : log->appended_records;
	log->bytes_used -= slab_footprint(slab->cap);
	budget_give_back(log, slab_footprint(slab->cap));
	slab_unref(slab);
}

void history_log_free(struct history_log *log)
{
	if (!log)
		return;
	budget_forget(log);
	while (log->oldest < log->next)
		log_drop_oldest(log);
	free(log->ring);
	(void)pthread_mutex_destroy(&log->lock);
	free(log);
}

/* [lock] Makes what was appended visible, in all slabs that have news. */
static void publish(struct history_log *log)
{
	uint64_t number = log->end.slab < log->oldest ? log->oldest : log->end.slab;

	for (; number < log->next; number++) {
		struct history_slab *slab = slab_at(log, number);

		slab->published = slab->used;
		log->end.slab = number;
		log->end.offset = slab->used;
	}
	log->end.record = log->appended_records;
	log->end_bytes = log->appended_bytes;
	atomic_store_explicit(&log->published, log->end.record, memory_order_release);
}

/* [lock] Room in the ring for one more pointer. */
static int grow_ring(struct history_log *log)
{
	size_t cap = log->ring_cap ? 2 * log->ring_cap : RING_FIRST;
	struct history_slab **ring;

	if (log->next - log->oldest < log->ring_cap)
		return 0;
	ring = calloc(cap, sizeof(struct history_slab *));
	if (!ring)
		return -ENOMEM;
	for (uint64_t n = log->oldest; n < log->next; n++)
		ring[n & (cap - 1)] = slab_at(log, n);
	free(log->ring);
	log->ring = ring;
	log->ring_cap = cap;
	return 0;
}

/* [lock] Is there no room for this many bytes more? */
static bool is_over_budget(const struct history_log *log, size_t footprint)
{
	return log->bytes_used + footprint > log->bytes_max || budget_is_spent(log, footprint);
}

/* [lock] The new slab becomes the current one; old ones go until the budgets hold again. */
static int push_slab(struct history_log *log, struct history_slab *slab)
{
	size_t footprint = slab_footprint(slab->cap);

	if (grow_ring(log) < 0)
		return -ENOMEM;
	/* Published before it is dropped, or cursors would be moved past the end. */
	if (log->oldest < log->next && is_over_budget(log, footprint))
		publish(log);
	while (log->oldest < log->next && is_over_budget(log, footprint))
		log_drop_oldest(log);
	slab->first_record = log->appended_records;
	slab->first_byte = log->appended_bytes;
	log->ring[log->next++ & (log->ring_cap - 1)] = slab;
	log->bytes_used += footprint;
	budget_take(log, footprint);
	log->current = slab;
	return 0;
}

/* Data bytes of the next slab: twice the last one's footprint up to the usual size. */
static size_t next_cap(const struct history_log *log, size_t bytes)
{
	size_t footprint = log->current ? 2 * slab_footprint(log->current->cap) : SLAB_FIRST_BYTES;
	size_t cap;

	if (footprint > HISTORY_SLAB_BYTES)
		footprint = HISTORY_SLAB_BYTES;
	cap = footprint - sizeof(struct history_slab);
	return cap > bytes ? cap : bytes;
}

void *history_reserve(struct history_log *log, size_t bytes)
{
	struct history_slab *slab = log->current;
	int r;

	if (slab && slab->cap - slab->used >= bytes)
		return slab->data + slab->used;
	slab = slab_new(next_cap(log, bytes));
	if (!slab)
		return NULL;
	budget_make_room(log, slab_footprint(slab->cap));
	(void)pthread_mutex_lock(&log->lock);
	r = push_slab(log, slab);
	(void)pthread_mutex_unlock(&log->lock);
	if (r < 0) {
		slab_unref(slab);
		return NULL;
	}
	return slab->data;
}

void history_append(struct history_log *log, size_t bytes)
{
	assert(log->current && bytes % 8 == 0);
	assert(bytes <= log->current->cap - log->current->used);
	log->current->used += bytes;
	log->appended_bytes += bytes;
	log->appended_records++;
}

void history_publish(struct history_log *log)
{
	(void)pthread_mutex_lock(&log->lock);
	publish(log);
	(void)pthread_mutex_unlock(&log->lock);
}

/* [lock] Moves a cursor out of slabs that are gone; returns how many records it missed. */
static uint64_t skip_dropped(const struct history_log *log, struct history_cursor *cursor)
{
	uint64_t lost;

	if (cursor->slab >= log->oldest)
		return 0;
	/* At the very end of a dropped slab nothing is missed. */
	lost = log->oldest_record - cursor->record;
	*cursor = (struct history_cursor){.record = log->oldest_record, .slab = log->oldest};
	return lost;
}

/* [lock] The slab of a cursor that is not at the end; steps over the ends of full slabs. */
static struct history_slab *find_slab(const struct history_log *log, struct history_cursor *cursor)
{
	struct history_slab *slab = slab_at(log, cursor->slab);

	while (cursor->offset == slab->published) {
		cursor->offset = 0;
		slab = slab_at(log, ++cursor->slab);
	}
	return slab;
}

bool history_read(struct history_log *log, struct history_cursor *cursor, struct history_span *ret,
		  uint64_t *ret_lost)
{
	struct history_slab *slab = NULL;

	(void)pthread_mutex_lock(&log->lock);
	*ret_lost = skip_dropped(log, cursor);
	if (cursor->record < log->end.record) {
		slab = find_slab(log, cursor);
		*ret = (struct history_span){
		    .bytes = slab->data + cursor->offset,
		    .len = slab->published - cursor->offset,
		    .first_record = cursor->record,
		    .slab = slab_ref(slab),
		};
	}
	(void)pthread_mutex_unlock(&log->lock);
	return slab != NULL;
}

void history_release(struct history_span *span)
{
	slab_unref(span->slab);
	span->slab = NULL;
}

void history_advance(struct history_cursor *cursor, size_t bytes, uint64_t records)
{
	cursor->offset += bytes;
	cursor->record += records;
}

uint64_t history_lag_bytes(struct history_log *log, const struct history_cursor *cursor)
{
	struct history_cursor at = *cursor;
	uint64_t lag = 0;

	(void)pthread_mutex_lock(&log->lock);
	(void)skip_dropped(log, &at);
	if (at.record < log->end.record)
		lag = log->end_bytes - slab_at(log, at.slab)->first_byte - at.offset;
	(void)pthread_mutex_unlock(&log->lock);
	return lag;
}

void history_log_stats(struct history_log *log, struct history_stats *ret)
{
	(void)pthread_mutex_lock(&log->lock);
	*ret = (struct history_stats){
	    .records = log->end.record - log->oldest_record,
	    .records_total = log->end.record,
	    .bytes_used = log->bytes_used,
	    .bytes_max = log->bytes_max,
	    .end_bytes = log->end_bytes,
	};
	(void)pthread_mutex_unlock(&log->lock);
}

uint64_t history_end(const struct history_log *log)
{
	return atomic_load_explicit(&log->published, memory_order_acquire);
}
