/* SPDX-License-Identifier: MIT */
/* When the intake's thread sleeps: under a flood of full datagrams, and never at a buffer's cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "rest.h"

#define RCVBUF   (16u << 20)
#define RECORDS  320u
#define DATAGRAM 65216u

/* One round, so long after the last; returns how long to sleep. */
static int64_t round_after(struct rest *rest, int64_t *now_ns, int64_t ns, unsigned datagrams,
			   unsigned records, uint32_t rcvbuf)
{
	struct rest_round round = {0};

	*now_ns += ns;
	if (datagrams)
		rest_note(&round, records * datagrams, datagrams, DATAGRAM * datagrams, rcvbuf);
	return rest_length(rest, &round, *now_ns);
}

static void full_datagrams_in_quick_succession_make_it_sleep(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	assert_int_equal(round_after(&rest, &now, NS_PER_S, 1, RECORDS, RCVBUF), 0);
	for (int i = 0; i < 5; i++)
		assert_true(round_after(&rest, &now, NS_PER_MS / 4, 1, RECORDS, RCVBUF) > 0);
}

static void it_goes_on_sleeping_while_each_sleep_gathers_many(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	(void)round_after(&rest, &now, NS_PER_S, 1, RECORDS, RCVBUF);
	for (int i = 0; i < 5; i++)
		assert_true(round_after(&rest, &now, NS_PER_MS + 50000, 4, RECORDS, RCVBUF) > 0);
}

static void slower_ones_are_read_as_they_come(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(round_after(&rest, &now, 2 * NS_PER_MS, 1, RECORDS, RCVBUF), 0);
}

static void small_datagrams_are_wanted_at_once(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(round_after(&rest, &now, 10000, 32, 1, RCVBUF), 0);
}

static void small_receive_buffer_does_not_wait(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(round_after(&rest, &now, 100000, 1, RECORDS, 425984), 0);
}

static void full_receive_buffer_does_not_wait_whatever_its_size(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	(void)round_after(&rest, &now, 100000, 1, RECORDS, RCVBUF);
	assert_int_equal(round_after(&rest, &now, NS_PER_MS, 32, RECORDS, RCVBUF), 0);
}

static void round_that_read_nothing_ends_nothing(void **state)
{
	int64_t now = NS_PER_S;
	struct rest rest = {0};

	(void)state;
	(void)round_after(&rest, &now, NS_PER_S, 1, RECORDS, RCVBUF);
	assert_int_equal(round_after(&rest, &now, 1000, 0, 0, RCVBUF), 0);
	assert_true(round_after(&rest, &now, 1000, 1, RECORDS, RCVBUF) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_datagrams_in_quick_succession_make_it_sleep),
	    cmocka_unit_test(it_goes_on_sleeping_while_each_sleep_gathers_many),
	    cmocka_unit_test(slower_ones_are_read_as_they_come),
	    cmocka_unit_test(small_datagrams_are_wanted_at_once),
	    cmocka_unit_test(small_receive_buffer_does_not_wait),
	    cmocka_unit_test(full_receive_buffer_does_not_wait_whatever_its_size),
	    cmocka_unit_test(round_that_read_nothing_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
