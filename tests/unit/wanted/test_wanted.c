/* SPDX-License-Identifier: MIT */
/* wanted: which rules a namespace meets. How they are merged is shown by the tests of plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wanted.h"

static void add(struct rules *rules, enum presence_kind kind, const char *text, uint16_t group)
{
	const struct rule rule = {.kind = kind, .first = group, .last = group};

	assert_int_equal(rules_add(rules, text, &rule), 0);
}

static size_t count(const struct rules *rules, const char *shown)
{
	struct wanted *found = NULL;
	size_t found_count = 99;

	assert_int_equal(rules_find(rules, shown, &found, &found_count), 0);
	free(found);
	return found_count;
}

/* How many of these namespaces one rule meets. */
static size_t met(enum presence_kind kind, const char *text, const char *const *shown)
{
	struct rules rules = {0};
	size_t sum = 0;

	add(&rules, kind, text, 1);
	rules_sort(&rules);
	for (; *shown; shown++)
		sum += count(&rules, *shown);
	rules_done(&rules);
	return sum;
}

static void glob_of_names_meets_no_path_host_process_or_hidden_name(void **state)
{
	const char *names[] = {"red", "cni-1", "hosts", "pid", NULL};
	const char *others[] = {"host", "pid:7", ".hidden", "/run/netns/red", NULL};

	(void)state;
	assert_int_equal(met(PRESENCE_NAME_GLOB, "*", names), 4);
	assert_int_equal(met(PRESENCE_NAME_GLOB, "*", others), 0);
	assert_int_equal(met(PRESENCE_NAME_GLOB, "h*", others), 0);
	assert_int_equal(met(PRESENCE_NAME_GLOB, "cni-[0-9]", names), 1);
	assert_int_equal(met(PRESENCE_NAME_GLOB, "?", names), 0);
}

static void glob_of_paths_meets_files_of_its_directory_only(void **state)
{
	const char *inside[] = {"/run/x/a", "/run/x/host", "/run/x/pid:7", NULL};
	const char *outside[] = {"/run/x/.a", "/run/x/a/b", "/run/xy/a", "/run/a",
				 "a",         "host",       NULL};

	(void)state;
	assert_int_equal(met(PRESENCE_PATH_GLOB, "/run/x/*", inside), 3);
	assert_int_equal(met(PRESENCE_PATH_GLOB, "/run/x/*", outside), 0);
	assert_int_equal(met(PRESENCE_PATH_GLOB, "/*", outside), 0);
}

static void thousand_literals_are_each_found_beside_globs(void **state)
{
	struct rules rules = {0};
	char name[16];

	(void)state;
	add(&rules, PRESENCE_NAME_GLOB, "n*", 7);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i * 7919 % 1000);
		add(&rules, PRESENCE_NAME, name, 1);
		if (i % 10 == 0)
			add(&rules, PRESENCE_NAME, name, 2);
	}
	rules_sort(&rules);
	assert_int_equal(rules.literals, 1100);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i * 7919 % 1000);
		assert_int_equal(count(&rules, name), i % 10 == 0 ? 3 : 2);
	}
	assert_int_equal(count(&rules, "n1000"), 1);
	assert_int_equal(count(&rules, "m"), 0);
	rules_done(&rules);
}

static void add_range(struct rules *rules, enum presence_kind kind, const char *text,
		      uint16_t first, uint16_t last, uint32_t range)
{
	const struct rule rule = {
	    .kind = kind, .first = first, .last = last, .wanted.options.copy_range = range};

	assert_int_equal(rules_add(rules, text, &rule), 0);
}

static void one_group_is_got_merged_as_all_are_found(void **state)
{
	struct rules rules = {0};
	struct wanted *found = NULL;
	struct wanted got;
	size_t found_count = 0;
	size_t got_count = 0;

	(void)state;
	add_range(&rules, PRESENCE_NAME, "red", 5, 9, 10);
	add_range(&rules, PRESENCE_NAME, "red", 9, 12, 30);
	add_range(&rules, PRESENCE_NAME_GLOB, "r*", 8, 10, 20);
	add_range(&rules, PRESENCE_NAME_GLOB, "b*", 1, 20, 99);
	rules_sort(&rules);
	assert_int_equal(rules_find(&rules, "red", &found, &found_count), 0);
	for (uint16_t group = 0; group < 20; group++) {
		if (!rules_get(&rules, "red", group, &got))
			continue;
		assert_true(got_count < found_count);
		assert_int_equal(got.options.group, found[got_count].options.group);
		assert_int_equal(got.options.copy_range, found[got_count].options.copy_range);
		got_count++;
	}
	assert_int_equal(got_count, found_count);
	assert_int_equal(found[4].options.copy_range, 30); /* group 9, of all three */
	assert_false(rules_get(&rules, "green", 9, &got));
	free(found);
	rules_done(&rules);
}

static void namespaces_that_some_rule_meets_are_told(void **state)
{
	struct rules rules = {0};

	(void)state;
	add(&rules, PRESENCE_NAME, "red", 1);
	add(&rules, PRESENCE_NAME_GLOB, "cni-*", 1);
	rules_sort(&rules);
	assert_true(rules_meet(&rules, "red"));
	assert_true(rules_meet(&rules, "cni-7"));
	assert_false(rules_meet(&rules, "re"));
	assert_false(rules_meet(&rules, "zed"));
	assert_true(rules_name(&rules, "red"));
	assert_false(rules_name(&rules, "cni-7"));
	assert_false(rules_name(&rules, "zed"));
	rules_done(&rules);
}

static void without_rules_nothing_is_read(void **state)
{
	struct rules rules = {0};

	(void)state;
	rules_sort(&rules);
	assert_int_equal(count(&rules, "red"), 0);
	assert_false(rules_meet(&rules, "red"));
	rules_done(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(glob_of_names_meets_no_path_host_process_or_hidden_name),
	    cmocka_unit_test(glob_of_paths_meets_files_of_its_directory_only),
	    cmocka_unit_test(thousand_literals_are_each_found_beside_globs),
	    cmocka_unit_test(one_group_is_got_merged_as_all_are_found),
	    cmocka_unit_test(namespaces_that_some_rule_meets_are_told),
	    cmocka_unit_test(without_rules_nothing_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
