/* SPDX-License-Identifier: MIT */
/* Which batching is right at which rate, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapt.h"
#include "clock.h"

struct stream {
	struct adapt adapt;
	uint64_t packets;
	int64_t now_ns;
	unsigned shifts;
};

/* Packets of one rate for so long, looked at every @step_ns; what is right is put in force. */
static enum batching run_steps(struct stream *s, uint64_t rate, int64_t length_ns, bool pressed,
			       int64_t step_ns)
{
	uint64_t before = s->packets;

	for (int64_t t = step_ns; t <= length_ns; t += step_ns) {
		enum batching right;

		s->now_ns += step_ns;
		s->packets = before + rate * (uint64_t)t / (uint64_t)NS_PER_S;
		right = adapt_judge(&s->adapt, s->packets, pressed, s->now_ns);
		s->shifts += right != s->adapt.batching;
		s->adapt.batching = right;
	}
	return s->adapt.batching;
}

static enum batching run(struct stream *s, uint64_t rate, int64_t length_ns)
{
	return run_steps(s, rate, length_ns, false, NS_PER_MS);
}

static void set_up(struct stream *s)
{
	*s = (struct stream){.now_ns = NS_PER_S};
	(void)run(s, 0, NS_PER_MS);
}

static void quiet_source_stays_at_single_packets(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	assert_int_equal(run(&s, 1000, 5 * NS_PER_S), BATCHING_SINGLE);
	assert_int_equal(s.shifts, 0);
}

static void flood_is_met_within_some_hundred_packets(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	(void)run(&s, 100, 100 * NS_PER_MS);
	assert_int_equal(run(&s, 1000000, 2 * NS_PER_MS), BATCHING_LARGE);
	assert_int_equal(s.shifts, 1);
}

static void rate_in_between_gets_small_batches(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	assert_int_equal(run(&s, 10000, 100 * NS_PER_MS), BATCHING_SMALL);
	assert_int_equal(run(&s, 10000, 5 * NS_PER_S), BATCHING_SMALL);
	assert_int_equal(s.shifts, 1);
}

static void it_goes_down_only_after_it_was_calm_for_a_while(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	assert_int_equal(run(&s, 200000, 100 * NS_PER_MS), BATCHING_LARGE);
	assert_int_equal(run(&s, 500, 400 * NS_PER_MS), BATCHING_LARGE);
	assert_int_equal(run(&s, 500, 300 * NS_PER_MS), BATCHING_SINGLE);
	assert_int_equal(s.shifts, 2);
}

static void burst_begins_the_calm_anew(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	(void)run(&s, 200000, 100 * NS_PER_MS);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(run(&s, 0, 400 * NS_PER_MS), BATCHING_LARGE);
		assert_int_equal(run(&s, 200000, 50 * NS_PER_MS), BATCHING_LARGE);
	}
	assert_int_equal(s.shifts, 1);
}

/* A rate that goes about a threshold does not make it go up and down. */
static void rate_at_a_threshold_does_not_flap(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < 50; i++) {
		(void)run(&s, 2200, 200 * NS_PER_MS);
		(void)run(&s, 1800, 200 * NS_PER_MS);
	}
	assert_int_equal(s.shifts, 1);
	assert_int_equal(s.adapt.batching, BATCHING_SMALL);
}

/* It fell silent: nobody calls but the look at a pace. */
static void silent_source_goes_down_by_looks_alone(void **state)
{
	struct stream s;

	(void)state;
	set_up(&s);
	(void)run(&s, 200000, 100 * NS_PER_MS);
	assert_int_equal(run_steps(&s, 0, 800 * NS_PER_MS, false, 100 * NS_PER_MS),
			 BATCHING_SINGLE);
}

static void pressed_thread_sends_those_up_that_talk_and_nobody_down(void **state)
{
	struct stream talking, silent, busy;

	(void)state;
	set_up(&talking);
	set_up(&silent);
	set_up(&busy);
	(void)run(&busy, 200000, 100 * NS_PER_MS);
	assert_int_equal(run_steps(&talking, 1000, NS_PER_S, true, NS_PER_MS), BATCHING_LARGE);
	assert_int_equal(talking.shifts, 2); /* one at a time */
	assert_int_equal(run_steps(&silent, 5, 5 * NS_PER_S, true, NS_PER_MS), BATCHING_SINGLE);
	assert_int_equal(run_steps(&busy, 10, 5 * NS_PER_S, true, NS_PER_MS), BATCHING_LARGE);
	assert_int_equal(run(&talking, 500, NS_PER_S), BATCHING_SINGLE); /* it is over */
}

static void thread_is_pressed_by_many_datagrams_until_they_are_few(void **state)
{
	struct pressure pressure = {0};
	int64_t now = NS_PER_S;

	(void)state;
	(void)adapt_press(&pressure, 0, now);
	assert_false(adapt_press(&pressure, 700, now += 100 * NS_PER_MS));
	assert_true(adapt_press(&pressure, 900, now += 100 * NS_PER_MS));
	assert_true(adapt_press(&pressure, 0, now + NS_PER_MS)); /* too soon to tell */
	assert_true(adapt_press(&pressure, 500, now += 100 * NS_PER_MS));
	assert_false(adapt_press(&pressure, 300, now + 100 * NS_PER_MS));
}

/* 95 of 158 packets/s each, gathered to a few datagrams by now: they stay what they are. */
static void what_pressure_sent_up_does_not_end_the_pressure(void **state)
{
	struct pressure pressure = {0};
	int64_t now = NS_PER_S;
	struct stream slow, busy;
	uint64_t load;

	(void)state;
	set_up(&slow);
	(void)run_steps(&slow, 158, NS_PER_S, true, NS_PER_MS);
	(void)adapt_press(&pressure, 0, now);
	load = 95 * adapt_load(&slow.adapt, 16, 5);
	assert_true(adapt_press(&pressure, load, now += 100 * NS_PER_MS));
	assert_true(adapt_press(&pressure, load, now + 100 * NS_PER_MS));
	set_up(&busy);
	(void)run(&busy, 200000, 100 * NS_PER_MS);
	assert_int_equal(adapt_load(&busy.adapt, 20000, 31), 31); /* large by itself */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quiet_source_stays_at_single_packets),
	    cmocka_unit_test(flood_is_met_within_some_hundred_packets),
	    cmocka_unit_test(rate_in_between_gets_small_batches),
	    cmocka_unit_test(it_goes_down_only_after_it_was_calm_for_a_while),
	    cmocka_unit_test(burst_begins_the_calm_anew),
	    cmocka_unit_test(rate_at_a_threshold_does_not_flap),
	    cmocka_unit_test(silent_source_goes_down_by_looks_alone),
	    cmocka_unit_test(pressed_thread_sends_those_up_that_talk_and_nobody_down),
	    cmocka_unit_test(thread_is_pressed_by_many_datagrams_until_they_are_few),
	    cmocka_unit_test(what_pressure_sent_up_does_not_end_the_pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
