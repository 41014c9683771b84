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
#include "failing.h"

/* @data: the path */
static int load(const void *data)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[64];
	int r;

	failing_on();
	r = config_load_file(data, &config, &errors);
	failing_off();
	assert_true(r == 0 ? config != NULL : config == NULL);
	if (r == -ENOMEM)
		assert_int_equal(errors.count + errors.more, 0);
	for (size_t i = 0; i < errors.count; i++)
		(void)config_error_render(&errors.items[i], text, sizeof(text));
	config_errors_done(&errors);
	config_free(config);
	return r;
}

static void assert_every_failure_is_told(const char *path, int expected, unsigned at_least)
{
	unsigned count = failing_each(load, path, expected);

	print_message("    %s: %u allocations\n", path, count);
	assert_true(count >= at_least);
}

static void loading_a_good_file(void **state)
{
	(void)state;
	assert_every_failure_is_told(CONFIG_DIR "/nflogd.yaml", 0, 100);
	assert_every_failure_is_told(CONFIG_DIR "/examples/minimal.yaml", 0, 20);
	assert_every_failure_is_told(TEST_DATA "/config/good/filter.yaml", 0, 100);
}

static void telling_what_is_wrong(void **state)
{
	(void)state;
	assert_every_failure_is_told(TEST_DATA "/config/bad/sources.yaml", -EINVAL, 100);
	assert_every_failure_is_told(TEST_DATA "/config/bad/claimed_twice.yaml", -EINVAL, 50);
	assert_every_failure_is_told(TEST_DATA "/config/bad/identities.yaml", -EINVAL, 50);
	assert_every_failure_is_told(TEST_DATA "/config/bad/filter.yaml", -EINVAL, 100);
	assert_every_failure_is_told(TEST_DATA "/config/bad/syntax.yaml", -EINVAL, 4);
	assert_every_failure_is_told("/nonexistent.yaml", -ENOENT, 4);
}

static int make_default(const void *data)
{
	struct config *config;

	(void)data;
	failing_on();
	config = config_new_default(1000);
	failing_off();
	config_free(config);
	return config ? 0 : -ENOMEM;
}

static void the_built_in_default_is_then_null(void **state)
{
	(void)state;
	assert_true(failing_each(make_default, NULL, 0) > 10);
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
