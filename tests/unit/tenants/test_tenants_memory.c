/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of policy_new() fails once: it says -ENOMEM, hands out nothing, has taken over rules
 * and filters all the same, and leaves nothing behind (AddressSanitizer counts).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing.h"
#include "roster.h"

#define HASH_A "abababababababababababababababababababababababababababababababab"

static char token_file[] = "/tmp/nfl-token-XXXXXX";

static int set_up(void **state)
{
	static const char *const members[] = {"alice", "bob", NULL};
	static const struct fake_user users[] = {{"alice", 1000, 100}, {"bob", 1001, 100}, {0}};
	static const struct fake_group groups[] = {
	    {"wheel", 10, members}, {"ops", 20, members}, {0}};
	int fd = mkstemp(token_file);
	bool is_written = fd >= 0 && write(fd, HASH_A, 64) == 64;

	(void)state;
	if (fd >= 0)
		(void)close(fd);
	fake_users = users;
	fake_groups = groups;
	return is_written ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(token_file);
}

static void add_all(struct roster *roster, const char *tenant)
{
	const struct rule rule = {.kind = PRESENCE_NAME_GLOB, .first = 1, .last = 9};

	roster_add(roster, tenant, IDENTITY_UNIX_USER, "alice");
	roster_add(roster, tenant, IDENTITY_UNIX_USER, "nobody here");
	roster_add(roster, tenant, IDENTITY_UNIX_UID, "7");
	roster_add(roster, tenant, IDENTITY_UNIX_GROUP, "wheel");
	roster_add(roster, tenant, IDENTITY_CERT_URI, "x://h/*");
	roster_add(roster, tenant, IDENTITY_CERT_DNS, "*.x.y");
	roster_add(roster, tenant, IDENTITY_CERT_CN, "x");
	roster_add(roster, tenant, IDENTITY_TOKEN_SHA256_FILE, token_file);
	roster_add(roster, tenant, IDENTITY_LOOPBACK, NULL);
	roster_tenant(roster, tenant)->filter = fake_filter_new();
	assert_int_equal(rules_add(&roster_tenant(roster, tenant)->rules, "a*", &rule), 0);
}

/* @data: how many tenants */
static int load(const void *data)
{
	static const char *const names[] = {"red", "blue"};
	struct roster roster = {0};
	int r;

	for (size_t i = 0; i < *(const size_t *)data; i++)
		add_all(&roster, names[i]);
	failing_on();
	r = roster_load(&roster);
	failing_off();
	assert_true(r == 0 ? roster.policy != NULL : roster.policy == NULL);
	if (!roster.policy)
		assert_int_equal(fake_filters, 0);
	roster_done(&roster);
	assert_int_equal(fake_filters, 0);
	return r;
}

static void making_a_good_policy(void **state)
{
	size_t tenants = 1;

	(void)state;
	assert_true(failing_each(load, &tenants, 0) > 20);
}

static void telling_what_clashes(void **state)
{
	size_t tenants = 2;

	(void)state;
	assert_true(failing_each(load, &tenants, -EINVAL) > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(making_a_good_policy),
	    cmocka_unit_test(telling_what_clashes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
