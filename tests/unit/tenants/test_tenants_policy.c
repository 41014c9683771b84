/* SPDX-License-Identifier: MIT */
/* tenants: who is which tenant, and that nobody can be two. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roster.h"

#define HASH_1 "1111111111111111111111111111111111111111111111111111111111111111"

static const char *const bob_only[] = {"bob", NULL};
static const char *const bob_and_carol[] = {"bob", "carol", NULL};

static const struct fake_user users[] = {
    {"alice", 1000, 100}, {"bob", 1001, 200}, {"carol", 1002, 100}, {"alias", 1000, 100}, {0}};
static const struct fake_group groups[] = {{"wheel", 10, bob_only}, {"ops", 20, bob_and_carol},
					   {"staff", 100, NULL},    {"crew", 200, NULL},
					   {"also_ops", 20, NULL},  {0}};

static int set_up(void **state)
{
	(void)state;
	fake_users = users;
	fake_groups = groups;
	fake_answer = 0;
	return 0;
}

static const char *find_user(const struct roster *roster, uid_t uid, gid_t gid, const gid_t *more,
			     size_t count)
{
	const struct principal principal = {
	    .has_uid = true, .uid = uid, .gid = gid, .groups = more, .group_count = count};

	return roster_find(roster, &principal);
}

/* --- each kind ------------------------------------------------------------------------------- */

static void users_are_found_by_name_and_by_number(void **state)
{
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_UNIX_USER, "alice");
	roster_add(&roster, "blue", IDENTITY_UNIX_UID, "0");
	roster_add(&roster, "blue", IDENTITY_UNIX_UID, "4242");
	roster_load_good(&roster);
	assert_string_equal(find_user(&roster, 1000, 1, NULL, 0), "red");
	assert_string_equal(find_user(&roster, 0, 0, NULL, 0), "blue");
	assert_string_equal(find_user(&roster, 4242, 1, NULL, 0), "blue");
	assert_string_equal(find_user(&roster, 1001, 1, NULL, 0), "nobody");
	roster_done(&roster);
}

static void groups_are_found_among_primary_and_supplementary_ones(void **state)
{
	const gid_t more[] = {5, 10, 7};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "wheel");
	roster_load_good(&roster);
	assert_string_equal(find_user(&roster, 7, 10, NULL, 0), "red");
	assert_string_equal(find_user(&roster, 7, 1, more, 3), "red");
	assert_string_equal(find_user(&roster, 10, 1, more, 1), "nobody");
	roster_done(&roster);
}

static void certificates_and_loopback_are_found(void **state)
{
	const char *const uris[] = {"spiffe://corp/red/x"};
	const char *const names[] = {"A.Blue.Example"};
	const struct principal uri = {.uris = uris, .uri_count = 1};
	const struct principal dns = {.dns = names, .dns_count = 1};
	const struct principal common_name = {.common_name = "green"};
	const struct principal other_name = {.common_name = "Green"};
	const struct principal loopback = {.is_loopback = true};
	const struct principal nothing = {0};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_CERT_URI, "spiffe://corp/red/*");
	roster_add(&roster, "blue", IDENTITY_CERT_DNS, "*.blue.example");
	roster_add(&roster, "green", IDENTITY_CERT_CN, "green");
	roster_add(&roster, "local", IDENTITY_LOOPBACK, NULL);
	roster_load_good(&roster);
	assert_string_equal(roster_find(&roster, &uri), "red");
	assert_string_equal(roster_find(&roster, &dns), "blue");
	assert_string_equal(roster_find(&roster, &common_name), "green");
	assert_string_equal(roster_find(&roster, &other_name), "nobody");
	assert_string_equal(roster_find(&roster, &loopback), "local");
	assert_string_equal(roster_find(&roster, &nothing), "nobody");
	roster_done(&roster);
}

static void without_tenants_everybody_is_nobody(void **state)
{
	const struct principal all = {
	    .has_uid = true, .common_name = "x", .has_token = true, .is_loopback = true};
	struct roster roster = {0};

	(void)state;
	roster_load_good(&roster);
	assert_string_equal(roster_find(&roster, &all), "nobody");
	roster_done(&roster);
}

static void tenants_are_found_by_name(void **state)
{
	const char *const names[] = {"red", "blue", "green", "amber"};
	struct roster roster = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		roster_tenant(&roster, names[i])->limits.filters = (uint32_t)i;
	roster_load_good(&roster);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(policy_tenant(roster.policy, names[i])->limits.filters, i);
	assert_null(policy_tenant(roster.policy, "re"));
	assert_null(policy_tenant(roster.policy, "yellow"));
	roster_done(&roster);
}

/* --- which kind decides ---------------------------------------------------------------------- */

static void a_token_alone_decides_also_a_wrong_one(void **state)
{
	struct principal principal = {
	    .has_uid = true, .uid = 1000, .has_token = true, .is_loopback = true};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_UNIX_USER, "alice");
	roster_add(&roster, "local", IDENTITY_LOOPBACK, NULL);
	roster_add(&roster, "blue", IDENTITY_TOKEN_SHA256, HASH_1);
	roster_load_good(&roster);
	memset(principal.token_sha256, 0x11, sizeof(principal.token_sha256));
	assert_string_equal(roster_find(&roster, &principal), "blue");
	principal.token_sha256[31] ^= 0x80;
	assert_string_equal(roster_find(&roster, &principal), "nobody");
	principal.has_token = false;
	assert_string_equal(roster_find(&roster, &principal), "red");
	roster_done(&roster);
}

static void uris_decide_before_dns_names_and_these_before_loopback(void **state)
{
	const char *const uris[] = {"https://x/other", "https://x/red"};
	const char *const names[] = {"blue"};
	struct principal principal = {
	    .uris = uris, .uri_count = 2, .dns = names, .dns_count = 1, .is_loopback = true};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_CERT_URI, "https://x/red");
	roster_add(&roster, "blue", IDENTITY_CERT_DNS, "blue");
	roster_add(&roster, "local", IDENTITY_LOOPBACK, NULL);
	roster_load_good(&roster);
	assert_string_equal(roster_find(&roster, &principal), "red");
	principal.uri_count = 1;
	assert_string_equal(roster_find(&roster, &principal), "blue");
	principal.dns_count = 0;
	assert_string_equal(roster_find(&roster, &principal), "local");
	roster_done(&roster);
}

static void a_common_name_counts_only_without_other_names(void **state)
{
	const char *const others[] = {"other"};
	struct principal principal = {.common_name = "red"};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_CERT_CN, "red");
	roster_load_good(&roster);
	assert_string_equal(roster_find(&roster, &principal), "red");
	principal.uris = others;
	principal.uri_count = 1;
	assert_string_equal(roster_find(&roster, &principal), "nobody");
	principal.uri_count = 0;
	principal.dns = others;
	principal.dns_count = 1;
	assert_string_equal(roster_find(&roster, &principal), "nobody");
	roster_done(&roster);
}

/* --- two tenants at once --------------------------------------------------------------------- */

static void who_has_come_into_groups_of_two_tenants_is_neither(void **state)
{
	const gid_t more[] = {10, 20};
	const gid_t same[] = {100, 20};
	struct roster roster = {0};

	(void)state;
	fake_users = users + 4; /* nobody known is in a group */
	fake_groups = (const struct fake_group[]){
	    {"wheel", 10, NULL}, {"ops", 20, NULL}, {"staff", 100, NULL}, {0}};
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "wheel");
	roster_add(&roster, "blue", IDENTITY_UNIX_GROUP, "ops");
	roster_add(&roster, "blue", IDENTITY_UNIX_GROUP, "staff");
	roster_add(&roster, "red", IDENTITY_UNIX_UID, "7");
	roster_load_good(&roster);
	assert_string_equal(find_user(&roster, 1, 1, more, 2), "two");
	assert_string_equal(find_user(&roster, 1, 10, more + 1, 1), "two");
	assert_string_equal(find_user(&roster, 1, 1, same, 2), "blue");
	assert_string_equal(find_user(&roster, 7, 20, NULL, 0), "two");
	assert_string_equal(find_user(&roster, 7, 10, NULL, 0), "red");
	roster_done(&roster);
}

static void a_certificate_of_two_tenants_is_neither(void **state)
{
	const char *const uris[] = {"https://x/red", "https://x/none", "https://x/blue"};
	const char *const names[] = {"red", "blue"};
	const struct principal by_uri = {.uris = uris, .uri_count = 3};
	const struct principal by_dns = {.dns = names, .dns_count = 2};
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_CERT_URI, "https://x/red");
	roster_add(&roster, "blue", IDENTITY_CERT_URI, "https://x/blue");
	roster_add(&roster, "red", IDENTITY_CERT_DNS, "red");
	roster_add(&roster, "blue", IDENTITY_CERT_DNS, "blue");
	roster_load_good(&roster);
	assert_string_equal(roster_find(&roster, &by_uri), "two");
	assert_string_equal(roster_find(&roster, &by_dns), "two");
	roster_done(&roster);
}

/* Identities of two tenants, the second at 2:9, that are one principal. */
static void assert_clash(enum identity_kind kind, const char *text, enum identity_kind other_kind,
			 const char *other_text, unsigned line, const char *other_place)
{
	struct roster roster = {0};

	roster_add(&roster, "red", kind, text);
	roster_add(&roster, "blue", other_kind, other_text);
	roster_assert_error(&roster, line, other_place);
}

#define RED_AT_1  ", also tenant red's at 1:9"
#define BLUE_AT_2 ", also tenant blue's at 2:9"

static void two_names_of_one_user_or_group_are_an_error(void **state)
{
	(void)state;
	assert_clash(IDENTITY_UNIX_USER, "alice", IDENTITY_UNIX_USER, "alias", 2, RED_AT_1);
	assert_clash(IDENTITY_UNIX_USER, "alice", IDENTITY_UNIX_UID, "1000", 2, RED_AT_1);
	assert_clash(IDENTITY_UNIX_UID, "1000", IDENTITY_UNIX_USER, "alice", 2, RED_AT_1);
	assert_clash(IDENTITY_UNIX_UID, "5", IDENTITY_UNIX_UID, "5", 2, RED_AT_1);
	assert_clash(IDENTITY_UNIX_GROUP, "ops", IDENTITY_UNIX_GROUP, "also_ops", 2, RED_AT_1);
}

static void a_user_in_a_group_of_another_tenant_is_an_error(void **state)
{
	(void)state;
	assert_clash(IDENTITY_UNIX_USER, "bob", IDENTITY_UNIX_GROUP, "wheel", 1, BLUE_AT_2);
	assert_clash(IDENTITY_UNIX_UID, "1001", IDENTITY_UNIX_GROUP, "wheel", 1, BLUE_AT_2);
	assert_clash(IDENTITY_UNIX_USER, "alice", IDENTITY_UNIX_GROUP, "staff", 1, BLUE_AT_2);
	assert_clash(IDENTITY_UNIX_GROUP, "crew", IDENTITY_UNIX_USER, "bob", 2, RED_AT_1);
}

static void groups_of_two_tenants_with_a_common_member_are_an_error(void **state)
{
	(void)state;
	assert_clash(IDENTITY_UNIX_GROUP, "wheel", IDENTITY_UNIX_GROUP, "ops", 2, RED_AT_1);
}

static void other_things_that_two_tenants_share_are_an_error(void **state)
{
	(void)state;
	assert_clash(IDENTITY_CERT_CN, "x", IDENTITY_CERT_CN, "x", 2, RED_AT_1);
	assert_clash(IDENTITY_LOOPBACK, NULL, IDENTITY_LOOPBACK, NULL, 2, RED_AT_1);
	assert_clash(IDENTITY_TOKEN_SHA256, HASH_1, IDENTITY_TOKEN_SHA256, HASH_1, 2, RED_AT_1);
	assert_clash(IDENTITY_CERT_URI, "https://x/*/y", IDENTITY_CERT_URI, "https://x/z/*", 2,
		     RED_AT_1);
	assert_clash(IDENTITY_CERT_DNS, "x.y.z", IDENTITY_CERT_DNS, "*.y.z", 1, BLUE_AT_2);
}

static void one_tenant_may_say_the_same_twice(void **state)
{
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_UNIX_USER, "bob");
	roster_add(&roster, "red", IDENTITY_UNIX_UID, "1001");
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "wheel");
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "ops");
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "also_ops");
	roster_add(&roster, "red", IDENTITY_CERT_URI, "https://x/*");
	roster_add(&roster, "red", IDENTITY_CERT_URI, "https://x/y");
	roster_add(&roster, "red", IDENTITY_CERT_DNS, "*.y");
	roster_add(&roster, "red", IDENTITY_CERT_DNS, "x.y");
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256, HASH_1);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256, HASH_1);
	roster_add(&roster, "blue", IDENTITY_UNIX_USER, "alice");
	roster_load_good(&roster);
	assert_string_equal(find_user(&roster, 1001, 20, (const gid_t[]){10, 20}, 2), "red");
	roster_done(&roster);
}

/* --- problems -------------------------------------------------------------------------------- */

static void a_name_that_does_not_exist_proves_nothing_with_a_warning(void **state)
{
	const int answers[] = {0, ENOENT, ESRCH, EIO};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct roster roster = {0};

		fake_answer = answers[i];
		roster_add(&roster, "red", IDENTITY_UNIX_USER, "nemo");
		roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "nautilus");
		assert_int_equal(roster_load(&roster), 0);
		assert_int_equal(roster.problems.count, 2);
		assert_false(roster.problems.items[0].is_error);
		assert_non_null(strstr(roster.problems.items[0].text, "nemo"));
		assert_int_equal(roster.problems.items[1].line, 2);
		assert_non_null(strstr(roster.problems.items[1].text, "nautilus"));
		assert_string_equal(find_user(&roster, 0, 0, NULL, 0), "nobody");
		roster_done(&roster);
	}
}

static void all_problems_are_told_in_order_up_to_a_bound(void **state)
{
	struct roster roster = {0};
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof(name), "nemo%u", i);
		roster_add(&roster, "red", IDENTITY_UNIX_USER, name);
	}
	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof(name), "%u", 5000 + i);
		roster_add(&roster, "red", IDENTITY_UNIX_UID, name);
		roster_add(&roster, "blue", IDENTITY_UNIX_UID, name);
	}
	assert_int_equal(roster_load(&roster), -EINVAL);
	assert_int_equal(roster.problems.count, 2 * POLICY_PROBLEMS_MAX);
	assert_int_equal(roster.problems.more, 100);
	for (size_t i = 1; i < roster.problems.count; i++)
		assert_true(roster.problems.items[i].line > roster.problems.items[i - 1].line);
	roster_done(&roster);
}

static void a_large_group_is_read_whole(void **state)
{
	static const char *members[3001];
	static char names[3000][8];
	struct roster roster = {0};

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "m%zu", i);
		members[i] = names[i];
	}
	fake_groups = (const struct fake_group[]){
	    {"large", 1, members}, {"small", 2, (const char *const[]){"m2999", NULL}}, {0}};
	roster_add(&roster, "red", IDENTITY_UNIX_GROUP, "large");
	roster_add(&roster, "blue", IDENTITY_UNIX_GROUP, "small");
	roster_assert_error(&roster, 2, "m2999", RED_AT_1);
}

static void a_user_of_many_groups_is_seen_in_all(void **state)
{
	static struct fake_group many[301];
	static char names[300][8];
	struct roster roster = {0};

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "g%zu", i);
		many[i] = (struct fake_group){names[i], (gid_t)(5000 + i), bob_only};
	}
	fake_groups = many;
	roster_add(&roster, "red", IDENTITY_UNIX_USER, "bob");
	roster_add(&roster, "blue", IDENTITY_UNIX_GROUP, "g299");
	roster_assert_error(&roster, 1, "unix_user bob is in unix_group g299", BLUE_AT_2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(users_are_found_by_name_and_by_number, set_up),
	    cmocka_unit_test_setup(groups_are_found_among_primary_and_supplementary_ones, set_up),
	    cmocka_unit_test_setup(certificates_and_loopback_are_found, set_up),
	    cmocka_unit_test_setup(without_tenants_everybody_is_nobody, set_up),
	    cmocka_unit_test_setup(tenants_are_found_by_name, set_up),
	    cmocka_unit_test_setup(a_token_alone_decides_also_a_wrong_one, set_up),
	    cmocka_unit_test_setup(uris_decide_before_dns_names_and_these_before_loopback, set_up),
	    cmocka_unit_test_setup(a_common_name_counts_only_without_other_names, set_up),
	    cmocka_unit_test_setup(who_has_come_into_groups_of_two_tenants_is_neither, set_up),
	    cmocka_unit_test_setup(a_certificate_of_two_tenants_is_neither, set_up),
	    cmocka_unit_test_setup(two_names_of_one_user_or_group_are_an_error, set_up),
	    cmocka_unit_test_setup(a_user_in_a_group_of_another_tenant_is_an_error, set_up),
	    cmocka_unit_test_setup(groups_of_two_tenants_with_a_common_member_are_an_error, set_up),
	    cmocka_unit_test_setup(other_things_that_two_tenants_share_are_an_error, set_up),
	    cmocka_unit_test_setup(one_tenant_may_say_the_same_twice, set_up),
	    cmocka_unit_test_setup(a_name_that_does_not_exist_proves_nothing_with_a_warning,
				   set_up),
	    cmocka_unit_test_setup(all_problems_are_told_in_order_up_to_a_bound, set_up),
	    cmocka_unit_test_setup(a_large_group_is_read_whole, set_up),
	    cmocka_unit_test_setup(a_user_of_many_groups_is_seen_in_all, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
