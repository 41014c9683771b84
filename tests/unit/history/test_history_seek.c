/* SPDX-License-Identifier: MIT */
/* history: places by number and by content, and logs whose writer is done */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "history.h"

#define LARGE        ((size_t)1 << 30)
#define RECORD_BYTES ((size_t)1024)

struct fixture {
	struct history *history;
	struct history_log *log;
};

static void fixture_init(struct fixture *f, size_t bytes_max)
{
	assert_int_equal(history_new(LARGE, &f->history), 0);
	assert_int_equal(history_log_new(f->history, NULL, bytes_max, &f->log), 0);
}

static void fixture_done(struct fixture *f)
{
	history_log_free(f->log);
	history_free(f->history);
}

/* Records that hold ten times their number. */
static void append(struct history_log *log, uint64_t count)
{
	while (count--) {
		uint8_t *record = history_reserve(log, RECORD_BYTES);
		const uint32_t total = RECORD_BYTES;
		uint64_t value;

		assert_non_null(record);
		history_publish(log); /* what was appended before: its number is the end */
		value = 10 * history_end(log);
		memcpy(record, &total, sizeof(total));
		memcpy(record + 8, &value, sizeof(value));
		history_append(log, RECORD_BYTES);
	}
	history_publish(log);
}

static uint64_t value_of(const void *record)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)record + 8, sizeof(value));
	return value;
}

static bool is_below(const void *record, void *data)
{
	const uint64_t *limit = data;

	return value_of(record) < *limit;
}

/* What is read next is this record; nothing was lost before it. */
static void expect_record(struct history_log *log, struct history_cursor cursor, uint64_t record)
{
	struct history_span span;
	uint64_t lost;

	assert_int_equal(cursor.record, record);
	assert_true(history_read(log, &cursor, &span, &lost));
	assert_int_equal(lost, 0);
	assert_int_equal(span.first_record, record);
	assert_int_equal(value_of(span.bytes), 10 * record);
	history_release(&span);
}

static void expect_end(struct history_log *log, struct history_cursor cursor)
{
	struct history_span span;
	uint64_t lost;

	assert_int_equal(cursor.record, history_end(log));
	assert_false(history_read(log, &cursor, &span, &lost));
	assert_int_equal(lost, 0);
}

static void a_record_is_found_by_its_number(void **state)
{
	struct history_cursor cursor;
	struct fixture f;

	(void)state;
	fixture_init(&f, LARGE);
	history_seek_record(f.log, 0, &cursor);
	expect_end(f.log, cursor);
	append(f.log, 500);
	for (uint64_t record = 0; record < 500; record++) {
		history_seek_record(f.log, record, &cursor);
		expect_record(f.log, cursor, record);
	}
	history_seek_record(f.log, 500, &cursor);
	expect_end(f.log, cursor);
	history_seek_record(f.log, UINT64_MAX, &cursor);
	expect_end(f.log, cursor);
	append(f.log, 1);
	expect_record(f.log, cursor, 500);
	fixture_done(&f);
}

static void a_record_that_is_gone_is_counted_at_the_first_read(void **state)
{
	struct history_cursor cursor, oldest;
	struct history_span span;
	struct fixture f;
	uint64_t lost;

	(void)state;
	fixture_init(&f, 2 * HISTORY_SLAB_BYTES);
	append(f.log, 1000);
	history_seek_oldest(f.log, &oldest);
	assert_true(oldest.record > 10);
	history_seek_record(f.log, 7, &cursor);
	assert_true(history_read(f.log, &cursor, &span, &lost));
	assert_int_equal(lost, oldest.record - 7);
	assert_int_equal(span.first_record, oldest.record);
	history_release(&span);
	history_seek_record(f.log, oldest.record, &cursor);
	expect_record(f.log, cursor, oldest.record);
	history_seek_record(f.log, oldest.record + 1, &cursor);
	expect_record(f.log, cursor, oldest.record + 1);
	fixture_done(&f);
}

static void a_place_is_found_by_what_records_hold(void **state)
{
	struct history_cursor cursor;
	struct fixture f;
	uint64_t limit = 0;

	(void)state;
	fixture_init(&f, LARGE);
	history_seek(f.log, is_below, &limit, &cursor);
	expect_end(f.log, cursor);
	append(f.log, 300);
	for (limit = 0; limit <= 2990; limit++) {
		history_seek(f.log, is_below, &limit, &cursor);
		assert_int_equal(cursor.record, (limit + 9) / 10);
	}
	for (limit = 0; limit <= 2990; limit += 10) {
		history_seek(f.log, is_below, &limit, &cursor);
		expect_record(f.log, cursor, limit / 10);
	}
	limit = 2991;
	history_seek(f.log, is_below, &limit, &cursor);
	expect_end(f.log, cursor);
	fixture_done(&f);
}

static void a_place_before_what_is_held_is_the_oldest_record(void **state)
{
	struct history_cursor cursor, oldest;
	struct fixture f;
	uint64_t limit = 10;

	(void)state;
	fixture_init(&f, 2 * HISTORY_SLAB_BYTES);
	append(f.log, 1000);
	history_seek_oldest(f.log, &oldest);
	history_seek(f.log, is_below, &limit, &cursor);
	expect_record(f.log, cursor, oldest.record);
	fixture_done(&f);
}

static void what_is_not_published_is_not_found(void **state)
{
	struct history_cursor cursor;
	struct fixture f;
	uint8_t *record;
	const uint32_t total = RECORD_BYTES;

	(void)state;
	fixture_init(&f, LARGE);
	append(f.log, 3);
	record = history_reserve(f.log, RECORD_BYTES);
	assert_non_null(record);
	memcpy(record, &total, sizeof(total));
	history_append(f.log, RECORD_BYTES);
	history_seek_record(f.log, 3, &cursor);
	expect_end(f.log, cursor);
	fixture_done(&f);
}

static void a_closed_log_stays_readable_until_it_is_cleared(void **state)
{
	struct history_cursor cursor;
	struct history_span span;
	struct history_stats stats;
	struct fixture f;
	uint64_t lost;

	(void)state;
	fixture_init(&f, LARGE);
	append(f.log, 200);
	history_log_close(f.log);
	history_log_close(f.log); /* again changes nothing */
	history_seek_record(f.log, 150, &cursor);
	expect_record(f.log, cursor, 150);
	history_log_clear(f.log);
	assert_false(history_read(f.log, &cursor, &span, &lost));
	assert_int_equal(lost, 50);
	history_seek_record(f.log, 20, &cursor);
	assert_false(history_read(f.log, &cursor, &span, &lost));
	assert_int_equal(lost, 180);
	history_seek_record(f.log, 200, &cursor);
	expect_end(f.log, cursor);
	assert_int_equal(history_lag_bytes(f.log, &cursor), 0);
	history_log_stats(f.log, &stats);
	assert_int_equal(stats.records, 0);
	assert_int_equal(stats.records_total, 200);
	assert_int_equal(stats.bytes_used, 0);
	fixture_done(&f);
}

static uint64_t records_held(struct history_log *log)
{
	struct history_stats stats;

	history_log_stats(log, &stats);
	return stats.records;
}

/* Two logs are closed, the third goes on and takes what they have. */
static void closed_logs_give_way_first_and_the_one_closed_first_before_others(void **state)
{
	struct history *history;
	struct history_log *first, *second, *live;

	(void)state;
	assert_int_equal(history_new(6 * HISTORY_SLAB_BYTES, &history), 0);
	assert_int_equal(history_log_new(history, NULL, LARGE, &first), 0);
	assert_int_equal(history_log_new(history, NULL, LARGE, &second), 0);
	assert_int_equal(history_log_new(history, NULL, LARGE, &live), 0);
	append(second, 100);
	append(first, 100);
	history_log_close(first);
	history_log_close(second);
	append(live, 100);
	assert_int_equal(records_held(live), 100);
	while (records_held(first) > 0) {
		assert_int_equal(records_held(second), 100);
		append(live, 1);
		assert_int_equal(records_held(live), history_end(live));
	}
	while (records_held(second) > 0) {
		append(live, 1);
		assert_int_equal(records_held(live), history_end(live));
	}
	append(live, 1000);
	assert_true(records_held(live) < history_end(live)); /* now its own */
	history_log_free(first);
	history_log_free(live);
	history_log_free(second);
	history_free(history);
}

static void an_account_bounds_its_logs_together_and_no_others(void **state)
{
	struct history *history;
	struct history_account *account;
	struct history_log *outside, *closed, *live;

	(void)state;
	assert_int_equal(history_new(LARGE, &history), 0);
	assert_int_equal(history_account_new(history, 4 * HISTORY_SLAB_BYTES, &account), 0);
	assert_int_equal(history_log_new(history, NULL, LARGE, &outside), 0);
	assert_int_equal(history_log_new(history, account, LARGE, &closed), 0);
	assert_int_equal(history_log_new(history, account, LARGE, &live), 0);
	append(outside, 1000);
	append(closed, 100);
	history_log_close(outside);
	history_log_close(closed);
	append(live, 1000);
	assert_int_equal(records_held(outside), 1000);
	assert_int_equal(records_held(closed), 0);
	assert_true(records_held(live) < 4 * HISTORY_SLAB_BYTES / RECORD_BYTES);
	assert_true(records_held(live) > 2 * HISTORY_SLAB_BYTES / RECORD_BYTES);
	history_log_free(outside);
	history_log_free(closed);
	history_log_free(live);
	history_account_free(account);
	history_free(history);
}

/* A reload: what was within the old budget goes as soon as the log takes another slab. */
static void budgets_that_shrink_and_grow_hold_from_the_next_slab_on(void **state)
{
	struct history *history;
	struct history_account *account;
	struct history_log *live;
	uint64_t held;

	(void)state;
	assert_int_equal(history_new(LARGE, &history), 0);
	assert_int_equal(history_account_new(history, LARGE, &account), 0);
	assert_int_equal(history_log_new(history, account, LARGE, &live), 0);
	append(live, 2000);
	assert_int_equal(records_held(live), 2000);
	history_account_set_bytes(account, 4 * HISTORY_SLAB_BYTES);
	append(live, 2000);
	assert_true(records_held(live) < 4 * HISTORY_SLAB_BYTES / RECORD_BYTES);
	history_account_set_bytes(account, LARGE);
	history_set_bytes(history, 2 * HISTORY_SLAB_BYTES);
	append(live, 1000);
	assert_true(records_held(live) < 2 * HISTORY_SLAB_BYTES / RECORD_BYTES);
	history_set_bytes(history, LARGE);
	held = records_held(live);
	append(live, 1000);
	assert_int_equal(records_held(live), held + 1000);
	history_log_free(live);
	history_account_free(account);
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_is_found_by_its_number),
	    cmocka_unit_test(a_record_that_is_gone_is_counted_at_the_first_read),
	    cmocka_unit_test(a_place_is_found_by_what_records_hold),
	    cmocka_unit_test(a_place_before_what_is_held_is_the_oldest_record),
	    cmocka_unit_test(what_is_not_published_is_not_found),
	    cmocka_unit_test(a_closed_log_stays_readable_until_it_is_cleared),
	    cmocka_unit_test(closed_logs_give_way_first_and_the_one_closed_first_before_others),
	    cmocka_unit_test(an_account_bounds_its_logs_together_and_no_others),
	    cmocka_unit_test(budgets_that_shrink_and_grow_hold_from_the_next_slab_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
