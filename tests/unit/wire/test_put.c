/* SPDX-License-Identifier: MIT */
/* put.h, get.h and text.c: numbers, lengths and texts at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "get.h"
#include "put.h"
#include "text.h"

/* The encoding by its definition, one group after the other. */
static size_t slow_varint(uint8_t *p, uint64_t value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		p[len++] = (uint8_t)(value | 0x80);
	p[len++] = (uint8_t)value;
	return len;
}

static void assert_varint(uint64_t value)
{
	uint8_t expected[VARINT_MAX_LEN];
	uint8_t bytes[VARINT_MAX_LEN];
	size_t len = slow_varint(expected, value);
	uint64_t back = ~value;

	assert_int_equal(put_varint(bytes, value) - bytes, len);
	assert_memory_equal(bytes, expected, len);
	assert_ptr_equal(get_varint(bytes, bytes + len, &back), bytes + len);
	assert_true(back == value);
	assert_null(get_varint(bytes, bytes + len - 1, &back));
}

static void numbers_are_minimal_at_every_length(void **state)
{
	(void)state;
	assert_varint(0);
	assert_varint(UINT64_MAX);
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_varint(UINT64_C(1) << bit);
		assert_varint((UINT64_C(1) << bit) - 1);
		assert_varint((UINT64_C(1) << bit) | 1);
		assert_varint(UINT64_C(0x9d3a5c71e24fb608) >> bit);
	}
}

static void number_of_more_than_ten_bytes_is_malformed(void **state)
{
	static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
					 0x80, 0x80, 0x80, 0x80, 0x00};
	uint64_t value;

	(void)state;
	assert_null(get_varint(eleven, eleven + sizeof(eleven), &value));
}

static void length_grows_with_the_content_and_stays_minimal(void **state)
{
	static const size_t lens[] = {0, 1, 127, 128, 129, 16383, 16384, 20000};
	uint8_t *buf = malloc(20000 + 16);
	uint8_t *content = malloc(20000);

	(void)state;
	assert_non_null(buf);
	assert_non_null(content);
	for (size_t i = 0; i < 20000; i++)
		content[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t *body = put_begin(buf, PACKET_PAYLOAD);
		uint8_t *end = put_end(body, put_copy(body, content, lens[i]));
		uint8_t length[VARINT_MAX_LEN];
		size_t n = slow_varint(length, lens[i]);

		assert_int_equal(end - buf, 1 + n + lens[i]);
		assert_int_equal(buf[0], PACKET_PAYLOAD);
		assert_memory_equal(buf + 1, length, n);
		assert_memory_equal(buf + 1 + n, content, lens[i]);
	}
	free(content);
	free(buf);
}

static struct nfl_bytes text_of(const char *text)
{
	return (struct nfl_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

static void assert_repaired(const char *text, const char *expected)
{
	uint8_t out[256];
	struct nfl_bytes bytes = text_of(text);
	size_t len = (size_t)(text_repair(out, bytes) - out);

	assert_int_equal(text_is_utf8(bytes), strcmp(text, expected) == 0);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, len);
}

#define BAD "\xef\xbf\xbd"

static void well_formed_text_stays_as_it_is(void **state)
{
	(void)state;
	assert_repaired("", "");
	assert_repaired("drop: ", "drop: ");
	assert_repaired("a text of more than eight bytes", "a text of more than eight bytes");
	assert_repaired("\x01\x1b[31m\x7f", "\x01\x1b[31m\x7f");
	assert_repaired("\u00fc\u20ac\U0001f525", "\u00fc\u20ac\U0001f525");
	assert_repaired("12345678\u20ac9", "12345678\u20ac9");
}

static void each_bad_byte_becomes_one_replacement(void **state)
{
	(void)state;
	assert_repaired("\xff", BAD);
	assert_repaired("a\x80z", "a" BAD "z");
	assert_repaired("12345678\xfe", "12345678" BAD);
	assert_repaired("\xc0\xaf", BAD BAD);                 /* too long a form of '/' */
	assert_repaired("\xed\xa0\x80", BAD BAD BAD);         /* surrogate */
	assert_repaired("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* above U+10FFFF */
	assert_repaired("\xe2\x82", BAD BAD);                 /* cut short */
	assert_repaired("\xe2\x82z\u00fc", BAD BAD "z\u00fc");
}

static void bad_byte_is_found_at_any_place_of_any_length(void **state)
{
	(void)state;
	for (uint32_t len = 1; len <= 40; len++) {
		uint8_t *bytes = malloc(len); /* of exactly the length, which ASan guards */

		assert_non_null(bytes);
		memset(bytes, 'x', len);
		assert_true(text_is_utf8((struct nfl_bytes){bytes, len}));
		for (uint32_t at = 0; at < len; at++) {
			bytes[at] = 0x80;
			assert_false(text_is_utf8((struct nfl_bytes){bytes, len}));
			bytes[at] = 'x';
		}
		free(bytes);
	}
}

/* put_copy() has ways of its own for short lengths. */
static void copy_is_exact_at_every_length(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 40; len++) {
		uint8_t *from = malloc(len + 1), *to = malloc(len + 1);

		assert_non_null(from);
		assert_non_null(to);
		for (size_t i = 0; i <= len; i++)
			from[i] = (uint8_t)(i + 1);
		to[len] = 0xee;
		assert_ptr_equal(put_copy(to, from, len), to + len);
		assert_memory_equal(to, from, len);
		assert_int_equal(to[len], 0xee);
		free(from);
		free(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_minimal_at_every_length),
	    cmocka_unit_test(number_of_more_than_ten_bytes_is_malformed),
	    cmocka_unit_test(length_grows_with_the_content_and_stays_minimal),
	    cmocka_unit_test(well_formed_text_stays_as_it_is),
	    cmocka_unit_test(each_bad_byte_becomes_one_replacement),
	    cmocka_unit_test(bad_byte_is_found_at_any_place_of_any_length),
	    cmocka_unit_test(copy_is_exact_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
