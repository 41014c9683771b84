/* SPDX-License-Identifier: MIT */
/* The text format of Prometheus: tables, labels that may hold any bytes, the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

static void expect(struct text *text, const char *expected)
{
	assert_false(text->failed);
	assert_string_equal(text->bytes, expected);
	assert_int_equal(text->len, strlen(expected));
	text_done(text);
}

static void each_metric_has_its_help_once_and_its_series_together(void **state)
{
	static const struct text_row rows[] = {
	    {"a_total", TEXT_COUNTER, "Help of a.", "stage=\"x\""},
	    {"a_total", TEXT_COUNTER, "", "stage=\"y\""},
	    {"b_seconds", TEXT_TIME, "Help of b.", NULL},
	    {"c_seconds_total", TEXT_SECONDS_COUNTER, "Help of c.", NULL},
	};
	char first_labels[] = "n=\"1\"", no_labels[] = "";
	uint64_t first[] = {1, UINT64_MAX, 1500000000, 1}, second[] = {3, 4, 0, 5};
	const struct text_item items[] = {{first_labels, first}, {no_labels, second}};
	struct text text = {0};

	(void)state;
	text_table(&text, rows, 4, items, 2);
	expect(&text, "# HELP a_total Help of a.\n# TYPE a_total counter\n"
		      "a_total{n=\"1\",stage=\"x\"} 1\na_total{stage=\"x\"} 3\n"
		      "a_total{n=\"1\",stage=\"y\"} 18446744073709551615\na_total{stage=\"y\"} 4\n"
		      "# HELP b_seconds Help of b.\n# TYPE b_seconds gauge\n"
		      "b_seconds{n=\"1\"} 1.500000000\nb_seconds 0.000000000\n"
		      "# HELP c_seconds_total Help of c.\n# TYPE c_seconds_total counter\n"
		      "c_seconds_total{n=\"1\"} 0.000000001\nc_seconds_total 0.000000005\n");
}

static void labels_are_escaped_and_never_run_together(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
	    {"", "n=\"\""},
	    {"red", "n=\"red\""},
	    {"a\"b", "n=\"a\\\"b\""},
	    {"a\nb", "n=\"a\\nb\""},
	    {"a\\b", "n=\"a\\\\\\\\b\""},
	    {"\xc3\xbc", "n=\"\xc3\xbc\""},
	    {"\xff", "n=\"\\\\xff\""},
	    {"\\xff", "n=\"\\\\\\\\xff\""}, /* not the same as the byte */
	    {"\xc3", "n=\"\\\\xc3\""},
	    {"} 1\nevil{", "n=\"} 1\\nevil{\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = {0};

		text_label(&text, "n", cases[i].value);
		expect(&text, cases[i].expected);
	}
}

static void beyond_the_bound_it_fails_and_stays_so(void **state)
{
	static char piece[65536];
	struct text text = {0};

	(void)state;
	memset(piece, 'x', sizeof(piece) - 1);
	for (size_t i = 0; i < TEXT_MAX_BYTES / (sizeof(piece) - 1) + 2; i++)
		text_add(&text, "%s", piece);
	assert_true(text.failed);
	assert_true(text.room <= TEXT_MAX_BYTES);
	text_add(&text, "y");
	assert_true(text.failed);
	text_done(&text);
	assert_false(text.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_metric_has_its_help_once_and_its_series_together),
	    cmocka_unit_test(labels_are_escaped_and_never_run_together),
	    cmocka_unit_test(beyond_the_bound_it_fails_and_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
