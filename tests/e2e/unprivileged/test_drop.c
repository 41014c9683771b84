/* SPDX-License-Identifier: MIT */
/* Whom the daemon becomes, and that nothing of root is left. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "child.h"

/* The number in the line of /proc/self/status that begins so; @base as strtoull. -1: no such line. */
static unsigned long long status_line(const char *name, int base)
{
	char line[256];
	unsigned long long value = (unsigned long long)-1;
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, base);
	}
	if (status)
		(void)fclose(status);
	return value;
}

static int check_nothing_left(void)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		CHILD_EXPECT(status_line(sets[i], 16) == 0);
	CHILD_EXPECT(status_line("NoNewPrivs", 10) == 1);
	return 0;
}

static int is_nobody(void *data)
{
	const char *path = data;
	const gid_t groups[] = {0, 4};

	CHILD_EXPECT(setgroups(ARRAY_SIZE(groups), groups) == 0);
	if (child_drop() != 0 || check_nothing_left() != 0)
		return 1;
	CHILD_EXPECT(status_line("CapBnd", 16) == 0);
	CHILD_EXPECT(getuid() != 0 && geteuid() != 0 && getgid() != 0 && getegid() != 0);
	CHILD_EXPECT(getgroups(0, NULL) == 0);
	CHILD_EXPECT(setuid(0) < 0 && errno == EPERM);
	CHILD_EXPECT(setgid(0) < 0 && errno == EPERM);
	CHILD_EXPECT(open(path, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	return 0;
}

static void root_becomes_nobody_without_any_capability_group_or_way_back(void **state)
{
	char path[] = "/tmp/nflogd-test-root-only-XXXXXX";
	int fd = mkstemp(path); /* mode 0600 */

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(child_run(is_nobody, path), 0);
	assert_int_equal(unlink(path), 0);
}

/* As systemd starts nflogd: User=, AmbientCapabilities=. */
static int becomes_a_user_of_systemd(void)
{
	static const cap_value_t caps[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN};
	cap_t wanted = cap_init();

	CHILD_EXPECT(wanted);
	for (int set = CAP_EFFECTIVE; set <= CAP_INHERITABLE; set++)
		CHILD_EXPECT(
		    cap_set_flag(wanted, (cap_flag_t)set, ARRAY_SIZE(caps), caps, CAP_SET) == 0);
	CHILD_EXPECT(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	CHILD_EXPECT(setresuid(65534, 65534, 65534) == 0);
	CHILD_EXPECT(cap_set_proc(wanted) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		CHILD_EXPECT(cap_set_ambient(caps[i], CAP_SET) == 0);
	CHILD_EXPECT(status_line("CapAmb", 16) != 0);
	CHILD_EXPECT(cap_free(wanted) == 0);
	return 0;
}

static int keeps_no_ambient(void *data)
{
	struct privileges_user user;
	struct privileges_error err = {""};

	(void)data;
	if (becomes_a_user_of_systemd() != 0)
		return 1;
	CHILD_EXPECT(privileges_find_user(NULL, &user, &err) == 0);
	CHILD_EXPECT(privileges_drop(NULL, &err) == 0);
	CHILD_EXPECT(getuid() == 65534);
	return check_nothing_left();
}

static void a_user_that_systemd_gave_ambient_capabilities_keeps_none(void **state)
{
	(void)state;
	assert_int_equal(child_run(keeps_no_ambient, NULL), 0);
}

static int cannot_change_again(void *data)
{
	struct privileges_user user;
	struct privileges_user root = {.name = "root"};
	struct privileges_error err = {""};

	(void)data;
	if (child_drop() != 0)
		return 1;
	CHILD_EXPECT(privileges_find_user("nobody", &user, &err) == 0);
	CHILD_EXPECT(privileges_find_user("daemon", &user, &err) == -EPERM);
	CHILD_EXPECT(strstr(err.text, "daemon"));
	CHILD_EXPECT(privileges_drop(&root, &err) == -EPERM);
	CHILD_EXPECT(err.text[0] != '\0');
	return 0;
}

static void who_is_not_root_can_only_name_itself(void **state)
{
	(void)state;
	assert_int_equal(child_run(cannot_change_again, NULL), 0);
}

static void a_user_that_does_not_exist_is_named_in_the_error(void **state)
{
	struct privileges_user user;
	struct privileges_error err = {""};

	(void)state;
	assert_int_equal(privileges_find_user("no-such-user", &user, &err), -ENOENT);
	assert_string_equal(err.text, "there is no user \"no-such-user\"");
}

static void root_is_no_user_to_become(void **state)
{
	struct privileges_user user;
	struct privileges_error err = {""};

	(void)state;
	assert_int_equal(privileges_find_user("root", &user, &err), -EINVAL);
	assert_string_equal(err.text, "the user \"root\" is root: name one without rights");
}

static void without_a_name_it_is_nflogd_or_nobody(void **state)
{
	struct privileges_user user;
	struct privileges_error err = {""};

	(void)state;
	assert_int_equal(privileges_find_user(NULL, &user, &err), 1);
	assert_true(strcmp(user.name, "nflogd") == 0 || strcmp(user.name, "nobody") == 0);
	assert_true(user.uid != 0 && user.gid != 0);
}

int drop_suite(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_becomes_nobody_without_any_capability_group_or_way_back),
	    cmocka_unit_test(a_user_that_systemd_gave_ambient_capabilities_keeps_none),
	    cmocka_unit_test(who_is_not_root_can_only_name_itself),
	    cmocka_unit_test(a_user_that_does_not_exist_is_named_in_the_error),
	    cmocka_unit_test(root_is_no_user_to_become),
	    cmocka_unit_test(without_a_name_it_is_nflogd_or_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
