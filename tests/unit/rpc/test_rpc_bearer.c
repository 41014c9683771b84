/* SPDX-License-Identifier: MIT */
/* The authorization header. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <grpc/slice.h>

#include "bearer.h"
#include "bytes.h"

#define TOKEN "0123456789abcdef"

/* SHA-256 of TOKEN, by sha256sum. */
static const uint8_t token_sha256[BEARER_SHA256_BYTES] = {
    0x9f, 0x9f, 0x51, 0x11, 0xf7, 0xb2, 0x7a, 0x78, 0x1f, 0x1f, 0x1d, 0xdd, 0xe5, 0xeb, 0xc2, 0xdd,
    0x2b, 0x79, 0x6b, 0xfc, 0x73, 0x65, 0xc9, 0xc2, 0x8b, 0x54, 0x8e, 0x56, 0x41, 0x76, 0x92, 0x9f};

static int parse(const char *value)
{
	const char *token;
	size_t len;

	return bearer_parse(value, strlen(value), &token, &len);
}

static void a_token_is_found_behind_its_scheme(void **state)
{
	const char *values[] = {"Bearer " TOKEN, "bearer " TOKEN, "BEARER   " TOKEN};
	const char *token;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_int_equal(bearer_parse(values[i], strlen(values[i]), &token, &len), 0);
		assert_int_equal(len, strlen(TOKEN));
		assert_memory_equal(token, TOKEN, len);
	}
}

static void what_is_no_bearer_token_is_refused(void **state)
{
	const char *values[] = {"",
				"Bearer",
				"Bearer ",
				"Bearer                      ",
				"Bearer" TOKEN,
				"Bearer\t" TOKEN,
				"Basic " TOKEN,
				"Bear " TOKEN,
				TOKEN,
				" Bearer " TOKEN,
				"Bearer " TOKEN " ",
				"Bearer 01234567 9abcdef0",
				"Bearer 01234567\t9abcdef0",
				"Bearer 01234567\x7f"
				"9abcdef0",
				"Bearer 01234567\xc3\xa4"
				"9abcdef0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(parse(values[i]), -EBADMSG);
}

static void a_nul_does_not_end_a_token(void **state)
{
	const char value[] = "Bearer " TOKEN "\0more";
	const char *token;
	size_t len;

	(void)state;
	assert_int_equal(bearer_parse(value, sizeof(value) - 1, &token, &len), -EBADMSG);
}

static void a_token_has_16_to_4096_bytes(void **state)
{
	char value[7 + BEARER_TOKEN_MAX + 1] = "Bearer ";
	const char *token;
	size_t len;

	(void)state;
	memset(value + 7, 'x', sizeof(value) - 7);
	assert_int_equal(bearer_parse(value, 7 + BEARER_TOKEN_MIN - 1, &token, &len), -EBADMSG);
	assert_int_equal(bearer_parse(value, 7 + BEARER_TOKEN_MIN, &token, &len), 0);
	assert_int_equal(bearer_parse(value, 7 + BEARER_TOKEN_MAX, &token, &len), 0);
	assert_int_equal(bearer_parse(value, 7 + BEARER_TOKEN_MAX + 1, &token, &len), -EBADMSG);
}

static grpc_metadata header(const char *key, const char *value)
{
	return (grpc_metadata){.key = grpc_slice_from_static_string(key),
			       .value = grpc_slice_from_static_string(value)};
}

static void the_hash_of_the_one_token_is_found_among_headers(void **state)
{
	grpc_metadata items[] = {header("user-agent", "test"),
				 header("authorization", "Bearer " TOKEN),
				 header("authorization-info", "no")};
	const grpc_metadata_array metadata = {.count = 3, .metadata = items};
	uint8_t sha256[BEARER_SHA256_BYTES];

	(void)state;
	assert_int_equal(bearer_find(&metadata, sha256), 1);
	assert_memory_equal(sha256, token_sha256, sizeof(sha256));
}

static void two_authorizations_are_refused_even_if_they_are_equal(void **state)
{
	grpc_metadata items[] = {header("authorization", "Bearer " TOKEN),
				 header("authorization", "Bearer " TOKEN)};
	const grpc_metadata_array metadata = {.count = 2, .metadata = items};
	uint8_t sha256[BEARER_SHA256_BYTES];

	(void)state;
	assert_int_equal(bearer_find(&metadata, sha256), -EBADMSG);
}

static void no_authorization_is_no_token(void **state)
{
	const grpc_metadata_array metadata = {0};
	uint8_t sha256[BEARER_SHA256_BYTES];

	(void)state;
	assert_int_equal(bearer_find(&metadata, sha256), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_is_found_behind_its_scheme),
	    cmocka_unit_test(what_is_no_bearer_token_is_refused),
	    cmocka_unit_test(a_nul_does_not_end_a_token),
	    cmocka_unit_test(a_token_has_16_to_4096_bytes),
	    cmocka_unit_test(the_hash_of_the_one_token_is_found_among_headers),
	    cmocka_unit_test(two_authorizations_are_refused_even_if_they_are_equal),
	    cmocka_unit_test(no_authorization_is_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
