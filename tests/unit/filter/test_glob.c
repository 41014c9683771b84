/* SPDX-License-Identifier: MIT */
/* A glob matches as if every way had been tried, and costs as if only one had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "glob.h"

static struct nfl_bytes bytes(const char *s)
{
	return (struct nfl_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static bool matches(const char *pattern, const char *text)
{
	struct glob glob;
	bool result;

	assert_int_equal(glob_init(&glob, bytes(pattern)), 0);
	result = glob_matches(&glob, bytes(text));
	glob_done(&glob);
	return result;
}

static void star_is_any_run_and_question_mark_one_byte(void **state)
{
	(void)state;
	assert_true(matches("*", ""));
	assert_true(matches("*", "eth0"));
	assert_true(matches("eth?", "eth0"));
	assert_false(matches("eth?", "eth"));
	assert_false(matches("eth?", "eth10"));
	assert_true(matches("*0", "eth0"));
	assert_false(matches("*0", "eth1"));
	assert_true(matches("v*h*2", "veth12"));
	assert_false(matches("v*h*2", "veth13"));
	assert_true(matches("a**b", "ab"));
	assert_true(matches("", ""));
	assert_false(matches("", "a"));
	assert_true(matches("?*?", "ab"));
	assert_false(matches("?*?", "a"));
}

static void nothing_else_is_special(void **state)
{
	(void)state;
	assert_true(matches("[ab]\\*.", "[ab]\\x."));
	assert_false(matches("[ab]", "a"));
	assert_false(matches("eth.", "eth0"));
	assert_false(matches("ETH*", "eth0"));
}

/* The plain way: recursion, which is exponential where it is let. */
static bool naive(const char *pattern, const char *text)
{
	if (!*pattern)
		return !*text;
	if (*pattern == '*')
		return naive(pattern + 1, text) || (*text && naive(pattern, text + 1));
	return *text && (*pattern == '?' || *pattern == *text) && naive(pattern + 1, text + 1);
}

static void short_patterns_match_as_by_trying_everything(void **state)
{
	static const char symbols[] = "ab*?";
	char pattern[6], text[6];

	(void)state;
	for (unsigned p = 0; p < 1024 * 4; p++) {
		unsigned len = p % 6;

		for (unsigned i = 0; i < len; i++)
			pattern[i] = symbols[p >> (2 * i) & 3];
		pattern[len] = '\0';
		for (unsigned t = 0; t < 32 * 6; t++) {
			for (unsigned i = 0; i < t % 6; i++)
				text[i] = symbols[t / 6 >> i & 1];
			text[t % 6] = '\0';
			assert_int_equal(matches(pattern, text), naive(pattern, text));
		}
	}
}

static void patterns_of_every_length_match_their_own_text(void **state)
{
	char pattern[GLOB_MAX_BYTES + 1], text[GLOB_MAX_BYTES + 2];

	(void)state;
	for (size_t len = 1; len <= GLOB_MAX_BYTES; len++) {
		memset(pattern, 'x', len);
		memset(text, 'x', len + 1);
		pattern[len] = text[len] = '\0';
		assert_true(matches(pattern, text));
		text[len - 1] = 'y';
		assert_false(matches(pattern, text));
		text[len - 1] = 'x';
		pattern[len / 2] = '?';
		assert_true(matches(pattern, text));
		pattern[len / 2] = '*';
		assert_true(matches(pattern, text));
		text[len] = 'x';
		text[len + 1] = '\0';
		assert_true(matches(pattern, text));
	}
}

/* Backtracking would not end before the test's own time does. */
static void hostile_pattern_costs_no_more_than_its_text(void **state)
{
	size_t len = 1000 * 1000;
	char pattern[GLOB_MAX_BYTES + 1];
	char *text = malloc(len + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[len] = '\0';
	for (size_t i = 0; i + 1 < GLOB_MAX_BYTES; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[GLOB_MAX_BYTES - 1] = 'b';
	pattern[GLOB_MAX_BYTES] = '\0';
	assert_false(matches(pattern, text));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(star_is_any_run_and_question_mark_one_byte),
	    cmocka_unit_test(nothing_else_is_special),
	    cmocka_unit_test(short_patterns_match_as_by_trying_everything),
	    cmocka_unit_test(patterns_of_every_length_match_their_own_text),
	    cmocka_unit_test(hostile_pattern_costs_no_more_than_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
