/* SPDX-License-Identifier: MIT */
/* The hash from interface index to name. The rest of the room needs a namespace: e2e.listener. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static struct nfl_bytes text(const char *s)
{
	return (struct nfl_bytes){.data = (const uint8_t *)s, .len = (uint32_t)strlen(s)};
}

static void assert_name(const struct table *table, uint32_t index, const char *expected)
{
	struct nfl_bytes name = table_find(table, index);

	assert_int_equal(name.len, strlen(expected));
	if (name.len)
		assert_memory_equal(name.data, expected, name.len);
}

static void an_empty_table_knows_nothing(void **state)
{
	struct table table = {0};

	(void)state;
	assert_name(&table, 0, "");
	assert_name(&table, 1, "");
	table_remove(&table, 1);
	table_keep(&table, 1);
	table_done(&table);
}

static void index_zero_is_no_interface(void **state)
{
	struct table table = {0};

	(void)state;
	assert_int_equal(table_set(&table, 0, text("x"), 1), -EINVAL);
	assert_int_equal(table_set(&table, 1, text("lo"), 1), 0);
	assert_name(&table, 0, "");
	table_remove(&table, 0);
	assert_int_equal(table.count, 1);
	table_done(&table);
}

static void a_new_name_replaces_the_old_and_a_long_one_is_cut(void **state)
{
	struct table table = {0};

	(void)state;
	assert_int_equal(table_set(&table, 7, text("eth0"), 1), 0);
	assert_int_equal(table_set(&table, 7, text("wan"), 1), 0);
	assert_name(&table, 7, "wan");
	assert_int_equal(table.count, 1);
	assert_int_equal(table_set(&table, 7, text("abcdefghijklmnopqrst"), 1), 0);
	assert_name(&table, 7, "abcdefghijklmnop");
	table_done(&table);
}

/* Indexes that all have the same home place, in every order of removal, against a plain array. */
static void removal_leaves_every_other_entry_to_be_found(void **state)
{
	enum {
		COUNT = 200,
		STEP = 16
	};
	bool there[COUNT] = {false};
	struct table table = {0};
	uint32_t random = 1;
	char name[16];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		uint32_t i;

		random = random * 1664525 + 1013904223;
		i = (random >> 16) % COUNT;
		(void)snprintf(name, sizeof(name), "if%u", i);
		if (there[i])
			table_remove(&table, 1 + i * STEP);
		else
			assert_int_equal(table_set(&table, 1 + i * STEP, text(name), 1), 0);
		there[i] = !there[i];
		for (i = 0; i < COUNT; i++) {
			(void)snprintf(name, sizeof(name), "if%u", i);
			assert_name(&table, 1 + i * STEP, there[i] ? name : "");
		}
	}
	table_done(&table);
}

static void keep_removes_all_of_another_generation(void **state)
{
	struct table table = {0};

	(void)state;
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(table_set(&table, i * 32, text("x"), i % 3), 0);
	table_keep(&table, 2);
	for (uint32_t i = 1; i <= 100; i++)
		assert_name(&table, i * 32, i % 3 == 2 ? "x" : "");
	assert_int_equal(table.count, 33);
	table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_table_knows_nothing),
	    cmocka_unit_test(index_zero_is_no_interface),
	    cmocka_unit_test(a_new_name_replaces_the_old_and_a_long_one_is_cut),
	    cmocka_unit_test(removal_leaves_every_other_entry_to_be_found),
	    cmocka_unit_test(keep_removes_all_of_another_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
