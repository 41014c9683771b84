/* SPDX-License-Identifier: MIT */
/*
 * history/history.h - the only queue: for each source a bounded log of encoded records
 *
 * One writer (intake) appends; any number of readers follow, each a cursor that owns no memory.
 * Records are opaque bytes that begin with a uint32_t total length, a multiple of 8. They live in
 * slabs: immutable once published, reference-counted, so a reader may use them without the lock.
 * When a budget is spent the oldest slab of the log goes; a cursor in it learns how many records
 * it lost, exactly. Three budgets hold at once: of the log, of its account (a tenant's logs
 * together), of all logs.
 *
 * Threads: reserve, append and publish for one writer at a time per log; all else any thread.
 * Lock: each log has its own, held for pointer moves only, never while bytes are copied.
 */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_SLAB_BYTES ((size_t)65536) /* memory of one slab; the first ones are smaller */

struct history;         /* all logs and their total budget */
struct history_account; /* a budget that several logs share */
struct history_log;     /* one source */
struct history_slab;

/* Budgets count memory of slabs that logs hold, not those only a reader's span keeps.
 * @bytes_total: budget of all logs together. When it is spent, closed logs lose their oldest slabs
 * first, the one closed longest ago before the others; then the writing log drops its own oldest
 * slab (it always keeps the one it writes to). */
int history_new(size_t bytes_total, struct history **ret);
void history_free(struct history *history); /* after all logs and accounts */

/* @bytes_max: budget of all logs of this account; when it is spent, the same rule as for the total
 * holds among the account's logs. */
int history_account_new(struct history *history, size_t bytes_max, struct history_account **ret);
void history_account_free(struct history_account *account); /* after its logs */

/* Other budgets from now on. A smaller one is kept to by the next slab that is taken. */
void history_set_bytes(struct history *history, size_t bytes_total);
void history_account_set_bytes(struct history_account *account, size_t bytes_max);

/* @account: borrowed, outlives the log; NULL: none
 * @bytes_max: budget of this log; less than two slabs of HISTORY_SLAB_BYTES is taken as that. A log
 * without records holds no slab. The log is owned by the caller. */
int history_log_new(struct history *history, struct history_account *account, size_t bytes_max,
		    struct history_log **ret);
void history_log_free(struct history_log *log); /* slabs that readers hold live on */

/* The writer is done with the log for ever: it stays readable, and is the first to lose slabs when a
 * shared budget is spent. */
void history_log_close(struct history_log *log);
/* Drops every record of a closed log: cursors find what they had not read lost. */
void history_log_clear(struct history_log *log);

/**
 * history_reserve - room for one record at the end
 * @bytes: the most that the record may have; larger than a slab gives a slab of its own
 * Returns 8-byte aligned memory, valid until the next call on this log, or NULL without memory (a
 * caller counts the record as lost).
 */
void *history_reserve(struct history_log *log, size_t bytes);

/* The record just written into the reserved room has this many bytes (its total). Not yet seen by
 * readers. */
void history_append(struct history_log *log, size_t bytes);

/* What was appended is now visible to readers. Once a datagram, not once a packet. */
void history_publish(struct history_log *log);

/* A position: the next record to read. Plain data, copied at will; no resource. */
struct history_cursor {
	uint64_t record; /* number of the next record in the log, from 0 */
	uint64_t slab;   /* number of the slab it is in */
	size_t offset;   /* bytes into that slab */
};

/* The end: only what is published from now on. */
void history_seek_end(struct history_log *log, struct history_cursor *ret);
/* The oldest record still held. */
void history_seek_oldest(struct history_log *log, struct history_cursor *ret);
/* The record with this number, at most the end's. Where it is gone already, the first read counts
 * what is missing from there to the oldest one. */
void history_seek_record(struct history_log *log, uint64_t record, struct history_cursor *ret);

/* Does a record come before the place that is looked for? */
typedef bool (*history_before_fn)(const void *record, void *data);
/* The first record held that does not come before, or the end. Records are taken to be in order:
 * slabs are searched by halves, then one of them record by record, without the lock. */
void history_seek(struct history_log *log, history_before_fn is_before, void *data,
		  struct history_cursor *ret);

/* Records that lie next to each other in one slab. */
struct history_span {
	const uint8_t *bytes;
	size_t len;
	uint64_t first_record;
	struct history_slab *slab; /* a reference of the holder */
};

/**
 * history_read - the records at a cursor
 * @cursor: not moved, except past records that are gone
 * @ret: a span from the cursor to the end of its slab or the end of what is published; release it
 * @ret_lost: records between the cursor and the oldest one held, dropped before they were read
 * Returns true when there is a span, false when the cursor is at the end (lost may still be set).
 */
bool history_read(struct history_log *log, struct history_cursor *cursor, struct history_span *ret,
		  uint64_t *ret_lost);

void history_release(struct history_span *span);

/* Move a cursor over records of a span that were read from it. */
void history_advance(struct history_cursor *cursor, size_t bytes, uint64_t records);

struct history_stats {
	uint64_t records;       /* held and published */
	uint64_t records_total; /* ever published */
	size_t bytes_used;      /* memory of slabs held by the log */
	size_t bytes_max;
	uint64_t end_bytes; /* bytes of records ever published */
};

void history_log_stats(struct history_log *log, struct history_stats *ret);

/* Bytes that a reader at this cursor has yet to read; what it has lost already does not count. */
uint64_t history_lag_bytes(struct history_log *log, const struct history_cursor *cursor);

/* Records ever published, without the lock: a cheap "is there news" for cursors. */
uint64_t history_end(const struct history_log *log);

#endif
