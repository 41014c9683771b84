/* SPDX-License-Identifier: MIT */
/* history: what readers get is exactly what was appended, or is counted as lost */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "history.h"

#define LARGE ((size_t)1 << 30)

/* --- failing allocator ------------------------------------------------------------------- */

static bool out_of_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_malloc(size_t size)
{
	return out_of_memory ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(n, size);
}

/* --- a log and records that know their number -------------------------------------------- */

struct fixture {
	struct history *history;
	struct history_log *log;
	uint64_t written;
};

static void fixture_init(struct fixture *f, size_t bytes_total, size_t bytes_max)
{
	f->written = 0;
	assert_int_equal(history_new(bytes_total, &f->history), 0);
	assert_int_equal(history_log_new(f->history, NULL, bytes_max, &f->log), 0);
}

static void fixture_done(struct fixture *f)
{
	history_log_free(f->log);
	history_free(f->history);
}

/* Record @number: its total, its number, and a filling that depends on both. */
static void fill(uint8_t *record, size_t total, uint64_t number)
{
	uint32_t total32 = (uint32_t)total;

	memset(record, (int)(number * 7 + total), total);
	memcpy(record, &total32, sizeof(total32));
	memcpy(record + 8, &number, sizeof(number));
}

static void append(struct fixture *f, size_t total)
{
	uint8_t *room = history_reserve(f->log, total);

	assert_non_null(room);
	assert_int_equal((uintptr_t)room % 8, 0);
	fill(room, total, f->written);
	history_append(f->log, total);
	f->written++;
}

static void append_and_publish(struct fixture *f, size_t total, unsigned count)
{
	while (count--)
		append(f, total);
	history_publish(f->log);
}

/* Returns the record's total, or 0 when it is not record @number. */
static size_t check_record(const uint8_t *record, size_t len, uint64_t number)
{
	uint64_t found;
	uint32_t total;

	if (len < 16)
		return 0;
	memcpy(&total, record, sizeof(total));
	memcpy(&found, record + 8, sizeof(found));
	if (found != number || total > len)
		return 0;
	for (size_t i = 16; i < total; i++)
		if (record[i] != (uint8_t)(number * 7 + total))
			return 0;
	return total;
}

struct tally {
	uint64_t read;
	uint64_t lost;
	bool bad;
};

/* Reads one span whole; false when the cursor was at the end. */
static bool read_span(struct history_log *log, struct history_cursor *cursor, struct tally *tally)
{
	struct history_span span;
	uint64_t lost;
	size_t offset = 0;
	uint64_t records = 0;
	bool found = history_read(log, cursor, &span, &lost);

	tally->lost += lost;
	if (!found)
		return false;
	tally->bad |= span.first_record != cursor->record;
	while (offset < span.len && !tally->bad) {
		size_t total = check_record(span.bytes + offset, span.len - offset,
					    span.first_record + records);

		tally->bad |= total == 0;
		offset += total;
		records++;
	}
	history_advance(cursor, span.len, records);
	history_release(&span);
	tally->read += records;
	return !tally->bad;
}

static struct tally read_all(struct history_log *log, struct history_cursor *cursor)
{
	struct tally tally = {0};

	while (read_span(log, cursor, &tally))
		;
	assert_false(tally.bad);
	return tally;
}

/* --- cases ------------------------------------------------------------------------------- */

static void log_without_records_holds_no_slab(void **state)
{
	struct history_stats stats;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	history_publish(f.log);
	history_log_stats(f.log, &stats);
	assert_int_equal(stats.bytes_used, 0);
	assert_int_equal(stats.records_total, 0);
	fixture_done(&f);
}

static void first_slab_is_small_and_later_ones_grow_to_the_usual_size(void **state)
{
	struct history_stats stats;
	struct fixture f;
	size_t largest_step = 0;
	size_t before = 0;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	append_and_publish(&f, 64, 1);
	history_log_stats(f.log, &stats);
	assert_int_equal(stats.bytes_used, 4096);
	while (f.written < 10000) {
		append(&f, 64);
		history_log_stats(f.log, &stats);
		if (before && stats.bytes_used - before > largest_step)
			largest_step = stats.bytes_used - before;
		before = stats.bytes_used;
	}
	assert_int_equal(largest_step, HISTORY_SLAB_BYTES);
	fixture_done(&f);
}

static void appended_records_are_unseen_until_published(void **state)
{
	struct history_cursor cursor;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	history_seek_oldest(f.log, &cursor);
	/* More than one slab, so that unpublished bytes lie behind a full slab too. */
	for (int i = 0; i < 100; i++)
		append(&f, 64);
	assert_int_equal(history_end(f.log), 0);
	assert_int_equal(read_all(f.log, &cursor).read, 0);
	history_publish(f.log);
	assert_int_equal(history_end(f.log), 100);
	assert_int_equal(read_all(f.log, &cursor).read, 100);
	fixture_done(&f);
}

static void reader_at_the_end_of_a_full_slab_goes_on_in_the_next(void **state)
{
	struct history_cursor cursor;
	struct tally tally;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	history_seek_end(f.log, &cursor);
	for (unsigned i = 0; i < 5000; i++) {
		append_and_publish(&f, 64 + 8 * (i % 5), 1);
		tally = read_all(f.log, &cursor);
		assert_int_equal(tally.read, 1);
		assert_int_equal(tally.lost, 0);
	}
	fixture_done(&f);
}

static void seek_end_sees_only_what_comes_later_and_seek_oldest_everything(void **state)
{
	struct history_cursor end;
	struct history_cursor oldest;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	append_and_publish(&f, 128, 1000);
	history_seek_end(f.log, &end);
	history_seek_oldest(f.log, &oldest);
	append_and_publish(&f, 128, 10);
	assert_int_equal(read_all(f.log, &end).read, 10);
	assert_int_equal(read_all(f.log, &oldest).read, 1010);
	fixture_done(&f);
}

static void append_when_full_drops_oldest_and_counts_it(void **state)
{
	struct history_stats stats;
	struct history_cursor cursor;
	struct tally tally;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, 4 * HISTORY_SLAB_BYTES);
	history_seek_oldest(f.log, &cursor);
	append_and_publish(&f, 256, 100);
	assert_int_equal(read_all(f.log, &cursor).read, 100);
	for (int i = 0; i < 50; i++)
		append_and_publish(&f, 256, 97);
	history_log_stats(f.log, &stats);
	assert_true(stats.bytes_used <= 4 * HISTORY_SLAB_BYTES);
	assert_true(stats.records < stats.records_total);
	tally = read_all(f.log, &cursor);
	assert_int_equal(tally.read, stats.records);
	assert_int_equal(tally.read + tally.lost, 50 * 97);
	fixture_done(&f);
}

static void reader_at_the_end_of_a_dropped_slab_lost_only_what_it_had_not_read(void **state)
{
	struct history_cursor cursor;
	struct history_stats stats;
	struct tally tally;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, 2 * HISTORY_SLAB_BYTES);
	history_seek_oldest(f.log, &cursor);
	/* Oversize records: a slab each, so the reader stands at the end of slab 0. */
	append_and_publish(&f, HISTORY_SLAB_BYTES, 1);
	assert_int_equal(read_all(f.log, &cursor).read, 1);
	append_and_publish(&f, HISTORY_SLAB_BYTES, 1);
	history_log_stats(f.log, &stats);
	assert_int_equal(stats.records, 1); /* record 0 is gone, but was read */
	tally = read_all(f.log, &cursor);
	assert_int_equal(tally.read, 1);
	assert_int_equal(tally.lost, 0);
	fixture_done(&f);
}

static void batch_larger_than_the_budget_is_counted_to_the_last_record(void **state)
{
	struct history_cursor cursor;
	struct tally tally;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, 2 * HISTORY_SLAB_BYTES);
	history_seek_end(f.log, &cursor);
	for (int i = 0; i < 1000; i++) /* one datagram, eight times the budget */
		append(&f, 1024);
	tally = read_all(f.log, &cursor);
	assert_true(tally.lost > 0);
	assert_int_equal(cursor.record, history_end(f.log));
	history_publish(f.log);
	tally.read += read_all(f.log, &cursor).read;
	assert_int_equal(tally.read + tally.lost, 1000);
	assert_int_equal(history_end(f.log), 1000);
	fixture_done(&f);
}

static void oversize_record_gets_a_slab_of_its_own(void **state)
{
	struct history_cursor cursor;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	history_seek_end(f.log, &cursor);
	append(&f, 64);
	append(&f, 3 * HISTORY_SLAB_BYTES);
	append(&f, 64);
	history_publish(f.log);
	assert_int_equal(read_all(f.log, &cursor).read, 3);
	fixture_done(&f);
}

static void spent_total_makes_the_writing_log_drop_its_own_oldest(void **state)
{
	size_t total = 8 * HISTORY_SLAB_BYTES;
	struct history_stats stats;
	struct history_stats other_stats;
	struct history_log *other;
	struct fixture f;
	struct fixture g;

	(void)state;
	fixture_init(&f, total, LARGE);
	assert_int_equal(history_log_new(f.history, NULL, LARGE, &other), 0);
	g = (struct fixture){.history = f.history, .log = other};
	append_and_publish(&f, 1024, 600);
	history_log_stats(f.log, &stats);
	assert_in_range(stats.bytes_used, total - HISTORY_SLAB_BYTES, total);
	append_and_publish(&g, 1024, 600);
	history_log_stats(f.log, &other_stats);
	assert_int_equal(other_stats.records, stats.records); /* not at another's cost */
	history_log_stats(other, &other_stats);
	assert_int_equal(other_stats.records_total, 600);
	assert_in_range(other_stats.records, 1, HISTORY_SLAB_BYTES / 1024);
	history_log_free(other);
	append_and_publish(&f, 1024, 600);
	history_log_stats(f.log, &stats);
	assert_in_range(stats.bytes_used, total - HISTORY_SLAB_BYTES, total);
	fixture_done(&f);
}

static void span_outlives_eviction_and_the_log_itself(void **state)
{
	struct history_cursor cursor;
	struct history_span span;
	struct fixture f;
	uint64_t lost;

	(void)state;
	fixture_init(&f, LARGE, 2 * HISTORY_SLAB_BYTES);
	append_and_publish(&f, 512, 3);
	history_seek_oldest(f.log, &cursor);
	assert_true(history_read(f.log, &cursor, &span, &lost));
	append_and_publish(&f, 512, 4000);
	fixture_done(&f);
	assert_int_equal(span.len, 3 * 512);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(check_record(span.bytes + 512 * i, 512, i), 512);
	history_release(&span);
}

static void lag_is_the_bytes_between_cursor_and_end(void **state)
{
	struct history_cursor cursor;
	struct history_stats stats;
	struct tally tally = {0};
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, 2 * HISTORY_SLAB_BYTES);
	history_seek_end(f.log, &cursor);
	assert_int_equal(history_lag_bytes(f.log, &cursor), 0);
	append_and_publish(&f, 128, 200);
	assert_int_equal(history_lag_bytes(f.log, &cursor), 128 * 200);
	assert_true(read_span(f.log, &cursor, &tally));
	assert_int_equal(history_lag_bytes(f.log, &cursor), 128 * (200 - tally.read));
	append_and_publish(&f, 128, 5000);
	history_log_stats(f.log, &stats);
	assert_int_equal(stats.end_bytes, 128 * 5200);
	assert_int_equal(history_lag_bytes(f.log, &cursor), 128 * stats.records);
	(void)read_all(f.log, &cursor);
	assert_int_equal(history_lag_bytes(f.log, &cursor), 0);
	fixture_done(&f);
}

static void without_memory_nothing_is_dropped_and_the_log_goes_on(void **state)
{
	struct history_cursor cursor;
	struct history *none = NULL;
	struct history_log *no_log = NULL;
	struct tally tally;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, LARGE);
	history_seek_end(f.log, &cursor);
	append_and_publish(&f, 1000, 4);
	out_of_memory = true;
	assert_null(history_reserve(f.log, 1000));
	assert_int_equal(history_new(1, &none), -ENOMEM);
	assert_int_equal(history_log_new(f.history, NULL, LARGE, &no_log), -ENOMEM);
	out_of_memory = false;
	append_and_publish(&f, 1000, 4);
	tally = read_all(f.log, &cursor);
	assert_int_equal(tally.read, 8);
	assert_int_equal(tally.lost, 0);
	fixture_done(&f);
}

/* --- one writer, four readers ------------------------------------------------------------ */

#define READERS        4
#define STREAM_RECORDS 100000u

struct reader {
	struct history_log *log;
	struct history_cursor cursor;
	struct tally tally;
	const _Atomic bool *written;
	unsigned laziness; /* yields between two spans */
};

static void *read_until_written(void *data)
{
	struct reader *reader = data;

	for (;;) {
		bool last = atomic_load(reader->written);

		while (read_span(reader->log, &reader->cursor, &reader->tally))
			for (unsigned i = 0; i < reader->laziness; i++)
				(void)sched_yield();
		if (last || reader->tally.bad)
			return NULL;
		(void)sched_yield();
	}
}

static void every_reader_gets_or_loses_each_record_while_one_writes(void **state)
{
	static const unsigned laziness[READERS] = {0, 0, 10, 1000};
	struct reader readers[READERS];
	pthread_t threads[READERS];
	_Atomic bool written = false;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE, 4 * HISTORY_SLAB_BYTES);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] =
		    (struct reader){.log = f.log, .written = &written, .laziness = laziness[i]};
		history_seek_oldest(f.log, &readers[i].cursor);
		assert_int_equal(pthread_create(&threads[i], NULL, read_until_written, &readers[i]),
				 0);
	}
	for (unsigned i = 0; i < STREAM_RECORDS; i++) {
		append(&f, 64 + 8 * (i % 50));
		if (i % 61 == 0 || i + 1 == STREAM_RECORDS)
			history_publish(f.log);
	}
	atomic_store(&written, true);
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(readers[i].tally.bad);
		assert_int_equal(readers[i].tally.read + readers[i].tally.lost, STREAM_RECORDS);
		assert_int_equal(readers[i].cursor.record, STREAM_RECORDS);
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_without_records_holds_no_slab),
	    cmocka_unit_test(first_slab_is_small_and_later_ones_grow_to_the_usual_size),
	    cmocka_unit_test(appended_records_are_unseen_until_published),
	    cmocka_unit_test(reader_at_the_end_of_a_full_slab_goes_on_in_the_next),
	    cmocka_unit_test(seek_end_sees_only_what_comes_later_and_seek_oldest_everything),
	    cmocka_unit_test(append_when_full_drops_oldest_and_counts_it),
	    cmocka_unit_test(reader_at_the_end_of_a_dropped_slab_lost_only_what_it_had_not_read),
	    cmocka_unit_test(batch_larger_than_the_budget_is_counted_to_the_last_record),
	    cmocka_unit_test(oversize_record_gets_a_slab_of_its_own),
	    cmocka_unit_test(spent_total_makes_the_writing_log_drop_its_own_oldest),
	    cmocka_unit_test(span_outlives_eviction_and_the_log_itself),
	    cmocka_unit_test(lag_is_the_bytes_between_cursor_and_end),
	    cmocka_unit_test(without_memory_nothing_is_dropped_and_the_log_goes_on),
	    cmocka_unit_test(every_reader_gets_or_loses_each_record_while_one_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
