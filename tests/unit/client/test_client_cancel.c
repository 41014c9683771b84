/* SPDX-License-Identifier: MIT */
/* How another thread ends a stream between its calls. What does not wake hangs, and fails by that. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call.h"
#include "cancel.h"

/* Calls that were cancelled, instead of gRPC's. */
static const struct call *cancelled;
static unsigned cancels;

void call_cancel(struct call *call)
{
	cancelled = call;
	cancels++;
}

static int setup(void **state)
{
	static struct cancel cancel;

	cancel = (struct cancel){0};
	cancelled = NULL;
	cancels = 0;
	*state = &cancel;
	return cancel_init(&cancel);
}

static int teardown(void **state)
{
	cancel_done(*state);
	return 0;
}

static void *cancel_it(void *cancel)
{
	cancel_now(cancel);
	return NULL;
}

static void cancel_ends_a_pause_of_any_length(void **state)
{
	struct cancel *cancel = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, cancel_it, cancel), 0);
	cancel_sleep(cancel, INT64_MAX);
	assert_true(cancel_is_set(cancel));
	cancel_sleep(cancel, INT64_MAX);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(cancels, 0);
}

static void pause_ends_when_its_time_has_come(void **state)
{
	cancel_sleep(*state, 0);
	assert_false(cancel_is_set(*state));
}

static void cancel_ends_the_call_that_is_under_way(void **state)
{
	struct call first = {0}, second = {0};

	cancel_watch(*state, &first);
	cancel_watch(*state, NULL);
	cancel_watch(*state, &second);
	assert_int_equal(cancels, 0);
	cancel_now(*state);
	assert_ptr_equal(cancelled, &second);
	assert_int_equal(cancels, 1);
}

static void call_that_is_begun_after_the_cancel_is_ended_too(void **state)
{
	struct call call = {0};

	cancel_now(*state);
	assert_int_equal(cancels, 0);
	cancel_watch(*state, &call);
	assert_ptr_equal(cancelled, &call);
	cancel_watch(*state, NULL);
	assert_int_equal(cancels, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(cancel_ends_a_pause_of_any_length, setup, teardown),
	    cmocka_unit_test_setup_teardown(pause_ends_when_its_time_has_come, setup, teardown),
	    cmocka_unit_test_setup_teardown(cancel_ends_the_call_that_is_under_way, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(call_that_is_begun_after_the_cancel_is_ended_too, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
