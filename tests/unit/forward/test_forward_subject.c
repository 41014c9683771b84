/* SPDX-License-Identifier: MIT */
/* Subjects of messages, and addresses of brokers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "subject.h"
#include "target.h"

static void assert_subject(const char *pattern, const char *host, const char *netns,
			   const char *expected)
{
	char *subject = subject_render(pattern, host, netns, 100);

	assert_non_null(subject);
	assert_string_equal(subject, expected);
	free(subject);
}

static void values_take_their_places(void **state)
{
	(void)state;
	assert_subject(SUBJECT_DEFAULT, "fw1", "red", "nflog.fw1.red.100");
	assert_subject("a_{group}.{host}-{netns}.z", "fw1", "red", "a_100.fw1-red.z");
	assert_subject("fixed", "fw1", "red", "fixed");
}

static void a_value_is_one_part_whatever_it_holds(void **state)
{
	(void)state;
	assert_subject("{host}.{netns}", "fw1.example", "a b*>%\n",
		       "fw1%2Eexample.a%20b%2A%3E%25%0A");
}

static void what_is_of_no_source_has_placeholders(void **state)
{
	(void)state;
	assert_subject(SUBJECT_DEFAULT, "fw1", NULL, "nflog.fw1._._");
	assert_subject(SUBJECT_DEFAULT, "", "\xff", "nflog._.%FF.100");
}

static void patterns_that_are_no_subjects_are_refused(void **state)
{
	static const char *const wrong[] = {"",       "a.",  ".a",     "a..b", "a b",
					    "a.*",    "a.>", "a%",     "{",    "{}",
					    "{netns", "a}",  "{Host}", "x\ty", "\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!subject_check(wrong[i]))
			fail_msg("taken: \"%s\"", wrong[i]);
	assert_null(subject_check(SUBJECT_DEFAULT));
	assert_null(subject_check("a.b-{group}{netns}"));
}

static void assert_wildcard(const char *pattern, const char *expected)
{
	char *subject = subject_wildcard(pattern);

	assert_non_null(subject);
	assert_string_equal(subject, expected);
	free(subject);
}

static void a_stream_is_made_for_all_subjects_of_a_pattern(void **state)
{
	(void)state;
	assert_wildcard(SUBJECT_DEFAULT, "nflog.>");
	assert_wildcard("a.b_{netns}.c", "a.>");
	assert_wildcard("{host}.x.{netns}-{group}", "*.x.*");
	assert_wildcard("x{host}", "*");
	assert_wildcard("fixed.one", "fixed.one");
}

static void assert_target(const char *text, const char *scheme, const char *url, const char *stream,
			  const char *subject)
{
	struct target target = {0};

	assert_null(target_parse(text, &target));
	assert_string_equal(target.scheme, scheme);
	assert_string_equal(target.url, url);
	assert_string_equal(target.stream, stream);
	if (subject)
		assert_string_equal(target.subject, subject);
	else
		assert_null(target.subject);
	target_done(&target);
}

static void an_address_is_taken_apart(void **state)
{
	struct target target = {0};

	(void)state;
	assert_target("nats://h/S", "nats", "nats://h", "S", NULL);
	assert_target("nats://u:p@h:1,i:2/S/a.>", "nats", "nats://u:p@h:1,i:2", "S", "a.>");
	assert_target("kafka://b1:9092,b2/topic", "kafka", "kafka://b1:9092,b2", "topic", NULL);
	assert_null(target_parse("-", &target));
	assert_true(target.is_stdout);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = {"",          "nats",       "nats://", "nats://h",
					    "nats://h/", "nats:///S",  "://h/S",  "NATS://h/S",
					    "nats:/h/S", "nats://h//", "--",      "../x://h/S"};
	struct target target = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!target_parse(wrong[i], &target))
			fail_msg("taken: \"%s\"", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_take_their_places),
	    cmocka_unit_test(a_value_is_one_part_whatever_it_holds),
	    cmocka_unit_test(what_is_of_no_source_has_placeholders),
	    cmocka_unit_test(patterns_that_are_no_subjects_are_refused),
	    cmocka_unit_test(a_stream_is_made_for_all_subjects_of_a_pattern),
	    cmocka_unit_test(an_address_is_taken_apart),
	    cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
