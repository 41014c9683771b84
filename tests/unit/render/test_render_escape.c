/* SPDX-License-Identifier: MIT */
/* Escaping: whatever the bytes, what comes out is printable UTF-8 and tells what went in. */
#include <nfl/render.h>

#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include <cmocka.h>

#define OUT_BYTES 256

/* Characters that would hide or turn text; written down here apart from the table under test. */
static bool is_deceptive(wint_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0x180e || c == 0xfeff ||
	       c == 0x3164 || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* glibc's decoder and character classes are the judge, not ours. */
static void assert_printable(const char *text, size_t len)
{
	mbstate_t state = {0};

	assert_int_equal(strlen(text), len);
	for (size_t at = 0; at < len;) {
		wchar_t c;
		size_t n = mbrtowc(&c, text + at, len - at, &state);

		if (n == 0 || n > 4)
			fail_msg("no UTF-8 at byte %zu of \"%s\"", at, text);
		if (iswcntrl((wint_t)c) || is_deceptive((wint_t)c))
			fail_msg("U+%04lX came through", (unsigned long)c);
		at += n;
	}
}

static uint8_t from_hex(const char *digits)
{
	const char pair[] = {digits[0], digits[1], '\0'};

	return (uint8_t)strtoul(pair, NULL, 16);
}

static size_t encode_utf8(uint8_t *out, uint32_t code)
{
	mbstate_t state = {0};

	return wcrtomb((char *)out, (wchar_t)code, &state);
}

/* The reader's side of nfl_escape_text(). */
static size_t unescape(uint8_t *out, const char *text)
{
	size_t len = 0;

	for (; *text; text++) {
		if (*text != '\\') {
			out[len++] = (uint8_t)*text;
		} else if (text[1] == 'x') {
			out[len++] = from_hex(text + 2);
			text += 3;
		} else if (text[1] == 'u') {
			char *end;

			len += encode_utf8(out + len, (uint32_t)strtoul(text + 3, &end, 16));
			assert_int_equal(*end, '}');
			text = end;
		} else {
			out[len++] = (uint8_t) * ++text;
		}
	}
	return len;
}

static void check_all(const uint8_t *bytes, size_t len)
{
	char text[OUT_BYTES];
	uint8_t back[OUT_BYTES];
	size_t n = nfl_escape_text(text, sizeof(text), bytes, len);

	assert_true(n < sizeof(text));
	assert_printable(text, n);
	assert_int_equal(unescape(back, text), len);
	assert_memory_equal(back, bytes, len);

	n = nfl_escape_line(text, sizeof(text), bytes, len);
	assert_printable(text, n);
	assert_int_equal(unescape(back, text), len);
	assert_memory_equal(back, bytes, len);

	n = nfl_escape_json(text, sizeof(text), bytes, len);
	assert_true(n <= 6 * len);
	assert_printable(text, n);
}

static void every_byte_and_pair_comes_out_printable_and_reversible(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		const uint8_t pair[] = {(uint8_t)(i >> 8), (uint8_t)i};

		check_all(pair, 1);
		check_all(pair, 2);
	}
}

static void sampled_longer_sequences_come_out_printable_and_reversible(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t bytes[5];

		for (size_t k = 0; k < sizeof(bytes); k++) {
			random = random * 1664525 + 1013904223;
			/* mostly bytes of the upper half: sequences, whole and broken */
			bytes[k] = (uint8_t)(random >> 24 | (random >> 22 & 3 ? 0x80 : 0));
		}
		check_all(bytes, 3);
		check_all(bytes, sizeof(bytes));
	}
}

static void every_code_point_comes_out_printable_and_reversible(void **state)
{
	(void)state;
	for (uint32_t code = 0x80; code <= 0x10ffff; code++) {
		uint8_t bytes[MB_LEN_MAX];

		if (code < 0xd800 || code > 0xdfff)
			check_all(bytes, encode_utf8(bytes, code));
	}
}

static void assert_escapes(const char *bytes, size_t len, const char *text, const char *json)
{
	char out[OUT_BYTES];

	assert_int_equal(nfl_escape_text(out, sizeof(out), bytes, len), strlen(text));
	assert_string_equal(out, text);
	assert_int_equal(nfl_escape_json(out, sizeof(out), bytes, len), strlen(json));
	assert_string_equal(out, json);
}

static void escapes_are_spelt_as_documented(void **state)
{
	(void)state;
	assert_escapes("fw-drop: ", 9, "fw-drop: ", "fw-drop: ");
	assert_escapes("", 0, "", "");
	assert_escapes("a\0b", 3, "a\\x00b", "a\\u0000b");
	assert_escapes("\x1b[2J\a", 5, "\\x1b[2J\\x07", "\\u001b[2J\\u0007");
	assert_escapes("\n\t\x7f", 3, "\\x0a\\x09\\x7f", "\\u000a\\u0009\\u007f");
	assert_escapes("say \"\\\"", 7, "say \\\"\\\\\\\"", "say \\\"\\\\\\\"");
	assert_escapes("\xc2\x9b", 2, "\\u{009b}", "\\u009b");
	assert_escapes("\xe2\x80\xae", 3, "\\u{202e}", "\\u202e");
	assert_escapes("\xf3\xa0\x81\x81", 4, "\\u{e0041}", "\\udb40\\udc41");
	assert_escapes("\xff\xfe", 2, "\\xff\\xfe", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_escapes("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\xa5", 16,
		       "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\xa5",
		       "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\xa5");
}

static void without_quotes_around_it_a_quote_stays(void **state)
{
	char out[OUT_BYTES];

	(void)state;
	assert_int_equal(nfl_escape_line(out, sizeof(out), "say \"\\\"\n", 8), 12);
	assert_string_equal(out, "say \"\\\\\"\\x0a");
}

static void each_bad_byte_is_escaped_alone(void **state)
{
	(void)state;
	assert_escapes("\xe2\x82", 2, "\\xe2\\x82", "\xef\xbf\xbd\xef\xbf\xbd"); /* cut */
	assert_escapes("\xc0\xaf", 2, "\\xc0\\xaf", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong / */
	assert_escapes("\xed\xa0\x80", 3, "\\xed\\xa0\\x80",
		       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
	assert_escapes("\xe2(", 2, "\\xe2(", "\xef\xbf\xbd(");
}

static void a_cut_text_has_its_nul_and_the_length_of_the_whole(void **state)
{
	static const char bytes[] = "ab\x1b"
				    "cd\xff";
	static const char whole[] = "ab\\x1bcd\\xff";

	(void)state;
	for (size_t cap = 0; cap <= sizeof(whole); cap++) {
		char *buf = malloc(cap ? cap : 1);

		assert_non_null(buf);
		assert_int_equal(nfl_escape_text(buf, cap, bytes, sizeof(bytes) - 1),
				 sizeof(whole) - 1);
		if (cap) {
			size_t len = cap < sizeof(whole) ? cap - 1 : sizeof(whole) - 1;

			assert_int_equal(strlen(buf), len);
			assert_memory_equal(buf, whole, len);
		}
		free(buf);
	}
	assert_int_equal(nfl_escape_text(NULL, 0, bytes, sizeof(bytes) - 1), sizeof(whole) - 1);
}

static void a_cut_text_ends_behind_a_whole_character(void **state)
{
	static const char whole[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\xa5";
	static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

	(void)state;
	for (size_t room = 0; room < sizeof(whole); room++) {
		char buf[sizeof(whole)];

		assert_int_equal(nfl_escape_text(buf, room + 1, whole, sizeof(whole) - 1),
				 sizeof(whole) - 1);
		assert_int_equal(strlen(buf), ends[room]);
		assert_memory_equal(buf, whole, ends[room]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_and_pair_comes_out_printable_and_reversible),
	    cmocka_unit_test(sampled_longer_sequences_come_out_printable_and_reversible),
	    cmocka_unit_test(every_code_point_comes_out_printable_and_reversible),
	    cmocka_unit_test(escapes_are_spelt_as_documented),
	    cmocka_unit_test(without_quotes_around_it_a_quote_stays),
	    cmocka_unit_test(each_bad_byte_is_escaped_alone),
	    cmocka_unit_test(a_cut_text_has_its_nul_and_the_length_of_the_whole),
	    cmocka_unit_test(a_cut_text_ends_behind_a_whole_character),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
