/* SPDX-License-Identifier: MIT */
/* grants: what a tenant may see, and live streams when that is another by and by */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "access.h"
#include "bytes.h"
#include "caller.h"
#include "diary.h"
#include "expect.h"
#include "hall.h"
#include "policy.h"
#include "rpc.h"

#define DENIED GRPC_STATUS_PERMISSION_DENIED

/* A tenant of this name, which whoever has the uid is, and may see these namespaces. */
static struct policy *make_policy(const char *tenant, uid_t uid, const char *const *names,
				  size_t count)
{
	const struct identity_spec identity = {.kind = IDENTITY_UNIX_UID, .uid = uid};
	struct tenant_spec spec = {.name = tenant, .identities = &identity, .identity_count = 1};
	const struct rule rule = {.kind = PRESENCE_NAME, .first = 100, .last = 200};
	struct policy_problems problems;
	struct policy *policy;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(rules_add(&spec.rules, names[i], &rule), 0);
	assert_int_equal(policy_new(&spec, 1, &policy, &problems), 0);
	policy_problems_done(&problems);
	return policy;
}

static const char *const both[] = {"red", "blue"};

static void set(struct hall *hall, struct policy *policy)
{
	rpc_set_policy(hall->rpc, policy, 1);
	(void)policy_unref(policy);
}

static void grant_red(struct hall *hall)
{
	set(hall, make_policy("local", getuid(), both, 1));
}

static void grant_both(struct hall *hall)
{
	set(hall, make_policy("local", getuid(), both, 2));
}

static void ask(Nflog__V1__SubscribeRequest *request, const char *netns)
{
	static char *names[1];

	nflog__v1__subscribe_request__init(request);
	request->follow = true;
	names[0] = (char *)(uintptr_t)netns; /* not written to */
	request->netns = names;
	request->n_netns = netns ? 1 : 0;
}

static void subscribe_to(struct hall *hall, struct caller *caller, const char *netns)
{
	Nflog__V1__SubscribeRequest request;

	ask(&request, netns);
	hall_follow(hall, caller, &request);
}

/* --- at the start ------------------------------------------------------------------------ */

static const char *refused(struct hall *hall, const Nflog__V1__SubscribeRequest *request,
			   grpc_status_code code)
{
	static char text[600];
	struct caller caller;

	caller_open_message(&caller, hall->path, "/nflog.v1.NflogService/Subscribe",
			    &request->base);
	caller_expect_end(&caller, code);
	(void)strcpy(text, caller.text);
	caller_close(&caller);
	return text;
}

static void what_is_not_granted_is_denied_with_one_text_whether_it_exists_or_not(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	uint32_t group = 7;

	grant_red(hall);
	ask(&request, "blue");
	assert_string_equal(refused(hall, &request, DENIED), ACCESS_DENIED_TEXT);
	ask(&request, "nowhere");
	assert_string_equal(refused(hall, &request, DENIED), ACCESS_DENIED_TEXT);
	ask(&request, "red");
	request.groups = &group;
	request.n_groups = 1;
	assert_string_equal(refused(hall, &request, DENIED), ACCESS_DENIED_TEXT);
	group = 150; /* granted, and nobody reads it */
	assert_non_null(strstr(refused(hall, &request, GRPC_STATUS_NOT_FOUND), "red"));
}

static void denial_comes_before_validation(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	char label[200];

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	grant_red(hall);
	ask(&request, "blue");
	request.client_label = label;
	(void)refused(hall, &request, DENIED);
	ask(&request, "red");
	request.client_label = label;
	assert_non_null(
	    strstr(refused(hall, &request, GRPC_STATUS_INVALID_ARGUMENT), "client_label"));
}

static void who_is_no_tenant_is_not_even_told_that_a_method_is_unknown(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	set(hall, make_policy("local", getuid() + 1, both, 2));
	caller_open(&caller, hall->path, "/nflog.v1.NflogService/Nothing", NULL, 0);
	caller_expect_end(&caller, GRPC_STATUS_UNAUTHENTICATED);
	caller_close(&caller);
	caller_open(&caller, hall->path, "/nflog.v1.NflogService/GetStats", NULL, 0);
	caller_expect_end(&caller, GRPC_STATUS_UNAUTHENTICATED);
	caller_close(&caller);
}

static void a_stream_that_wants_all_has_only_what_is_granted(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	grant_red(hall);
	subscribe_to(hall, &caller, NULL);
	hall_log(hall, hall->blue, 3);
	hall_log(hall, hall->red, 2);
	expect_packets(&caller, hall->red->id, 1, 2);
	caller_close(&caller);
}

/* --- while it runs ----------------------------------------------------------------------- */

static void a_revoked_source_leaves_with_all_that_is_queued_of_it(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	grant_both(hall);
	subscribe_to(hall, &caller, NULL);
	hall_hold();
	hall_log(hall, hall->blue, 500);
	hall_log(hall, hall->red, 1);
	grant_red(hall);
	hall_go_on();
	expect_state(&caller, hall->blue, SOURCE_GONE, ACCESS_REVOKED_TEXT);
	expect_packets(&caller, hall->red->id, 1, 1);
	hall_log(hall, hall->blue, 3);
	hall_log(hall, hall->red, 1);
	expect_packets(&caller, hall->red->id, 2, 1);
	caller_close(&caller);
}

static void a_stream_that_asked_for_it_by_name_ends_at_once(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	grant_both(hall);
	subscribe_to(hall, &caller, "blue");
	hall_hold();
	hall_log(hall, hall->blue, 500);
	grant_red(hall);
	hall_go_on();
	caller_expect_end(&caller, DENIED);
	assert_string_equal(caller.text, ACCESS_REVOKED_TEXT);
	caller_close(&caller);
}

static void a_stream_of_whom_another_tenant_is_now_ends(void **state)
{
	struct hall *hall = *state;
	struct caller first, second;

	grant_both(hall);
	subscribe_to(hall, &first, NULL);
	set(hall, make_policy("other", getuid(), both, 2));
	caller_expect_end(&first, DENIED);
	subscribe_to(hall, &second, NULL);
	set(hall, make_policy("other", getuid() + 1, both, 2));
	caller_expect_end(&second, DENIED);
	caller_close(&first);
	caller_close(&second);
}

static void a_stream_that_waits_for_a_name_ends_when_that_is_revoked(void **state)
{
	static const char *const later[] = {"red", "later"};
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	struct caller caller;

	set(hall, make_policy("local", getuid(), later, 2));
	ask(&request, "later");
	request.wait_for_netns = true;
	hall_follow(hall, &caller, &request);
	grant_red(hall);
	caller_expect_end(&caller, DENIED);
	caller_close(&caller);
}

static void a_token_does_not_bring_back_what_was_revoked(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	struct diary diary = {0};
	struct caller caller;

	grant_both(hall);
	ask(&request, NULL);
	(void)diary_open(&diary, hall, &caller, &request);
	hall_log(hall, hall->red, 1);
	hall_log(hall, hall->blue, 1);
	diary_read_until(&diary, &caller, hall->red, 1);
	diary_read_until(&diary, &caller, hall->blue, 1);
	caller_close(&caller);
	grant_red(hall);
	hall_log(hall, hall->blue, 2);
	hall_log(hall, hall->red, 2);
	/* As of a source that nobody knows any more: some of it may be missing, nobody says what. */
	assert_int_equal(diary_open(&diary, hall, &caller, &request),
			 NFLOG__V1__RESUME_STATUS__RESUME_STATUS_GAP);
	diary_read_until(&diary, &caller, hall->red, 3);
	assert_int_equal(diary_page(&diary, hall->blue->id)->packets, 1);
	assert_int_equal(diary.unknown, 1);
	caller_close(&caller);
}

static void a_source_that_is_granted_joins_with_what_comes_from_then_on(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	grant_red(hall);
	subscribe_to(hall, &caller, NULL);
	hall_log(hall, hall->blue, 5);
	grant_both(hall);
	expect_state(&caller, hall->blue, SOURCE_LISTENING, "");
	hall_log(hall, hall->blue, 2);
	expect_packets(&caller, hall->blue->id, 6, 2);
	caller_close(&caller);
}

static void the_same_grants_by_another_policy_are_not_noticed(void **state)
{
	struct hall *hall = *state;
	struct caller caller;

	grant_both(hall);
	subscribe_to(hall, &caller, NULL);
	for (int i = 0; i < 10; i++)
		grant_both(hall);
	hall_log(hall, hall->red, 2);
	expect_packets(&caller, hall->red->id, 1, 2);
	caller_close(&caller);
}

/* Run with the sanitizers: policies come and go in one thread, streams look at them in others. */
static void policies_that_come_and_go_lose_nothing_of_what_stays_granted(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request;
	struct diary diary = {0};
	struct caller caller;

	grant_both(hall);
	ask(&request, NULL);
	(void)diary_open(&diary, hall, &caller, &request);
	for (int i = 0; i < 200; i++) {
		hall_log(hall, hall->red, 10);
		if (i % 2)
			grant_both(hall);
		else
			grant_red(hall);
	}
	diary_read_until(&diary, &caller, hall->red, 2000);
	diary_expect_whole(&diary, hall->red);
	assert_int_equal(diary_page(&diary, hall->red->id)->packets, 2000);
	caller_close(&caller);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_is_not_granted_is_denied_with_one_text_whether_it_exists_or_not),
	    CASE(denial_comes_before_validation),
	    CASE(who_is_no_tenant_is_not_even_told_that_a_method_is_unknown),
	    CASE(a_stream_that_wants_all_has_only_what_is_granted),
	    CASE(a_revoked_source_leaves_with_all_that_is_queued_of_it),
	    CASE(a_stream_that_asked_for_it_by_name_ends_at_once),
	    CASE(a_stream_of_whom_another_tenant_is_now_ends),
	    CASE(a_stream_that_waits_for_a_name_ends_when_that_is_revoked),
	    CASE(a_token_does_not_bring_back_what_was_revoked),
	    CASE(a_source_that_is_granted_joins_with_what_comes_from_then_on),
	    CASE(the_same_grants_by_another_policy_are_not_noticed),
	    CASE(policies_that_come_and_go_lose_nothing_of_what_stays_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
