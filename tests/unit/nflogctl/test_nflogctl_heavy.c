/* SPDX-License-Identifier: MIT */
/* Counters of the heaviest keys: what stays in a table that is too small for all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "heavy.h"

#define CAPACITY 8

static int set_up(void **state)
{
	struct heavy *heavy = NULL;
	int r = heavy_new(CAPACITY, &heavy);

	*state = heavy;
	return r;
}

static int tear_down(void **state)
{
	heavy_free(*state);
	return 0;
}

static void add(struct heavy *heavy, const char *key, uint64_t packets)
{
	const struct heavy_counts counts = {.packets = packets, .bytes = 10 * packets};

	heavy_add(heavy, key, strlen(key), &counts);
}

/* The entry of a key; false: it has none. */
static bool find(const struct heavy *heavy, const char *key, struct heavy_entry *ret)
{
	struct heavy_entry entries[CAPACITY];
	size_t count = heavy_copy(heavy, entries);

	for (size_t i = 0; i < count; i++) {
		if (entries[i].key_len == strlen(key) &&
		    memcmp(entries[i].key, key, strlen(key)) == 0) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

static void keys_that_fit_are_counted_exactly(void **state)
{
	struct heavy_entry entry;
	char key[2] = "a";

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < CAPACITY; i++) {
			key[0] = (char)('a' + i);
			add(*state, key, (uint64_t)i + 1);
		}
	for (int i = 0; i < CAPACITY; i++) {
		key[0] = (char)('a' + i);
		assert_true(find(*state, key, &entry));
		assert_int_equal(entry.total.packets, 3 * (i + 1));
		assert_int_equal(entry.total.bytes, 30 * (i + 1));
		assert_false(entry.lower_bound);
	}
}

static void a_key_with_more_than_its_share_stays_whatever_else_comes(void **state)
{
	struct heavy_entry entry, entries[CAPACITY];
	char other[32];

	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(other, sizeof(other), "other %u", i);
		add(*state, other, 1);
		if (i % 4 == 0)
			add(*state, "heavy", 1);
	}
	assert_true(find(*state, "heavy", &entry));
	assert_int_equal(entry.total.packets, 2500);
	assert_false(entry.lower_bound);
	assert_int_equal(heavy_copy(*state, entries), CAPACITY);
}

static void a_key_that_came_into_a_full_table_says_so(void **state)
{
	struct heavy_entry entry;
	char key[2] = "a";

	for (int i = 0; i < CAPACITY; i++) {
		key[0] = (char)('a' + i);
		add(*state, key, 5);
	}
	add(*state, "late", 2);
	assert_true(find(*state, "late", &entry));
	assert_int_equal(entry.total.packets, 2);
	assert_true(entry.lower_bound);
}

static void what_is_quiet_gives_way_to_what_is_not(void **state)
{
	struct heavy_entry entry;
	char key[2] = "a";

	add(*state, "once", 1000);
	for (int second = 0; second < 20; second++) {
		for (int i = 0; i < CAPACITY; i++) {
			key[0] = (char)('a' + i);
			add(*state, key, 10);
		}
		heavy_tick(*state, 1);
	}
	assert_false(find(*state, "once", &entry));
	assert_true(find(*state, "a", &entry));
}

static void rates_are_those_between_two_ticks(void **state)
{
	struct heavy_entry entry;

	add(*state, "a", 30);
	heavy_tick(*state, 2);
	assert_true(find(*state, "a", &entry));
	assert_true(entry.packet_rate == 15 && entry.byte_rate == 150);
	heavy_tick(*state, 0);
	assert_true(find(*state, "a", &entry));
	assert_true(entry.packet_rate == 15);
	heavy_tick(*state, 1);
	assert_true(find(*state, "a", &entry));
	assert_true(entry.packet_rate == 0);
}

static void a_cleared_table_is_empty_and_of_use(void **state)
{
	struct heavy_entry entry, entries[CAPACITY];

	for (int i = 0; i < 100; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "%d", i);
		add(*state, key, 1);
	}
	heavy_clear(*state);
	assert_int_equal(heavy_copy(*state, entries), 0);
	add(*state, "a", 1);
	assert_true(find(*state, "a", &entry));
	assert_false(entry.lower_bound);
}

static void a_key_that_is_too_long_is_cut(void **state)
{
	static const struct heavy_counts one = {.packets = 1};
	struct heavy_entry entries[CAPACITY];
	char key[HEAVY_KEY_MAX + 10];

	memset(key, 'x', sizeof(key));
	heavy_add(*state, key, sizeof(key), &one);
	heavy_add(*state, key, HEAVY_KEY_MAX, &one);
	heavy_add(*state, "", 0, &one);
	assert_int_equal(heavy_copy(*state, entries), 2);
	assert_int_equal(entries[0].key_len, HEAVY_KEY_MAX);
	assert_int_equal(entries[0].total.packets, 2);
}

static void losses_are_counted_beside_packets(void **state)
{
	const struct heavy_counts loss = {.lost = 7};
	struct heavy_entry entry;

	heavy_add(*state, "a", 1, &loss);
	assert_true(find(*state, "a", &entry));
	assert_int_equal(entry.total.lost, 7);
	assert_int_equal(entry.total.packets, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(keys_that_fit_are_counted_exactly),
	    CASE(a_key_with_more_than_its_share_stays_whatever_else_comes),
	    CASE(a_key_that_came_into_a_full_table_says_so),
	    CASE(what_is_quiet_gives_way_to_what_is_not),
	    CASE(rates_are_those_between_two_ticks),
	    CASE(a_cleared_table_is_empty_and_of_use),
	    CASE(a_key_that_is_too_long_is_cut),
	    CASE(losses_are_counted_beside_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
