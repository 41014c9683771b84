/* SPDX-License-Identifier: MIT */
/* How much of gRPC's errors is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "core_log.h"

#define START (1000 * NS_PER_S)

static void a_flood_is_cut_to_a_burst_and_then_a_line_a_second(void **state)
{
	struct core_log_budget budget = {0};
	uint64_t dropped;
	int written = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		written += core_log_allows(&budget, START, &dropped);
	assert_int_equal(written, CORE_LOG_BURST);
	assert_false(core_log_allows(&budget, START + NS_PER_S - 1, &dropped));
	assert_true(core_log_allows(&budget, START + NS_PER_S, &dropped));
	assert_int_equal(dropped, 1000 - CORE_LOG_BURST + 1);
	assert_false(core_log_allows(&budget, START + NS_PER_S, &dropped));
}

static void after_a_rest_the_burst_is_there_again(void **state)
{
	struct core_log_budget budget = {0};
	uint64_t dropped;
	int written = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)core_log_allows(&budget, START, &dropped);
	for (int i = 0; i < 1000; i++)
		written += core_log_allows(&budget, START + 3600 * NS_PER_S, &dropped);
	assert_int_equal(written, CORE_LOG_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flood_is_cut_to_a_burst_and_then_a_line_a_second),
	    cmocka_unit_test(after_a_rest_the_burst_is_there_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
