/* SPDX-License-Identifier: MIT */
/* The settings of an adaptive group, and that no other group gets them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batching.h"

static void each_gathers_more_than_the_one_before(void **state)
{
	uint32_t qthresh = 0, nlbufsiz = 0;

	(void)state;
	for (int b = BATCHING_SINGLE; b <= BATCHING_LARGE; b++) {
		struct nfl_listener_options options = {.profile = NFL_PROFILE_ADAPTIVE};

		assert_int_equal(batching_apply((enum batching)b, &options), 0);
		assert_true(options.qthresh > qthresh && options.nlbufsiz > nlbufsiz);
		assert_int_equal(options.set, NFL_SET_QTHRESH | NFL_SET_TIMEOUT | NFL_SET_NLBUFSIZ);
		qthresh = options.qthresh;
		nlbufsiz = options.nlbufsiz;
	}
	assert_true(nlbufsiz <= NFL_NLBUFSIZ_MAX);
}

static void what_the_configuration_names_stays(void **state)
{
	struct nfl_listener_options options = {
	    .profile = NFL_PROFILE_ADAPTIVE,
	    .set = NFL_SET_TIMEOUT | NFL_SET_QTHRESH,
	    .timeout_ms = 50,
	    .qthresh = 7,
	};

	(void)state;
	assert_int_equal(batching_apply(BATCHING_LARGE, &options), 0);
	assert_int_equal(options.timeout_ms, 50);
	assert_int_equal(options.qthresh, 7);
	assert_true(options.nlbufsiz > NFL_NLBUFSIZ_MIN);
}

static void other_profiles_and_numbers_are_refused(void **state)
{
	struct nfl_listener_options options = {.profile = NFL_PROFILE_LATENCY};

	(void)state;
	assert_int_equal(batching_apply(BATCHING_LARGE, &options), -EINVAL);
	assert_int_equal(options.set, 0);
	options.profile = NFL_PROFILE_ADAPTIVE;
	assert_int_equal(batching_apply((enum batching)(BATCHING_LARGE + 1), &options), -EINVAL);
	assert_int_equal(batching_apply((enum batching)UINT32_MAX, &options), -EINVAL);
	assert_int_equal(options.set, 0);
	assert_string_equal(batching_name((enum batching)77), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_gathers_more_than_the_one_before),
	    cmocka_unit_test(what_the_configuration_names_stays),
	    cmocka_unit_test(other_profiles_and_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
