/* SPDX-License-Identifier: MIT */
/* What ends nfl_listener_run(), on a quiet group and on a busy one. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "clock.h"
#include "lab.h"

/* Generous, as machines of CI are; a listener that waits for the next packet would never end. */
#define AT_ONCE_NS (10 * NS_PER_S)

static void a_deadline_ends_it_on_a_quiet_group(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct seen seen = {0};
	int64_t start = monotonic_ns(), took;

	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, 50), 0);
	took = monotonic_ns() - start;
	assert_in_range(took, 50 * NS_PER_MS, AT_ONCE_NS);
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, 0), 0);
	assert_int_equal(seen.count, 0);
}

static int send_another(const struct nfl_record *record, void *data)
{
	(void)record;
	lab_send(data, 1);
	return 0;
}

static void a_deadline_ends_it_on_a_group_that_is_never_quiet(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;

	options.profile = NFL_PROFILE_LATENCY;
	listener = lab_open(&options);
	lab_send(lab, 1);
	assert_int_equal(nfl_listener_run(listener, send_another, lab, 50), 0);
	assert_true(lab_stats(listener).records > 1);
}

static void a_cancel_before_it_ends_the_next_run_and_only_that(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct seen seen = {0};

	nfl_listener_cancel(listener);
	nfl_listener_cancel(listener); /* two before a run are one */
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, -1), -ECANCELED);
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, 10), 0);
}

/* Whether a thread of this process sleeps in a system call. */
static bool is_asleep(pid_t thread)
{
	char path[64], status = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%jd/stat", (intmax_t)thread);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &status) != 1)
		status = 0;
	(void)fclose(file); /* it was only read */
	return status == 'S';
}

struct canceller {
	struct nfl_listener *listener;
	pid_t runner;
	int64_t cancelled_ns;
};

static void *cancel_when_asleep(void *data)
{
	struct canceller *c = data;

	while (!is_asleep(c->runner))
		(void)sched_yield();
	c->cancelled_ns = monotonic_ns();
	nfl_listener_cancel(c->listener);
	return NULL;
}

static void a_cancel_from_another_thread_ends_it_on_a_quiet_group(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct canceller canceller = {.listener = listener, .runner = gettid()};
	struct seen seen = {0};
	pthread_t thread;

	for (int i = 0; i < 20; i++) {
		int64_t ended_ns;

		assert_int_equal(pthread_create(&thread, NULL, cancel_when_asleep, &canceller), 0);
		assert_int_equal(nfl_listener_run(listener, lab_see, &seen, -1), -ECANCELED);
		ended_ns = monotonic_ns();
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(ended_ns - canceller.cancelled_ns < AT_ONCE_NS);
	}
}

static struct nfl_listener *signalled;

static void on_alarm(int number)
{
	(void)number;
	nfl_listener_cancel(signalled);
}

static void a_cancel_in_a_signal_handler_ends_it(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	struct sigaction before;
	struct seen seen = {0};

	signalled = listener;
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, -1), -ECANCELED);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static int cancel_at_ten(const struct nfl_record *record, void *data)
{
	if (lab_stats(data).records == 10)
		nfl_listener_cancel(data);
	(void)record;
	return 0;
}

static void a_cancel_in_the_middle_of_a_batch_leaves_the_rest(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	options.set = NFL_SET_QTHRESH | NFL_SET_TIMEOUT;
	options.qthresh = 50;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	listener = lab_open(&options);
	lab_send(lab, 50);
	assert_int_equal(nfl_listener_run(listener, cancel_at_ten, listener, -1), -ECANCELED);
	assert_int_equal(lab_stats(listener).records, 10);
	lab_expect(listener, &seen, 40);
	assert_int_equal(seen.count, 40);
	assert_int_equal(seen.last, lab->sent - 1);
}

int run_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(a_deadline_ends_it_on_a_quiet_group),
	    LAB_TEST(a_deadline_ends_it_on_a_group_that_is_never_quiet),
	    LAB_TEST(a_cancel_before_it_ends_the_next_run_and_only_that),
	    LAB_TEST(a_cancel_from_another_thread_ends_it_on_a_quiet_group),
	    LAB_TEST(a_cancel_in_a_signal_handler_ends_it),
	    LAB_TEST(a_cancel_in_the_middle_of_a_batch_leaves_the_rest),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
