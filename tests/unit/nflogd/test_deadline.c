/* SPDX-License-Identifier: MIT */
/* deadline: a stop that is late ends the process, one in time does not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "deadline.h"

static void process_ends_with_0_when_the_deadline_passes(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct deadline deadline;

		if (deadline_start(&deadline, monotonic_ns()) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void stop_in_time_leaves_the_process_alone(void **state)
{
	struct deadline deadline;

	(void)state;
	assert_int_equal(deadline_start(&deadline, monotonic_ns() + 3600 * NS_PER_S), 0);
	deadline_stop(&deadline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(process_ends_with_0_when_the_deadline_passes),
	    cmocka_unit_test(stop_in_time_leaves_the_process_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
