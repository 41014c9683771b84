/* SPDX-License-Identifier: MIT */
/*
 * Files of tests/data/config: each in good/ loads, each in bad/ names in its comments the errors
 * that it must give, all of them and no other:
 *     # expect: LINE:COLUMN TEXT     the message begins with TEXT
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

#define EXPECT     "# expect: "
#define LINE_BYTES 1024

static void print_errors(const struct config_errors *errors)
{
	char text[LINE_BYTES];

	for (size_t i = 0; i < errors->count; i++) {
		(void)config_error_render(&errors->items[i], text, sizeof(text));
		print_message("    %s\n", text);
	}
}

static void assert_loads(const char *path)
{
	struct config_errors errors;
	struct config *config = NULL;
	int r = config_load_file(path, &config, &errors);

	print_errors(&errors);
	assert_int_equal(r, 0);
	assert_non_null(config);
	assert_int_equal(errors.count, 0);
	config_errors_done(&errors);
	config_free(config);
}

static bool is_expected(const struct config_error *error, const char *path, const char *expected)
{
	char want[LINE_BYTES * 2], got[LINE_BYTES * 2];
	int place = 0;

	/* "LINE:COLUMN TEXT" becomes what is rendered: "PATH:LINE:COLUMN: TEXT". */
	place = (int)strcspn(expected, " ");
	(void)snprintf(want, sizeof(want), "%s:%.*s:%s", path, place, expected, expected + place);
	(void)config_error_render(error, got, sizeof(got));
	return strncmp(got, want, strlen(want)) == 0;
}

static unsigned match_expected(FILE *file, const char *path, const struct config_errors *errors)
{
	char line[LINE_BYTES];
	unsigned expected = 0;

	while (fgets(line, sizeof(line), file)) {
		size_t found = 0;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, EXPECT, strlen(EXPECT)) != 0)
			continue;
		expected++;
		for (size_t i = 0; i < errors->count; i++)
			found += is_expected(&errors->items[i], path, line + strlen(EXPECT));
		if (found != 1)
			print_error("%s: expected once, found %zu times: %s\n", path, found,
				    line + strlen(EXPECT));
		assert_int_equal(found, 1);
	}
	return expected;
}

static void assert_refused_as_expected(const char *path)
{
	struct config *const untouched = (struct config *)(uintptr_t)1;
	struct config *config = untouched;
	struct config_errors errors;
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_int_equal(config_load_file(path, &config, &errors), -EINVAL);
	assert_ptr_equal(config, untouched);
	print_errors(&errors);
	assert_int_equal(match_expected(file, path, &errors), errors.count);
	(void)fclose(file);
	config_errors_done(&errors);
}

/* Runs @check for each file of a folder of tests/data/config. */
static void for_each_file(const char *folder, void (*check)(const char *path))
{
	char path[LINE_BYTES];
	struct dirent **entries;
	int count, files = 0;

	(void)snprintf(path, sizeof(path), "%s/config/%s", TEST_DATA, folder);
	count = scandir(path, &entries, NULL, alphasort);
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			(void)snprintf(path, sizeof(path), "%s/config/%s/%s", TEST_DATA, folder,
				       entries[i]->d_name);
			print_message("  %s\n", entries[i]->d_name);
			check(path);
			files++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(files > 0);
}

static void every_good_file_loads(void **state)
{
	(void)state;
	for_each_file("good", assert_loads);
}

static void every_bad_file_gives_all_its_errors_and_no_other(void **state)
{
	(void)state;
	for_each_file("bad", assert_refused_as_expected);
}

static void the_shipped_examples_load(void **state)
{
	(void)state;
	assert_loads(CONFIG_DIR "/nflogd.yaml");
	assert_loads(CONFIG_DIR "/examples/minimal.yaml");
}

static void a_file_that_cannot_be_read_says_why(void **state)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[LINE_BYTES];

	(void)state;
	assert_int_equal(config_load_file("/nonexistent.yaml", &config, &errors), -ENOENT);
	assert_null(config);
	assert_int_equal(errors.count, 1);
	(void)config_error_render(&errors.items[0], text, sizeof(text));
	assert_string_equal(text, "/nonexistent.yaml: cannot be read: No such file or directory");
	config_errors_done(&errors);

	assert_int_equal(config_load_file("/", &config, &errors), -EISDIR);
	config_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_good_file_loads),
	    cmocka_unit_test(every_bad_file_gives_all_its_errors_and_no_other),
	    cmocka_unit_test(the_shipped_examples_load),
	    cmocka_unit_test(a_file_that_cannot_be_read_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
