/* SPDX-License-Identifier: MIT */
/* What netns_open() refuses, and calls that need no way back. Entering needs root: e2e.listener. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "netns.h"

static int try_open(struct nfl_netns netns, const char *expected_text)
{
	struct nfl_error err = {0};
	int fd = -1;
	int r = netns_open(&netns, &fd, &err);

	assert_int_equal(fd, -1);
	if (!strstr(err.text, expected_text))
		fail_msg("expected \"%s\" in \"%s\"", expected_text, err.text);
	return r;
}

static void names_that_are_paths_are_invalid(void **state)
{
	const char *names[] = {NULL, "", ".", "..", "a/b", "/proc/self/ns/net"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct nfl_netns netns = {.kind = NFL_NETNS_NAME, .name = names[i]};

		assert_int_equal(try_open(netns, "/run/netns"), -EINVAL);
	}
}

static void what_does_not_exist_is_enoent_and_named(void **state)
{
	(void)state;
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_NAME, .name = "nflt-none"},
				  "\"nflt-none\" does not exist"),
			 -ENOENT);
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_PATH, .name = "/no/such"},
				  "/no/such does not exist"),
			 -ENOENT);
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_PID, .pid = 0x7fffffff},
				  "process 2147483647 does not exist"),
			 -ENOENT);
}

static void files_that_are_no_network_namespace_are_enoent(void **state)
{
	(void)state;
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_PATH, .name = "/dev/null"},
				  "not on nsfs"),
			 -ENOENT);
	assert_int_equal(
	    try_open((struct nfl_netns){.kind = NFL_NETNS_PATH, .name = "/proc/self/ns/mnt"},
		     "another kind"),
	    -ENOENT);
}

static void values_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_PID, .pid = -1}, "-1"),
			 -EINVAL);
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_PATH}, "empty"), -EINVAL);
	assert_int_equal(try_open((struct nfl_netns){.kind = NFL_NETNS_FD, .fd = -1}, "-1"),
			 -EBADF);
	assert_int_equal(try_open((struct nfl_netns){.kind = (enum nfl_netns_kind)9}, "9"),
			 -EINVAL);
}

static int open_self(void)
{
	int fd = -1;

	assert_int_equal(netns_open(&(struct nfl_netns){0}, &fd, NULL), 0);
	return fd;
}

static void every_way_to_the_own_namespace_gives_the_same_identity(void **state)
{
	CLEANUP(closep) int self = open_self();
	const struct nfl_netns others[] = {
	    {.kind = NFL_NETNS_PATH, .name = "/proc/self/ns/net"},
	    {.kind = NFL_NETNS_PID, .pid = getpid()},
	    {.kind = NFL_NETNS_FD, .fd = self},
	};
	uint64_t dev, inode;

	(void)state;
	assert_int_equal(netns_identify(self, &dev, &inode), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CLEANUP(closep) int fd = -1;
		uint64_t other_dev, other_inode;

		assert_int_equal(netns_open(&others[i], &fd, NULL), 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(netns_identify(fd, &other_dev, &other_inode), 0);
		assert_int_equal(other_dev, dev);
		assert_int_equal(other_inode, inode);
	}
}

static int count_call(void *data)
{
	++*(int *)data;
	return 42;
}

static void a_call_into_the_own_namespace_needs_no_capability(void **state)
{
	CLEANUP(closep) int self = open_self();
	int calls = 0;

	(void)state;
	assert_int_equal(netns_call(self, count_call, &calls, NULL), 42);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_that_are_paths_are_invalid),
	    cmocka_unit_test(what_does_not_exist_is_enoent_and_named),
	    cmocka_unit_test(files_that_are_no_network_namespace_are_enoent),
	    cmocka_unit_test(values_out_of_range_are_refused),
	    cmocka_unit_test(every_way_to_the_own_namespace_gives_the_same_identity),
	    cmocka_unit_test(a_call_into_the_own_namespace_needs_no_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
