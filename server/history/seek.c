/* SPDX-License-Identifier: MIT */
/*
 * Finding a place: the slab by halves, under the lock, then the record in it one by one, without.
 * A slab that is looked through is held by a reference, and what was published in it stays as it is.
 */
#include <string.h>

#include "log_state.h"

void history_seek_end(struct history_log *log, struct history_cursor *ret)
{
	(void)pthread_mutex_lock(&log->lock);
	*ret = log->end;
	(void)pthread_mutex_unlock(&log->lock);
}

void history_seek_oldest(struct history_log *log, struct history_cursor *ret)
{
	(void)pthread_mutex_lock(&log->lock);
	*ret = (struct history_cursor){.record = log->oldest_record, .slab = log->oldest};
	(void)pthread_mutex_unlock(&log->lock);
}

/* What a record must be, or come after, for the place to be behind it. */
struct target {
	history_before_fn is_before; /* NULL: the number decides */
	void *data;
	uint64_t record;
};

static bool is_before(const struct target *target, uint64_t record, const void *bytes)
{
	return target->is_before ? target->is_before(bytes, target->data) : record < target->record;
}

/* [lock] The last slab with a first record that comes before the place; else the oldest one.
 * There is at least one with published records. */
static uint64_t find_slab(const struct history_log *log, const struct target *target)
{
	uint64_t low = log->oldest; /* the slab is this one or a later one */
	uint64_t high = log->end.slab + 1;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		const struct history_slab *slab = slab_at(log, middle);

		if (is_before(target, slab->first_record, slab->data))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Moves a cursor at the beginning of a slab to the place, at most to the end of @published bytes. */
static void walk(const struct history_slab *slab, size_t published, const struct target *target,
		 struct history_cursor *cursor)
{
	while (cursor->offset < published) {
		const uint8_t *bytes = slab->data + cursor->offset;
		uint32_t total;

		if (!is_before(target, cursor->record, bytes))
			return;
		memcpy(&total, bytes, sizeof(total));
		history_advance(cursor, total, 1);
	}
}

static void seek(struct history_log *log, const struct target *target, struct history_cursor *ret)
{
	struct history_slab *slab = NULL;
	size_t published = 0;

	(void)pthread_mutex_lock(&log->lock);
	*ret = log->end;
	if (log->oldest_record < log->end.record) {
		uint64_t number = find_slab(log, target);

		slab = slab_ref(slab_at(log, number));
		published = slab->published;
		*ret = (struct history_cursor){.record = slab->first_record, .slab = number};
	}
	(void)pthread_mutex_unlock(&log->lock);
	if (slab)
		walk(slab, published, target, ret);
	slab_unref(slab);
}

/* [lock] Is this a record that was dropped? Then any slab that was stands for its own. */
static bool is_gone(const struct history_log *log, uint64_t record, struct history_cursor *ret)
{
	if (record >= log->oldest_record)
		return false;
	*ret = (struct history_cursor){.record = record, .slab = log->oldest - 1};
	return true;
}

void history_seek_record(struct history_log *log, uint64_t record, struct history_cursor *ret)
{
	const struct target target = {.record = record};
	bool gone;

	(void)pthread_mutex_lock(&log->lock);
	gone = is_gone(log, record, ret);
	(void)pthread_mutex_unlock(&log->lock);
	if (gone)
		return;
	seek(log, &target, ret);
	if (ret->record <= record)
		return;
	/* Dropped since: the cursor is behind what is still there. */
	(void)pthread_mutex_lock(&log->lock);
	(void)is_gone(log, record, ret);
	(void)pthread_mutex_unlock(&log->lock);
}

void history_seek(struct history_log *log, history_before_fn before, void *data,
		  struct history_cursor *ret)
{
	const struct target target = {.is_before = before, .data = data};

	seek(log, &target, ret);
}
