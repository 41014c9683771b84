/* SPDX-License-Identifier: MIT */
/* Numbers, times and addresses, measured against the C library's slow and proven ones. */
#include <nfl/render.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"
#include "writer.h"

static uint32_t next_random(void)
{
	static uint32_t random = 1;

	random = random * 1664525 + 1013904223;
	return random >> 8;
}

static void numbers_are_those_of_printf(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		for (int delta = -1; delta <= 1; delta++) {
			uint64_t value = (bits < 64 ? UINT64_C(1) << bits : 0) + (uint64_t)delta;
			char expected[64], out[64];
			struct text t = text_start(out, sizeof(out));

			text_number(&t, value);
			text_char(&t, ' ');
			text_digits(&t, value, 20);
			text_char(&t, ' ');
			text_hex_number(&t, (uint32_t)value, 1);
			text_char(&t, ' ');
			text_hex_number(&t, (uint32_t)value, 4);
			(void)text_end(&t);
			(void)snprintf(expected, sizeof(expected),
				       "%" PRIu64 " %020" PRIu64 " %" PRIx32 " %04" PRIx32, value,
				       value, (uint32_t)value, (uint32_t)value);
			assert_string_equal(out, expected);
		}
	}
}

static void hexadecimal_text_of_any_length_is_whole(void **state)
{
	uint8_t bytes[300];
	char out[2 * sizeof(bytes) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (uint32_t len = 0; len <= sizeof(bytes); len++) {
		struct text t = text_start(out, sizeof(out));

		text_hex(&t, (struct nfl_bytes){bytes, len});
		assert_int_equal(text_end(&t), 2 * len);
		for (uint32_t i = 0; i < len; i++) {
			char pair[3];

			(void)snprintf(pair, sizeof(pair), "%02x", bytes[i]);
			assert_memory_equal(out + 2 * (size_t)i, pair, 2);
		}
	}
}

static void assert_time(int64_t time_ns, uint32_t flags, const char *expected)
{
	char out[64];

	assert_int_equal(nfl_render_time(out, sizeof(out), time_ns, flags), strlen(expected));
	assert_string_equal(out, expected);
}

static void times_have_nanoseconds_and_the_zone(void **state)
{
	(void)state;
	assert_time(INT64_C(1795435200123456789), NFL_RENDER_UTC, "2026-11-23T12:00:00.123456789Z");
	assert_time(INT64_C(1795435200123456789), 0, "2026-11-23T13:00:00.123456789+01:00");
	assert_time(0, NFL_RENDER_UTC, "1970-01-01T00:00:00.000000000Z");
	assert_time(-1, NFL_RENDER_UTC, "1969-12-31T23:59:59.999999999Z");
	assert_time(INT64_MAX, NFL_RENDER_UTC, "2262-04-11T23:47:16.854775807Z");
	assert_time(INT64_MIN, NFL_RENDER_UTC, "1677-09-21T00:12:43.145224192Z");
}

static void the_hour_that_comes_twice_is_told_apart(void **state)
{
	const int64_t change = INT64_C(1792890000) * NS_PER_S; /* 2026-10-25 01:00 UTC */

	(void)state;
	assert_time(change - 1, 0, "2026-10-25T02:59:59.999999999+02:00");
	assert_time(change, 0, "2026-10-25T02:00:00.000000000+01:00");
	assert_time(change, NFL_RENDER_UTC, "2026-10-25T01:00:00.000000000Z");
	assert_time(change, 0, "2026-10-25T02:00:00.000000000+01:00");
}

static void times_are_those_of_strftime(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		time_t seconds = (time_t)next_random() * 400;
		int64_t time_ns = (int64_t)seconds * NS_PER_S + next_random();
		char expected[64], out[64];
		struct tm tm;

		assert_non_null(gmtime_r(&seconds, &tm));
		(void)strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		(void)nfl_render_time(out, sizeof(out), time_ns, NFL_RENDER_UTC);
		assert_memory_equal(out, expected, strlen(expected));
		assert_non_null(localtime_r(&seconds, &tm));
		(void)strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		(void)nfl_render_time(out, sizeof(out), time_ns, 0);
		assert_memory_equal(out, expected, strlen(expected));
	}
}

static void assert_address(const char *text)
{
	uint8_t bytes[16];
	char out[64];
	size_t len = strchr(text, ':') ? 16 : 4;

	assert_int_equal(inet_pton(len == 16 ? AF_INET6 : AF_INET, text, bytes), 1);
	assert_int_equal(nfl_render_address(out, sizeof(out), bytes, len), strlen(text));
	assert_string_equal(out, text);
}

static void addresses_have_their_canonical_form(void **state)
{
	char out[64];

	(void)state;
	assert_address("0.0.0.0");
	assert_address("10.0.200.255");
	assert_address("::");
	assert_address("::1");
	assert_address("1::");
	assert_address("2001:db8::1");
	assert_address("2001:db8:0:1:1:1:1:1"); /* one group is not shortened */
	assert_address("2001:0:0:1::1");        /* the longest run is */
	assert_address("2001:db8::1:0:0:1");    /* the first of two equal runs */
	assert_address("::ffff:192.0.2.1");
	assert_address("fe80::f1:ff:fe00:b00");
	assert_int_equal(nfl_render_address(out, sizeof(out), (const uint8_t *)"abcdef", 6), 0);
	assert_string_equal(out, "");
}

static void addresses_are_those_of_inet_ntop(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		uint8_t bytes[16];
		char expected[64], out[64];

		for (size_t k = 0; k < sizeof(bytes); k += 2) {
			uint32_t random = next_random();

			bytes[k] = random & 0x300 ? 0 : (uint8_t)random;
			bytes[k + 1] = random & 0xc00 ? 0 : (uint8_t)(random >> 12);
		}
		bytes[0] |= 1; /* inet_ntop has an own form for ::a.b.c.d, which nobody uses */
		assert_non_null(inet_ntop(AF_INET6, bytes, expected, sizeof(expected)));
		(void)nfl_render_address(out, sizeof(out), bytes, 16);
		assert_string_equal(out, expected);
		assert_non_null(inet_ntop(AF_INET, bytes, expected, sizeof(expected)));
		(void)nfl_render_address(out, sizeof(out), bytes, 4);
		assert_string_equal(out, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_those_of_printf),
	    cmocka_unit_test(hexadecimal_text_of_any_length_is_whole),
	    cmocka_unit_test(times_have_nanoseconds_and_the_zone),
	    cmocka_unit_test(the_hour_that_comes_twice_is_told_apart),
	    cmocka_unit_test(times_are_those_of_strftime),
	    cmocka_unit_test(addresses_have_their_canonical_form),
	    cmocka_unit_test(addresses_are_those_of_inet_ntop),
	};

	/* rules written out, so that no zone files are needed */
	if (setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
