/* SPDX-License-Identifier: MIT */
/* tenants: a policy is freed once, by whoever lets go of it last, with all that it took over. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roster.h"

#define THREADS 4
#define ROUNDS  1000

static void make(struct roster *roster)
{
	const struct rule rule = {.kind = PRESENCE_NAME, .first = 1, .last = 9};

	roster_add(roster, "red", IDENTITY_UNIX_UID, "7");
	assert_int_equal(rules_add(&roster_tenant(roster, "red")->rules, "a", &rule), 0);
	roster_tenant(roster, "red")->filter = fake_filter_new();
	roster_load_good(roster);
	assert_null(roster->specs[0].filter);
	assert_null(roster->specs[0].rules.items);
}

static void filters_and_rules_go_with_the_last_reference(void **state)
{
	struct roster roster = {0};
	struct policy *mine;

	(void)state;
	make(&roster);
	mine = policy_ref(roster.policy);
	assert_ptr_equal(mine, roster.policy);
	roster_done(&roster);
	assert_int_equal(fake_filters, 1);
	assert_non_null(policy_tenant(mine, "red")->filter);
	assert_null(policy_unref(mine));
	assert_int_equal(fake_filters, 0);
	assert_null(policy_unref(NULL));
}

static void filters_and_rules_go_where_a_policy_is_refused(void **state)
{
	struct roster roster = {0};
	const struct rule rule = {.kind = PRESENCE_NAME};

	(void)state;
	roster_add(&roster, "red", IDENTITY_UNIX_UID, "7");
	roster_add(&roster, "blue", IDENTITY_UNIX_UID, "7");
	roster_tenant(&roster, "red")->filter = fake_filter_new();
	assert_int_equal(rules_add(&roster_tenant(&roster, "blue")->rules, "a", &rule), 0);
	roster_assert_error(&roster, 2, "unix_uid 7");
	assert_int_equal(fake_filters, 0);
}

/* Starts with a reference, and uses it up. */
static void *use(void *argument)
{
	struct policy *policy = argument;
	const struct principal principal = {.has_uid = true, .uid = 7};
	const struct tenant *tenant;
	struct grant grant;
	size_t granted = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct policy *mine = policy_ref(policy);

		if (policy_find(mine, &principal, &tenant) == 0)
			granted += tenant_grants(tenant, "a", 5, &grant);
		(void)policy_unref(mine);
	}
	(void)policy_unref(policy);
	return granted == ROUNDS ? argument : NULL;
}

static void any_number_of_threads_share_one(void **state)
{
	pthread_t threads[THREADS];
	struct roster roster = {0};

	(void)state;
	make(&roster);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, policy_ref(roster.policy)),
				 0);
	roster_done(&roster); /* perhaps before they are done */
	for (size_t i = 0; i < THREADS; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_non_null(result);
	}
	assert_int_equal(fake_filters, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters_and_rules_go_with_the_last_reference),
	    cmocka_unit_test(filters_and_rules_go_where_a_policy_is_refused),
	    cmocka_unit_test(any_number_of_threads_share_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
