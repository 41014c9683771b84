// SPDX-License-Identifier: MIT
/* What a drop counter in datagrams says of packets, between two moments of an empty socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tail.h"

static void drops_without_a_packet_after_them_are_pending(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_empty(&tail, 7);
	tail_packet(&tail, 7);
	tail_empty(&tail, 12);
	assert_int_equal(tail.pending, 5);
}

static void further_drops_add_up_while_no_packet_comes(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_empty(&tail, 2);
	tail_empty(&tail, 2);
	tail_empty(&tail, 5);
	assert_int_equal(tail.pending, 5);
}

static void the_next_packet_settles_what_was_pending(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_empty(&tail, 3);
	tail_packet(&tail, 40);
	assert_int_equal(tail.pending, 0);
	tail_empty(&tail, 3);
	assert_int_equal(tail.pending, 0);
}

static void gaps_between_packets_account_for_drops(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_packet(&tail, 0);
	tail_packet(&tail, 20); /* one datagram of twenty, or twenty of one */
	tail_empty(&tail, 20);
	assert_int_equal(tail.pending, 0);
	tail_packet(&tail, 0);
	tail_packet(&tail, 2);
	tail_empty(&tail, 25);
	assert_int_equal(tail.pending, 3);
}

static void the_gap_that_settles_an_earlier_tail_is_not_counted_again(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_empty(&tail, 10);
	tail_packet(&tail, 10);
	tail_empty(&tail, 14);
	assert_int_equal(tail.pending, 4);
}

static void a_packet_tells_how_much_of_its_gap_was_pending(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	assert_int_equal(tail_packet(&tail, 9), 0);
	tail_empty(&tail, 12);
	assert_int_equal(tail_packet(&tail, 15), 12);
	assert_int_equal(tail_packet(&tail, 2), 0);
}

static void a_counter_that_goes_back_is_no_loss(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail_empty(&tail, 5);
	tail_packet(&tail, 5);
	tail_empty(&tail, 4);
	assert_int_equal(tail.pending, 0);
	tail_empty(&tail, 6);
	assert_int_equal(tail.pending, 2);
}

static void a_counter_that_wraps_goes_on(void **state)
{
	struct tail tail;

	(void)state;
	tail_init(&tail);
	tail.drops = UINT32_MAX; /* as after so many */
	tail_empty(&tail, 1);
	assert_int_equal(tail.pending, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(drops_without_a_packet_after_them_are_pending),
	    cmocka_unit_test(further_drops_add_up_while_no_packet_comes),
	    cmocka_unit_test(the_next_packet_settles_what_was_pending),
	    cmocka_unit_test(gaps_between_packets_account_for_drops),
	    cmocka_unit_test(the_gap_that_settles_an_earlier_tail_is_not_counted_again),
	    cmocka_unit_test(a_packet_tells_how_much_of_its_gap_was_pending),
	    cmocka_unit_test(a_counter_that_goes_back_is_no_loss),
	    cmocka_unit_test(a_counter_that_wraps_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
