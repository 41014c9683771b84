/* SPDX-License-Identifier: MIT */
/* tenants: which names of certificates a pattern matches, and which patterns meet. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roster.h"

static const char *find_uri(const struct roster *roster, const char *uri)
{
	const struct principal principal = {.uris = &uri, .uri_count = 1};

	return roster_find(roster, &principal);
}

static const char *find_dns(const struct roster *roster, const char *name)
{
	const struct principal principal = {.dns = &name, .dns_count = 1};

	return roster_find(roster, &principal);
}

static bool is_matched(enum identity_kind kind, const char *pattern, const char *name)
{
	struct roster roster = {0};
	bool is_red;

	roster_add(&roster, "red", kind, pattern);
	roster_load_good(&roster);
	is_red =
	    strcmp(kind == IDENTITY_CERT_URI ? find_uri(&roster, name) : find_dns(&roster, name),
		   "red") == 0;
	roster_done(&roster);
	return is_red;
}

#define assert_uri(pattern, uri)     assert_true(is_matched(IDENTITY_CERT_URI, pattern, uri))
#define assert_no_uri(pattern, uri)  assert_false(is_matched(IDENTITY_CERT_URI, pattern, uri))
#define assert_dns(pattern, name)    assert_true(is_matched(IDENTITY_CERT_DNS, pattern, name))
#define assert_no_dns(pattern, name) assert_false(is_matched(IDENTITY_CERT_DNS, pattern, name))

static void a_star_of_a_uri_matches_within_one_segment(void **state)
{
	(void)state;
	assert_uri("spiffe://corp/red/*", "spiffe://corp/red/x");
	assert_uri("spiffe://corp/red/*", "spiffe://corp/red/");
	assert_no_uri("spiffe://corp/red/*", "spiffe://corp/red");
	assert_no_uri("spiffe://corp/red/*", "spiffe://corp/red/x/y");
	assert_no_uri("spiffe://corp/red/*", "spiffe://corp/red/x/");
	assert_no_uri("spiffe://corp/red/*", "spiffe://corp/reds/x");
	assert_uri("spiffe://corp/*/sa/*-x", "spiffe://corp/red/sa/a-x-x");
	assert_no_uri("spiffe://corp/*/sa/*-x", "spiffe://corp/red/sa/a-x-");
	assert_no_uri("spiffe://corp/*/sa/*-x", "spiffe://corp/red/blue/sa/a-x");
}

static void several_stars_of_a_segment_match_in_order(void **state)
{
	(void)state;
	assert_uri("a://b/*ab*ba*", "a://b/abba");
	assert_uri("a://b/*ab*ba*", "a://b/xababxbax");
	assert_no_uri("a://b/*ab*ba*", "a://b/aba");
	assert_uri("a://b/a**", "a://b/a");
	assert_uri("a://b/*aab", "a://b/aaaab");
	assert_no_uri("a://b/*aab", "a://b/aaaaba");
}

static void a_uri_without_star_matches_itself_only(void **state)
{
	(void)state;
	assert_uri("urn:x:red", "urn:x:red");
	assert_no_uri("urn:x:red", "urn:x:re");
	assert_no_uri("urn:x:red", "urn:x:redd");
	assert_no_uri("urn:x:red", "URN:x:red");
	assert_no_uri("urn:x:red", "");
}

static void a_star_in_a_certificate_is_no_pattern(void **state)
{
	(void)state;
	assert_no_uri("spiffe://corp/red", "spiffe://corp/*");
	assert_uri("spiffe://corp/*", "spiffe://corp/*");
	assert_no_dns("a.red", "*.red");
}

static void a_star_of_a_dns_name_matches_one_label(void **state)
{
	char long_name[400];

	(void)state;
	assert_dns("*.red.example", "a.red.example");
	assert_dns("*.red.example", "A.RED.Example");
	assert_no_dns("*.red.example", "red.example");
	assert_no_dns("*.red.example", ".red.example");
	assert_no_dns("*.red.example", "a.b.red.example");
	assert_dns("red", "red");
	assert_no_dns("red", "a.red");
	assert_no_dns("red", "");
	memset(long_name, 'a', sizeof(long_name));
	strcpy(long_name + 300, ".red.example");
	assert_no_dns("*.red.example", long_name);
}

static void the_nearest_of_many_patterns_is_found(void **state)
{
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "all", IDENTITY_CERT_URI, "x://h/*");
	roster_add(&roster, "a", IDENTITY_CERT_URI, "x://h/a/*");
	roster_add(&roster, "ab", IDENTITY_CERT_URI, "x://h/ab/*");
	roster_add(&roster, "abc", IDENTITY_CERT_URI, "x://h/a/b*/c");
	roster_add(&roster, "abd", IDENTITY_CERT_URI, "x://h/a/b/d");
	roster_add(&roster, "any", IDENTITY_CERT_URI, "x://h/*/*/*/any");
	roster_load_good(&roster);
	assert_string_equal(find_uri(&roster, "x://h/a"), "all");
	assert_string_equal(find_uri(&roster, "x://h/a/b"), "a");
	assert_string_equal(find_uri(&roster, "x://h/a/z"), "a");
	assert_string_equal(find_uri(&roster, "x://h/ab/b"), "ab");
	assert_string_equal(find_uri(&roster, "x://h/a/b/c"), "abc");
	assert_string_equal(find_uri(&roster, "x://h/a/bb/c"), "abc");
	assert_string_equal(find_uri(&roster, "x://h/a/b/d"), "abd");
	assert_string_equal(find_uri(&roster, "x://h/a/b/d/any"), "any");
	assert_string_equal(find_uri(&roster, "x://h/a/bb/d"), "nobody");
	assert_string_equal(find_uri(&roster, "x://g"), "nobody");
	assert_string_equal(find_uri(&roster, "y"), "nobody");
	roster_done(&roster);
}

/* --- patterns of two tenants ----------------------------------------------------------------- */

static bool do_meet_in_order(enum identity_kind kind, const char *a, const char *b)
{
	struct roster roster = {0};
	int r;

	roster_add(&roster, "red", kind, a);
	roster_add(&roster, "blue", kind, b);
	r = roster_load(&roster);
	assert_true(r == 0 || r == -EINVAL);
	assert_int_equal(roster.problems.count, r == 0 ? 0 : 1);
	if (r < 0) {
		assert_non_null(strstr(roster.problems.items[0].text, "identities: cert_"));
		assert_non_null(strstr(roster.problems.items[0].text, ", also tenant "));
		assert_non_null(
		    strstr(roster.problems.items[0].text,
			   roster.problems.items[0].line == 2 ? "red's at 1:9" : "blue's at 2:9"));
	}
	roster_done(&roster);
	return r < 0;
}

static bool do_meet(enum identity_kind kind, const char *a, const char *b)
{
	bool is_met = do_meet_in_order(kind, a, b);

	assert_int_equal(do_meet_in_order(kind, b, a), is_met);
	return is_met;
}

#define assert_meet(a, b)  assert_true(do_meet(IDENTITY_CERT_URI, a, b))
#define assert_apart(a, b) assert_false(do_meet(IDENTITY_CERT_URI, a, b))

static void patterns_that_a_uri_could_match_both_meet(void **state)
{
	(void)state;
	assert_meet("x://h/*", "x://h/*");
	assert_meet("x://h/*", "x://h/a");
	assert_meet("x://h/*", "x://h/");
	assert_meet("x://h/*", "x://h/a*");
	assert_meet("x://h/a*", "x://h/*b");
	assert_meet("x://h/a*", "x://h/ab*c*");
	assert_meet("x://h/a*m*z", "x://h/a*n*z");
	assert_meet("x://h/*/b", "x://h/a/*");
	assert_meet("x://h/ab*", "x://h/abc");
	assert_meet("urn:a", "urn:a");
}

static void patterns_that_no_uri_could_match_both_are_apart(void **state)
{
	(void)state;
	assert_apart("x://h/*", "x://h/a/b");
	assert_apart("x://h/*", "x://h/*/b");
	assert_apart("x://h/*", "x://h");
	assert_apart("x://h/a*", "x://h/b*");
	assert_apart("x://h/*a", "x://h/*b");
	assert_apart("x://h/*/a", "x://h/*/b");
	assert_apart("x://h/*/a*", "x://h/*/b*");
	assert_apart("x://h/*a/*", "x://h/*b/*");
	assert_apart("x://h/a*/c", "x://h/b*/c");
	assert_apart("x://h/ab*ba", "x://h/aba");
	assert_apart("x://h/*/*", "x://h/*/*/");
	assert_apart("x://h/*", "x://g/*");
	assert_apart("urn:a", "urn:b");
}

static void a_wildcard_meets_names_with_one_label_more(void **state)
{
	(void)state;
	assert_true(do_meet(IDENTITY_CERT_DNS, "*.b.c", "a.b.c"));
	assert_true(do_meet(IDENTITY_CERT_DNS, "*.b.c", "*.b.c"));
	assert_true(do_meet(IDENTITY_CERT_DNS, "b.c", "b.c"));
	assert_false(do_meet(IDENTITY_CERT_DNS, "*.b.c", "b.c"));
	assert_false(do_meet(IDENTITY_CERT_DNS, "*.b.c", "x.a.b.c"));
	assert_false(do_meet(IDENTITY_CERT_DNS, "*.b.c", "*.a.b.c"));
	assert_false(do_meet(IDENTITY_CERT_DNS, "*.c", "a.b.c"));
}

/* --- against all short names ----------------------------------------------------------------- */

/* Letters of patterns and names, few enough for all texts of a length to be tried. */
#define NAME_LETTERS "a/b"
#define TEXT_MAX     6

/* The @nth text of @letters, which are three: a number of base 4 whose digits are letters, 0 none. */
static bool make_text(unsigned nth, const char *letters, char *ret)
{
	size_t len = 0;

	for (; nth > 0; nth /= 4) {
		if (nth % 4 == 0)
			return false;
		ret[len++] = letters[nth % 4 - 1];
	}
	ret[len] = '\0';
	return true;
}

/* What a star means, said once more in the plainest way. */
static bool is_match(const char *glob, const char *text)
{
	if (*glob == '*')
		return is_match(glob + 1, text) ||
		       (*text && *text != '/' && is_match(glob, text + 1));
	return *glob == *text && (!*glob || is_match(glob + 1, text + 1));
}

/* Some name of up to 6 bytes is matched by both, if any is: patterns have up to 3 here. */
static bool has_common_name(const char *a, const char *b)
{
	char name[TEXT_MAX + 1];

	for (unsigned nth = 0; nth < 1u << (2 * TEXT_MAX); nth++) {
		if (make_text(nth, NAME_LETTERS, name) && is_match(a, name) && is_match(b, name))
			return true;
	}
	return false;
}

static void assert_meetings(const char *letters, unsigned at_least)
{
	char a[TEXT_MAX + 1];
	char b[TEXT_MAX + 1];
	unsigned met = 0;

	for (unsigned i = 1; i < 64; i++) {
		for (unsigned k = 1; k <= i; k++) {
			if (!make_text(i, letters, a) || !make_text(k, letters, b))
				continue;
			met += has_common_name(a, b);
			if (do_meet(IDENTITY_CERT_URI, a, b) != has_common_name(a, b))
				fail_msg("'%s' and '%s'", a, b);
		}
	}
	print_message("    %u pairs of '%s' meet\n", met, letters);
	assert_true(met > at_least);
}

static void short_patterns_meet_exactly_where_a_name_matches_both(void **state)
{
	(void)state;
	assert_meetings("a/*", 100);
	assert_meetings("ab*", 100);
}

static void assert_matches(const char *letters)
{
	char pattern[TEXT_MAX + 1];
	char name[TEXT_MAX + 1];

	for (unsigned i = 1; i < 1u << 8; i++) {
		struct roster roster = {0};

		if (!make_text(i, letters, pattern))
			continue;
		roster_add(&roster, "red", IDENTITY_CERT_URI, pattern);
		roster_load_good(&roster);
		for (unsigned k = 0; k < 1u << 10; k++) {
			if (!make_text(k, NAME_LETTERS, name))
				continue;
			if ((strcmp(find_uri(&roster, name), "red") == 0) !=
			    is_match(pattern, name))
				fail_msg("'%s' and '%s'", pattern, name);
		}
		roster_done(&roster);
	}
}

static void short_patterns_match_exactly_what_they_mean(void **state)
{
	(void)state;
	assert_matches("a/*");
	assert_matches("ab*");
}

/* --- many ------------------------------------------------------------------------------------ */

#define MANY 10000u

static void put_number(char *ret, size_t cap, const char *before, unsigned number,
		       const char *after)
{
	(void)snprintf(ret, cap, "%s%u%s", before, number, after);
}

/* Each tenant has a pattern with its number in it, and so has a name that is its own. */
static void assert_many(const char *before, const char *after, const char *name_before,
			const char *name_after)
{
	static struct identity_spec identities[MANY];
	static struct tenant_spec specs[MANY];
	static char names[MANY][16];
	static char patterns[MANY][64];
	struct roster roster = {0};
	char name[64];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "t%u", i);
		put_number(patterns[i], sizeof(patterns[i]), before, i, after);
		identities[i] = (struct identity_spec){
		    .kind = IDENTITY_CERT_URI, .text = patterns[i], .line = i, .column = 1};
		specs[i] = (struct tenant_spec){
		    .name = names[i], .identities = &identities[i], .identity_count = 1};
	}
	assert_int_equal(policy_new(specs, MANY, &roster.policy, &roster.problems), 0);
	for (unsigned i = 0; i < MANY; i += 97) {
		put_number(name, sizeof(name), name_before, i, name_after);
		assert_string_equal(find_uri(&roster, name), names[i]);
	}
	assert_string_equal(find_uri(&roster, "x://h/nobody"), "nobody");
	roster_done(&roster);
}

static void each_of_ten_thousand_patterns_is_found(void **state)
{
	(void)state;
	assert_many("x://h/t", "/*", "x://h/t", "/a");
	assert_many("x://h/*/t", "", "x://h/a/t", ""); /* all begin with the same */
	assert_many("x://h/t", "", "x://h/t", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_star_of_a_uri_matches_within_one_segment),
	    cmocka_unit_test(several_stars_of_a_segment_match_in_order),
	    cmocka_unit_test(a_uri_without_star_matches_itself_only),
	    cmocka_unit_test(a_star_in_a_certificate_is_no_pattern),
	    cmocka_unit_test(a_star_of_a_dns_name_matches_one_label),
	    cmocka_unit_test(the_nearest_of_many_patterns_is_found),
	    cmocka_unit_test(patterns_that_a_uri_could_match_both_meet),
	    cmocka_unit_test(patterns_that_no_uri_could_match_both_are_apart),
	    cmocka_unit_test(a_wildcard_meets_names_with_one_label_more),
	    cmocka_unit_test(short_patterns_meet_exactly_where_a_name_matches_both),
	    cmocka_unit_test(short_patterns_match_exactly_what_they_mean),
	    cmocka_unit_test(each_of_ten_thousand_patterns_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
