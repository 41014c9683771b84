/* SPDX-License-Identifier: MIT */
/* tenants: what a tenant may see of which source. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roster.h"

static struct rule make_rule(enum presence_kind kind, uint16_t first, uint16_t last,
			     enum nfl_copy_mode mode, uint32_t range, bool conntrack)
{
	return (struct rule){
	    .kind = kind,
	    .first = first,
	    .last = last,
	    .wanted.options = {.size = sizeof(struct nfl_listener_options),
			       .set = NFL_SET_COPY_RANGE,
			       .flags = NFL_FLAG_SEQ | (conntrack ? NFL_FLAG_CONNTRACK : 0),
			       .copy_mode = mode,
			       .copy_range = range}};
}

static void add_rule(struct roster *roster, const char *tenant, const char *netns, struct rule rule)
{
	assert_int_equal(rules_add(&roster_tenant(roster, tenant)->rules, netns, &rule), 0);
}

static bool grants(const struct roster *roster, const char *netns, uint16_t group)
{
	struct grant grant;

	return tenant_grants(policy_tenant(roster->policy, "red"), netns, group, &grant);
}

static struct grant grant_of(const struct roster *roster, const char *netns, uint16_t group)
{
	struct grant grant;

	assert_true(tenant_grants(policy_tenant(roster->policy, "red"), netns, group, &grant));
	return grant;
}

static void a_source_is_granted_by_the_tenants_own_entries_only(void **state)
{
	struct roster roster = {0};

	(void)state;
	add_rule(&roster, "red", "red", make_rule(PRESENCE_NAME, 100, 102, NFL_COPY_PACKET, 0, 0));
	add_rule(&roster, "red", "cni-*",
		 make_rule(PRESENCE_NAME_GLOB, 7, 7, NFL_COPY_PACKET, 0, 0));
	add_rule(&roster, "blue", "blue",
		 make_rule(PRESENCE_NAME, 100, 100, NFL_COPY_PACKET, 0, 0));
	roster_load_good(&roster);
	assert_true(grants(&roster, "red", 100));
	assert_true(grants(&roster, "red", 102));
	assert_false(grants(&roster, "red", 99));
	assert_false(grants(&roster, "red", 103));
	assert_true(grants(&roster, "cni-1", 7));
	assert_false(grants(&roster, "cni-1", 100));
	assert_false(grants(&roster, "blue", 100));
	assert_false(grants(&roster, "", 100));
	roster_done(&roster);
}

static void what_is_seen_is_capped_by_entry_and_limits(void **state)
{
	struct roster roster = {0};

	(void)state;
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_PACKET, 128, false));
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 2, 2, NFL_COPY_META, 0, true));
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 3, 3, NFL_COPY_NONE, 0, false));
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 4, 4, NFL_COPY_PACKET, 0, false));
	roster_load_good(&roster);
	assert_true(grant_of(&roster, "a", 1).payload);
	assert_false(grant_of(&roster, "a", 1).conntrack);
	assert_int_equal(grant_of(&roster, "a", 1).payload_bytes, 128);
	assert_false(grant_of(&roster, "a", 2).payload);
	assert_true(grant_of(&roster, "a", 2).conntrack);
	assert_false(grant_of(&roster, "a", 3).payload);
	assert_int_equal(grant_of(&roster, "a", 4).payload_bytes, 0);
	roster_done(&roster);
}

static void the_lower_of_copy_range_and_limit_counts(void **state)
{
	const uint32_t cases[][3] = {
	    {128, 64, 64}, {64, 128, 64}, {0, 64, 64}, {64, 0, 64}, {0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct roster roster = {0};

		add_rule(&roster, "red", "a",
			 make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_PACKET, cases[i][0], false));
		roster_tenant(&roster, "red")->limits.payload_bytes = cases[i][1];
		roster_load_good(&roster);
		assert_int_equal(grant_of(&roster, "a", 1).payload_bytes, cases[i][2]);
		roster_done(&roster);
	}
}

static void entries_that_name_one_source_give_the_most_of_each(void **state)
{
	struct roster roster = {0};

	(void)state;
	add_rule(&roster, "red", "a*", make_rule(PRESENCE_NAME_GLOB, 1, 9, NFL_COPY_META, 0, true));
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_PACKET, 20, false));
	add_rule(&roster, "red", "?b",
		 make_rule(PRESENCE_NAME_GLOB, 1, 9, NFL_COPY_PACKET, 100, false));
	add_rule(&roster, "red", "ab", make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_PACKET, 20, false));
	roster_load_good(&roster);
	assert_true(grant_of(&roster, "a", 1).payload);
	assert_true(grant_of(&roster, "a", 1).conntrack);
	assert_int_equal(grant_of(&roster, "a", 1).payload_bytes, 20);
	assert_false(grant_of(&roster, "a", 2).payload);
	assert_int_equal(grant_of(&roster, "ab", 1).payload_bytes, 100);
	roster_done(&roster);
}

static void a_limit_to_the_basic_view_is_not_in_the_grant(void **state)
{
	struct roster roster = {0};

	(void)state;
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_PACKET, 0, false));
	roster_tenant(&roster, "red")->limits.basic_view = true;
	roster_load_good(&roster);
	assert_true(grant_of(&roster, "a", 1).payload);
	assert_true(policy_tenant(roster.policy, "red")->limits.basic_view);
	roster_done(&roster);
}

static void an_admin_sees_everything_within_its_limits(void **state)
{
	struct roster roster = {0};
	const struct tenant *admin;
	struct grant grant;

	(void)state;
	roster_tenant(&roster, "red")->admin = true;
	roster_tenant(&roster, "red")->limits.payload_bytes = 40;
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 1, 1, NFL_COPY_META, 0, false));
	roster_load_good(&roster);
	grant = grant_of(&roster, "a", 1);
	assert_true(grant.payload && grant.conntrack);
	assert_int_equal(grant.payload_bytes, 40);
	assert_true(grants(&roster, "pid:7", 65535));
	admin = policy_tenant(roster.policy, "red");
	assert_true(tenant_grants_netns(admin, "no such"));
	assert_true(tenant_grants_group(admin, 70000));
	roster_done(&roster);
}

static void names_and_groups_are_granted_whether_they_exist_or_not(void **state)
{
	struct roster roster = {0};
	const struct tenant *red;

	(void)state;
	add_rule(&roster, "red", "a", make_rule(PRESENCE_NAME, 10, 12, NFL_COPY_PACKET, 0, false));
	add_rule(&roster, "red", "cni-*",
		 make_rule(PRESENCE_NAME_GLOB, 20, 20, NFL_COPY_PACKET, 0, false));
	add_rule(&roster, "red", "host", make_rule(PRESENCE_OWN, 5, 5, NFL_COPY_PACKET, 0, false));
	add_rule(&roster, "red", "pid:42",
		 make_rule(PRESENCE_PROCESS, 5, 5, NFL_COPY_PACKET, 0, false));
	roster_tenant(&roster, "blue");
	roster_load_good(&roster);
	red = policy_tenant(roster.policy, "red");
	assert_true(tenant_grants_netns(red, "a"));
	assert_true(tenant_grants_netns(red, "cni-"));
	assert_true(tenant_grants_netns(red, "host"));
	assert_true(tenant_grants_netns(red, "pid:42"));
	assert_false(tenant_grants_netns(red, "pid:4"));
	assert_false(tenant_grants_netns(red, "b"));
	assert_false(tenant_grants_netns(red, ""));
	assert_true(tenant_grants_group(red, 11));
	assert_true(tenant_grants_group(red, 20));
	assert_false(tenant_grants_group(red, 13));
	assert_false(tenant_grants_group(red, 65536 + 11));
	assert_false(tenant_grants_netns(policy_tenant(roster.policy, "blue"), "a"));
	assert_false(tenant_grants_group(policy_tenant(roster.policy, "blue"), 11));
	roster_done(&roster);
}

static void names_that_no_file_can_have_are_not_compared(void **state)
{
	static char name[PATH_MAX + 1];
	struct roster roster = {0};
	const struct tenant *red;

	(void)state;
	add_rule(&roster, "red", "*",
		 make_rule(PRESENCE_NAME_GLOB, 1, 1, NFL_COPY_PACKET, 0, false));
	add_rule(&roster, "red", "/run/x/*",
		 make_rule(PRESENCE_PATH_GLOB, 1, 1, NFL_COPY_PACKET, 0, false));
	roster_load_good(&roster);
	red = policy_tenant(roster.policy, "red");
	memset(name, 'a', NAME_MAX);
	assert_true(tenant_grants_netns(red, name));
	name[NAME_MAX] = 'a';
	assert_false(tenant_grants_netns(red, name));
	memset(name, 'a', PATH_MAX - 1);
	memcpy(name, "/run/x/", 7);
	assert_true(tenant_grants_netns(red, name));
	name[PATH_MAX - 1] = 'a';
	assert_false(tenant_grants_netns(red, name));
	roster_done(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_source_is_granted_by_the_tenants_own_entries_only),
	    cmocka_unit_test(what_is_seen_is_capped_by_entry_and_limits),
	    cmocka_unit_test(the_lower_of_copy_range_and_limit_counts),
	    cmocka_unit_test(entries_that_name_one_source_give_the_most_of_each),
	    cmocka_unit_test(a_limit_to_the_basic_view_is_not_in_the_grant),
	    cmocka_unit_test(an_admin_sees_everything_within_its_limits),
	    cmocka_unit_test(names_and_groups_are_granted_whether_they_exist_or_not),
	    cmocka_unit_test(names_that_no_file_can_have_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
