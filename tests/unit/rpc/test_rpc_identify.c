/* SPDX-License-Identifier: MIT */
/* What calls over the unix socket and plaintext TCP prove. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "identify.h"
#include "meeting.h"
#include "peers.h"
#include "policy.h"

#define BEARER "Bearer 0123456789abcdef"

static const struct meeting_header token[] = {{"authorization", BEARER}, {0}};
static const struct meeting_header two_tokens[] = {
    {"authorization", BEARER}, {"authorization", "Bearer fedcba9876543210"}, {0}};
static const struct meeting_header no_bearer[] = {{"authorization", "Basic cm9vdDpyb290"}, {0}};

/* The identity of the call, or fails the test. */
static struct identity *identify(struct meeting *meeting)
{
	struct identity *identity = NULL;
	struct status err;

	if (!identity_new(&meeting->call, &identity, &err))
		fail_msg("%s", err.text);
	return identity;
}

/* Fails the test unless the call is refused as unauthenticated. */
static void expect_refusal(struct meeting *meeting, const char *text)
{
	struct identity *identity = NULL;
	struct status err;

	assert_false(identity_new(&meeting->call, &identity, &err));
	assert_null(identity);
	assert_int_equal(err.code, GRPC_STATUS_UNAUTHENTICATED);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
}

static void plaintext(struct meeting *meeting, const struct meeting_header *headers)
{
	meeting_listen(meeting, "127.0.0.1", grpc_insecure_server_credentials_create());
	meeting_connect(meeting, grpc_insecure_credentials_create(), NULL, headers);
}

static void a_unix_peer_is_its_user_and_all_of_its_groups(void **state)
{
	struct meeting meeting;
	struct identity *identity;
	const struct principal *who;
	gid_t groups[PEERS_GROUPS_MAX];
	int count = getgroups((int)ARRAY_SIZE(groups), groups);
	char text[IDENTITY_TEXT_MAX];

	(void)state;
	meeting_by_unix(&meeting, NULL);
	identity = identify(&meeting);
	who = identity_principal(identity);
	assert_true(who->has_uid);
	assert_int_equal(who->uid, getuid());
	assert_int_equal(who->gid, getgid());
	assert_int_equal(who->group_count, count);
	if (count > 0)
		assert_memory_equal(who->groups, groups, (size_t)count * sizeof(gid_t));
	assert_false(who->has_token);
	assert_false(who->is_loopback);
	assert_int_equal(who->uri_count + who->dns_count, 0);
	(void)snprintf(text, sizeof(text), "unix uid %u pid %d", getuid(), getpid());
	assert_string_equal(identity_text(identity), text);
	identity_free(identity);
	meeting_end(&meeting);
}

static void a_token_over_the_unix_socket_is_hashed(void **state)
{
	struct meeting meeting;
	struct identity *identity;
	const struct principal *who;

	(void)state;
	meeting_by_unix(&meeting, token);
	identity = identify(&meeting);
	who = identity_principal(identity);
	assert_true(who->has_token);
	assert_int_equal(who->token_sha256[0], 0x9f);
	assert_int_equal(who->token_sha256[31], 0x9f);
	assert_true(who->has_uid);
	assert_string_equal(identity_text(identity), "token 9f9f5111");
	identity_free(identity);
	meeting_end(&meeting);
}

static void a_header_that_is_no_bearer_token_is_refused(void **state)
{
	struct meeting meeting;

	(void)state;
	meeting_by_unix(&meeting, no_bearer);
	expect_refusal(&meeting, "expected it once, as 'Bearer'");
	meeting_end(&meeting);
}

static void two_tokens_are_refused(void **state)
{
	struct meeting meeting;

	(void)state;
	meeting_by_unix(&meeting, two_tokens);
	expect_refusal(&meeting, "expected it once");
	meeting_end(&meeting);
}

static void plaintext_tcp_proves_only_loopback(void **state)
{
	struct meeting meeting;
	struct identity *identity;
	const struct principal *who;

	(void)state;
	plaintext(&meeting, NULL);
	identity = identify(&meeting);
	who = identity_principal(identity);
	assert_true(who->is_loopback);
	assert_false(who->has_uid);
	assert_int_equal(who->group_count + who->uri_count + who->dns_count, 0);
	assert_ptr_equal(strstr(identity_text(identity), "loopback 127.0.0.1:"),
			 identity_text(identity));
	identity_free(identity);
	meeting_end(&meeting);
}

static bool has_ipv6(void)
{
	FILE *addresses = fopen("/proc/net/if_inet6", "re");
	char line[200];
	bool found = false;

	while (addresses && !found && fgets(line, sizeof(line), addresses))
		found = strncmp(line, "00000000000000000000000000000001 ", 33) == 0;
	if (addresses)
		(void)fclose(addresses);
	return found;
}

static void loopback_is_known_by_ipv6_too(void **state)
{
	struct meeting meeting;
	struct identity *identity;

	(void)state;
	if (!has_ipv6())
		skip();
	meeting_listen(&meeting, "[::1]", grpc_insecure_server_credentials_create());
	meeting_connect(&meeting, grpc_insecure_credentials_create(), NULL, NULL);
	identity = identify(&meeting);
	assert_true(identity_principal(identity)->is_loopback);
	assert_ptr_equal(strstr(identity_text(identity), "loopback [::1]:"),
			 identity_text(identity));
	identity_free(identity);
	meeting_end(&meeting);
}

static void a_token_over_plaintext_tcp_is_refused_with_the_reason(void **state)
{
	struct meeting meeting;

	(void)state;
	plaintext(&meeting, token);
	expect_refusal(&meeting, "tokens are accepted over TLS and the unix socket only");
	meeting_end(&meeting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_unix_peer_is_its_user_and_all_of_its_groups),
	    cmocka_unit_test(a_token_over_the_unix_socket_is_hashed),
	    cmocka_unit_test(a_header_that_is_no_bearer_token_is_refused),
	    cmocka_unit_test(two_tokens_are_refused),
	    cmocka_unit_test(plaintext_tcp_proves_only_loopback),
	    cmocka_unit_test(loopback_is_known_by_ipv6_too),
	    cmocka_unit_test(a_token_over_plaintext_tcp_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
