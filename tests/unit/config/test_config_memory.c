/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of config/ fails once: the call says -ENOMEM, hands out nothing, and what it had
 * is freed (AddressSanitizer counts).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static unsigned fail_at; /* 1: the next allocation; 0: none */
static bool has_failed;

static bool fails_now(void)
{
	if (!fail_at || --fail_at)
		return false;
	has_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : __real_strdup(text);
}

/* Fails the @nth allocation of loading @path; false when there is no such one. */
static bool load_fails_at(const char *path, unsigned nth)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[64];
	int r;

	has_failed = false;
	fail_at = nth;
	r = config_load_file(path, &config, &errors);
	fail_at = 0;
	if (has_failed) {
		assert_int_equal(r, -ENOMEM);
		assert_null(config);
	}
	for (size_t i = 0; i < errors.count; i++) /* perhaps without path or text */
		(void)config_error_render(&errors.items[i], text, sizeof(text));
	config_errors_done(&errors);
	config_free(config);
	return has_failed;
}

static void assert_every_failure_is_told(const char *path, unsigned at_least)
{
	unsigned nth = 1;

	while (load_fails_at(path, nth))
		nth++;
	print_message("    %s: %u allocations\n", path, nth - 1);
	assert_true(nth > at_least);
}

static void loading_a_good_file(void **state)
{
	(void)state;
	assert_every_failure_is_told(CONFIG_DIR "/nflogd.yaml", 100);
	assert_every_failure_is_told(CONFIG_DIR "/examples/minimal.yaml", 20);
	assert_every_failure_is_told(TEST_DATA "/config/good/filter.yaml", 100);
}

static void telling_what_is_wrong(void **state)
{
	(void)state;
	assert_every_failure_is_told(TEST_DATA "/config/bad/sources.yaml", 100);
	assert_every_failure_is_told(TEST_DATA "/config/bad/claimed_twice.yaml", 50);
	assert_every_failure_is_told(TEST_DATA "/config/bad/identities.yaml", 50);
	assert_every_failure_is_told(TEST_DATA "/config/bad/filter.yaml", 100);
	assert_every_failure_is_told(TEST_DATA "/config/bad/syntax.yaml", 4);
	assert_every_failure_is_told("/nonexistent.yaml", 4);
}

static void the_built_in_default_is_then_null(void **state)
{
	(void)state;
	has_failed = true;
	for (unsigned nth = 1; has_failed; nth++) {
		struct config *config;

		has_failed = false;
		fail_at = nth;
		config = config_new_default(1000);
		fail_at = 0;
		assert_true(has_failed == !config);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(loading_a_good_file),
	    cmocka_unit_test(telling_what_is_wrong),
	    cmocka_unit_test(the_built_in_default_is_then_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
