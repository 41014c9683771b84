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

#include "roster.h"

#define HASH_A "abababababababababababababababababababababababababababababababab"

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static unsigned fail_at; /* 1: the next allocation; 0: none */
static bool has_failed;

static bool fails_now(void)
{
	if (!fail_at || --fail_at)
		return false;
	has_failed = true;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : __real_strdup(text);
}

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

/* False when there is no @nth allocation. */
static bool load_fails_at(unsigned nth, size_t tenants, int expected)
{
	static const char *const names[] = {"red", "blue"};
	struct roster roster = {0};
	int r;

	for (size_t i = 0; i < tenants; i++)
		add_all(&roster, names[i]);
	has_failed = false;
	fail_at = nth;
	r = roster_load(&roster);
	fail_at = 0;
	assert_int_equal(r, has_failed ? -ENOMEM : expected);
	assert_true(r == 0 ? roster.policy != NULL : roster.policy == NULL);
	if (!roster.policy)
		assert_int_equal(fake_filters, 0);
	roster_done(&roster);
	assert_int_equal(fake_filters, 0);
	return has_failed;
}

static void assert_every_failure_is_told(size_t tenants, int expected, unsigned at_least)
{
	unsigned nth = 1;

	while (load_fails_at(nth, tenants, expected))
		nth++;
	print_message("    %u allocations\n", nth - 1);
	assert_true(nth > at_least);
}

static void making_a_good_policy(void **state)
{
	(void)state;
	assert_every_failure_is_told(1, 0, 20);
}

static void telling_what_clashes(void **state)
{
	(void)state;
	assert_every_failure_is_told(2, -EINVAL, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(making_a_good_policy),
	    cmocka_unit_test(telling_what_clashes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
