/* SPDX-License-Identifier: MIT */
/* What the kernel has after an open, and why an open fails. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "lab.h"
#include "netns.h"

/* A line of /proc/net/netfilter/nfnetlink_log. */
struct in_force {
	unsigned group, port_id, queued, mode, range, timeout, use;
};

static int read_in_force(void *data)
{
	struct in_force *f = data;
	FILE *file = fopen("/proc/thread-self/net/netfilter/nfnetlink_log", "re");
	int fields;

	if (!file)
		return -errno;
	fields = fscanf(file, "%u %u %u %u %u %u %u", &f->group, &f->port_id, &f->queued, &f->mode,
			&f->range, &f->timeout, &f->use);
	(void)fclose(file); /* it was only read */
	return fields == 7 ? 0 : -ENOENT;
}

static void assert_in_force(const struct lab *lab, const struct nfl_listener *listener,
			    unsigned mode, unsigned range, unsigned timeout)
{
	struct nfl_listener_settings settings;
	struct in_force f;

	nfl_listener_settings(listener, &settings);
	assert_int_equal(test_netns_call(&lab->netns, read_in_force, &f), 0);
	assert_int_equal(f.group, LAB_GROUP);
	assert_int_equal(f.port_id, settings.port_id);
	assert_int_equal(f.mode, mode);
	assert_int_equal(f.range, range);
	assert_int_equal(f.timeout, timeout);
	assert_int_equal(settings.timeout_ms, timeout * 10);
}

static void settings_arrive_in_the_kernel(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct nfl_listener_settings settings;

	options.set = NFL_SET_COPY_RANGE | NFL_SET_TIMEOUT | NFL_SET_QTHRESH | NFL_SET_RCVBUF |
		      NFL_SET_NLBUFSIZ;
	options.copy_range = 77;
	options.timeout_ms = 31;
	options.qthresh = 3;
	options.rcvbuf = 1 << 20;
	options.nlbufsiz = 16064;
	listener = lab_open(&options);
	assert_in_force(lab, listener, 2, 77, 4);
	nfl_listener_settings(listener, &settings);
	assert_int_equal(settings.rcvbuf, 2 << 20); /* the kernel doubles it */
	assert_int_equal(settings.copy_range, 77);
	assert_int_equal(settings.qthresh, 3);
	assert_int_equal(settings.nlbufsiz, 16064);
	assert_true(settings.netns_cookie != 0);
}

static void profiles_arrive_in_the_kernel(void **state)
{
	static const struct {
		enum nfl_profile profile;
		unsigned timeout;
	} profiles[] = {
	    {NFL_PROFILE_BALANCED, 1}, {NFL_PROFILE_LATENCY, 0}, {NFL_PROFILE_THROUGHPUT, 10}};
	struct lab *lab = *state;

	for (size_t i = 0; i < 3; i++) {
		struct nfl_listener_options options = lab_options(lab);
		CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;

		options.profile = profiles[i].profile;
		listener = lab_open(&options);
		assert_in_force(lab, listener, 2, NFL_COPY_RANGE_MAX, profiles[i].timeout);
	}
}

/* Not every kernel has conntrack's part in NFLOG; one that has not says so. */
static bool has_conntrack(const struct lab *lab)
{
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct nfl_error err = {0};
	int r;

	options.flags = NFL_FLAG_CONNTRACK;
	r = nfl_listener_open(&options, &listener, &err);
	if (r == 0)
		return true;
	assert_int_equal(r, -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "cannot attach connections"));
	print_message("this kernel has no NFLOG with conntrack\n");
	return false;
}

static void every_combination_of_flags_gives_just_its_fields(void **state)
{
	const uint64_t fields = NFL_HAS_SEQ | NFL_HAS_SEQ_GLOBAL | NFL_HAS_CT | NFL_HAS_CT_INFO;
	struct lab *lab = *state;

	test_nft(&lab->netns, "table inet t { chain c { type filter hook output priority 0;"
			      "udp dport 1000 ct state new,established log group 5; }; }");
	for (uint32_t flags = 0; flags < (has_conntrack(lab) ? 8 : 4); flags++) {
		struct nfl_listener_options options = lab_options(lab);
		CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
		struct seen seen = {0};
		uint64_t expected = 0;

		options.flags = flags;
		options.profile = NFL_PROFILE_LATENCY;
		listener = lab_open(&options);
		lab_send(lab, 2);
		lab_expect(listener, &seen, 2);
		expected |= flags & NFL_FLAG_SEQ ? NFL_HAS_SEQ : 0;
		expected |= flags & NFL_FLAG_SEQ_GLOBAL ? NFL_HAS_SEQ_GLOBAL : 0;
		expected |= flags & NFL_FLAG_CONNTRACK ? NFL_HAS_CT | NFL_HAS_CT_INFO : 0;
		assert_int_equal(seen.present & fields, expected);
	}
}

static void a_taken_group_is_ebusy_and_names_the_port_id(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct nfl_listener_settings settings;
	struct nfl_listener *second = NULL;
	struct nfl_error err = {0};
	struct seen seen = {0};
	char expected[64];

	assert_int_equal(nfl_listener_open(&options, &second, &err), -EBUSY);
	assert_null(second);
	nfl_listener_settings(listener, &settings);
	(void)snprintf(expected, sizeof(expected), "group 5 is taken by netlink port id %u ",
		       settings.port_id);
	if (!strstr(err.text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, err.text);
	lab_send(lab, 3); /* the attempt has not disturbed the first */
	lab_expect(listener, &seen, 3);
	assert_int_equal(seen.count, 3);
}

static void a_group_is_free_after_close_although_a_child_holds_the_socket(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	struct nfl_listener *listener = lab_open(&options);
	int wait_here[2];
	pid_t child;

	assert_int_equal(pipe2(wait_here, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		char byte;

		(void)close(wait_here[1]);
		_exit(read(wait_here[0], &byte, 1) != 0);
	}
	nfl_listener_close(listener);
	listener = lab_open(&options);
	nfl_listener_close(listener);
	(void)close(wait_here[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(wait_here[0]);
}

/* Gives up a capability for good and says what an open then says, as an exit status. */
static int open_without(const struct nfl_listener_options *options, unsigned capability,
			int expected_code, const char *expected_text)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct words[2];
	struct nfl_listener *listener;
	struct nfl_error err = {0};
	int r;

	if (syscall(SYS_capget, &header, words) < 0)
		return 2;
	words[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
	words[CAP_TO_INDEX(capability)].permitted &= ~CAP_TO_MASK(capability);
	if (syscall(SYS_capset, &header, words) < 0)
		return 3;
	r = nfl_listener_open(options, &listener, &err);
	if (r == expected_code && strstr(err.text, expected_text))
		return 0;
	fprintf(stderr, "open returned %d: %s\n", r, err.text);
	return 1;
}

static void assert_open_without(const struct nfl_listener_options *options, unsigned capability,
				int expected_code, const char *expected_text)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(open_without(options, capability, expected_code, expected_text));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_missing_capability_is_eperm_and_named(void **state)
{
	struct nfl_listener_options options = lab_options(*state);

	assert_open_without(&options, CAP_NET_ADMIN, -EPERM, "CAP_NET_ADMIN is missing");
	assert_open_without(&options, CAP_SYS_ADMIN, -EPERM, "CAP_SYS_ADMIN is missing");
}

static int open_own_without_sys_admin(void *data)
{
	struct nfl_listener_options options = {.size = sizeof(options), .group = LAB_GROUP};

	(void)data;
	assert_open_without(&options, CAP_SYS_ADMIN, 0, "");
	return 0;
}

static void the_own_namespace_needs_no_capability_to_enter(void **state)
{
	const struct lab *lab = *state;

	assert_int_equal(test_netns_call(&lab->netns, open_own_without_sys_admin, NULL), 0);
}

static void a_missing_capability_is_not_mistaken_for_a_taken_group(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	struct nfl_listener *listener = lab_open(&options);

	assert_open_without(&options, CAP_NET_ADMIN, -EPERM, "CAP_NET_ADMIN is missing");
	nfl_listener_close(listener);
}

static int open_in_own(void *data)
{
	struct nfl_listener **listener = data;
	struct nfl_listener_options options = {.size = sizeof(options), .group = LAB_GROUP};

	return nfl_listener_open(&options, listener, NULL);
}

/* A process in the namespace that lives until the descriptor it gives is closed. */
static int fork_in_netns(void *data)
{
	int *end = data;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		char byte;

		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	(void)close(ends[0]);
	*end = ends[1];
	return child;
}

static void assert_opens_in(struct nfl_netns netns, const struct nfl_listener_settings *expected)
{
	struct nfl_listener_options options = {
	    .size = sizeof(options), .netns = netns, .group = LAB_GROUP};
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct nfl_listener_settings settings;

	nfl_listener_settings(listener, &settings);
	assert_int_equal(settings.netns_inode, expected->netns_inode);
	assert_int_equal(settings.netns_dev, expected->netns_dev);
	assert_int_equal(settings.netns_cookie, expected->netns_cookie);
}

static void a_namespace_is_found_by_name_path_pid_descriptor_and_as_the_own(void **state)
{
	struct lab *lab = *state;
	const struct nfl_netns name = {.kind = NFL_NETNS_NAME, .name = lab->netns.name};
	CLEANUP(closep) int fd = -1, child_end = -1;
	struct nfl_listener_settings expected;
	struct nfl_listener *listener = NULL;
	char path[64];
	pid_t child;

	assert_int_equal(test_netns_call(&lab->netns, open_in_own, &listener), 0);
	nfl_listener_settings(listener, &expected);
	nfl_listener_close(listener);
	assert_int_equal(netns_open(&name, &fd, NULL), 0);
	(void)snprintf(path, sizeof(path), "/run/netns/%s", lab->netns.name);
	child = test_netns_call(&lab->netns, fork_in_netns, &child_end);
	assert_true(child > 0);

	assert_opens_in(name, &expected);
	assert_opens_in((struct nfl_netns){.kind = NFL_NETNS_PATH, .name = path}, &expected);
	assert_opens_in((struct nfl_netns){.kind = NFL_NETNS_PID, .pid = child}, &expected);
	assert_opens_in((struct nfl_netns){.kind = NFL_NETNS_FD, .fd = fd}, &expected);
	assert_int_equal(close(take_fd(&child_end)), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static uint64_t own_inode(void)
{
	CLEANUP(closep) int fd = -1;
	uint64_t dev, inode;

	assert_int_equal(netns_open(&(struct nfl_netns){0}, &fd, NULL), 0);
	assert_int_equal(netns_identify(fd, &dev, &inode), 0);
	return inode;
}

static void the_caller_stays_in_its_own_namespace(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	uint64_t before = own_inode();
	struct nfl_listener *listener = lab_open(&options), *second;

	assert_int_equal(own_inode(), before);
	assert_int_equal(nfl_listener_open(&options, &second, NULL), -EBUSY);
	assert_int_equal(own_inode(), before);
	nfl_listener_close(listener);
}

static void assert_no_namespace(enum nfl_netns_kind kind, const char *name)
{
	struct nfl_listener_options options = {
	    .size = sizeof(options),
	    .netns = {.kind = kind, .name = name},
	};
	struct nfl_listener *listener = NULL;
	struct nfl_error err = {0};

	assert_int_equal(nfl_listener_open(&options, &listener, &err), -ENOENT);
	assert_true(err.text[0]);
}

static void a_name_that_is_no_namespace_is_enoent(void **state)
{
	const struct lab *lab = *state;
	char name[64], path[128];

	assert_no_namespace(NFL_NETNS_NAME, "nflt-no-such-namespace");
	(void)snprintf(name, sizeof(name), "%s-plain", lab->netns.name);
	(void)snprintf(path, sizeof(path), "/run/netns/%s", name);
	test_run("touch %s", path);
	assert_no_namespace(NFL_NETNS_NAME, name);
	test_run("ln -sf /run/netns/%s %s", lab->netns.name, path);
	assert_no_namespace(NFL_NETNS_NAME, name);
	assert_int_equal(unlink(path), 0);
	/* Not in /run/netns: without a writer an open waits, and `ip netns list` opens them all. */
	(void)snprintf(path, sizeof(path), "/tmp/nfl-test-%s", name);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_no_namespace(NFL_NETNS_PATH, path);
	assert_int_equal(unlink(path), 0);
}

int open_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(settings_arrive_in_the_kernel),
	    LAB_TEST(profiles_arrive_in_the_kernel),
	    LAB_TEST(a_taken_group_is_ebusy_and_names_the_port_id),
	    LAB_TEST(a_group_is_free_after_close_although_a_child_holds_the_socket),
	    LAB_TEST(a_missing_capability_is_eperm_and_named),
	    LAB_TEST(the_own_namespace_needs_no_capability_to_enter),
	    LAB_TEST(a_missing_capability_is_not_mistaken_for_a_taken_group),
	    LAB_TEST(a_namespace_is_found_by_name_path_pid_descriptor_and_as_the_own),
	    LAB_TEST(the_caller_stays_in_its_own_namespace),
	    LAB_TEST(a_name_that_is_no_namespace_is_enoent),
	    LAB_TEST(every_combination_of_flags_gives_just_its_fields),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
