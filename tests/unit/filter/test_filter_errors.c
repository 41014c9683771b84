/* SPDX-License-Identifier: MIT */
/* What is wrong with a filter is said with the name that the field has in the request. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/filter.h>

#include "bytes.h"
#include "failing.h"

static struct nfl_filter_term fresh(void)
{
	return (struct nfl_filter_term){.size = sizeof(struct nfl_filter_term)};
}

static void refused(const struct nfl_filter_term *term, int code, const char *text)
{
	struct nfl_filter_term terms[2] = {fresh(), *term};
	struct nfl_filter *filter = NULL;
	struct nfl_error err = {""};

	assert_int_equal(nfl_filter_new(NULL, 0, terms, 2, &filter, &err), code);
	assert_null(filter);
	assert_string_equal(err.text, text);
	assert_int_equal(nfl_filter_new(NULL, 0, terms, 2, &filter, NULL), code);
}

#define REFUSED(type, member, value, text)                                                         \
	do {                                                                                       \
		const type item_ = value;                                                          \
		struct nfl_filter_term term_ = fresh();                                            \
		term_.member.items = &item_;                                                       \
		term_.member.count = 1;                                                            \
		refused(&term_, -EINVAL, text);                                                    \
	} while (0)

#define LITERAL(...)                                                                               \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void numbers_out_of_bounds_are_refused(void **state)
{
	(void)state;
	REFUSED(uint32_t, protocol, 256, "exclude[1].protocol[0]: expected 0..255");
	REFUSED(uint32_t, icmp_type, 256, "exclude[1].icmp_type[0]: expected 0..255");
	REFUSED(uint32_t, ip_version, 0, "exclude[1].ip_version[0]: expected 4 or 6");
	REFUSED(uint32_t, ip_version, 5, "exclude[1].ip_version[0]: expected 4 or 6");
	REFUSED(uint32_t, hook, 0, "exclude[1].hook[0]: expected a hook with a name, 1..8");
	REFUSED(uint32_t, hook, 9, "exclude[1].hook[0]: expected a hook with a name, 1..8");
	REFUSED(uint32_t, vlan_id, 4096, "exclude[1].vlan_id[0]: expected 0..4095");
	REFUSED(uint32_t, hw_protocol, 65536, "exclude[1].hw_protocol[0]: expected 0..65535");
	REFUSED(uint32_t, group, 65536, "exclude[1].group[0]: expected 0..65535");
	REFUSED(uint32_t, family, 0, "exclude[1].family[0]: expected 1..255");
	REFUSED(uint32_t, family, 256, "exclude[1].family[0]: expected 1..255");
}

static void ports_out_of_bounds_or_backwards_are_refused(void **state)
{
	(void)state;
	REFUSED(struct nfl_range, any_port, LITERAL(65536, 65536),
		"exclude[1].any_port[0].first: expected 0..65535");
	REFUSED(struct nfl_range, source_port, LITERAL(0, 65536),
		"exclude[1].source_port[0].last: expected 0..65535");
	REFUSED(struct nfl_range, destination_port, LITERAL(2, 1),
		"exclude[1].destination_port[0].last: expected no less than first");
}

static void networks_that_are_none_are_refused(void **state)
{
	(void)state;
	REFUSED(struct nfl_cidr, any_address, LITERAL({0}, 5, 0),
		"exclude[1].any_address[0].address: expected 4 or 16 bytes");
	REFUSED(struct nfl_cidr, source_address, LITERAL({10}, 4, 33),
		"exclude[1].source_address[0].length: expected 0..32");
	REFUSED(struct nfl_cidr, source_address, LITERAL({10}, 16, 129),
		"exclude[1].source_address[0].length: expected 0..128");
	REFUSED(struct nfl_cidr, destination_address, LITERAL({10, 1}, 4, 15),
		"exclude[1].destination_address[0].address: expected no bits after length");
	REFUSED(struct nfl_cidr, destination_address, LITERAL({[15] = 1}, 16, 127),
		"exclude[1].destination_address[0].address: expected no bits after length");
}

static void matches_without_a_kind_or_too_long_are_refused(void **state)
{
	static const uint8_t text[256] = {0};

	(void)state;
	REFUSED(struct nfl_match, prefix, {0},
		"exclude[1].prefix[0]: expected one of exact, starts_with, glob");
	REFUSED(struct nfl_match, any_interface, LITERAL(.kind = (enum nfl_match_kind)4),
		"exclude[1].any_interface[0]: expected one of exact, starts_with, glob");
	REFUSED(struct nfl_match, input_interface, LITERAL(NFL_MATCH_GLOB, {text, 256}),
		"exclude[1].input_interface[0]: expected at most 255 bytes");
	REFUSED(struct nfl_match, netns, LITERAL(NFL_MATCH_GLOB, {text, 1}),
		"exclude[1].netns[0]: expected an exact name");
	REFUSED(struct nfl_bytes, hw_address, LITERAL(text, 256),
		"exclude[1].hw_address[0]: expected at most 255 bytes");
}

static void the_second_of_two_values_is_named_by_its_place(void **state)
{
	static const uint32_t protocols[] = {6, 300};
	struct nfl_filter_term term = fresh();

	(void)state;
	term.protocol.items = protocols;
	term.protocol.count = ARRAY_SIZE(protocols);
	refused(&term, -EINVAL, "exclude[1].protocol[1]: expected 0..255");
}

static void term_of_another_size_is_refused(void **state)
{
	struct nfl_filter_term term = {.size = 8};
	struct nfl_filter *filter = NULL;
	struct nfl_error err;

	(void)state;
	assert_int_equal(nfl_filter_new(&term, 1, NULL, 0, &filter, &err), -EINVAL);
	assert_memory_equal(err.text, "include[0].size is 8", 20);
}

static void more_than_the_limits_is_too_big(void **state)
{
	static uint32_t uids[NFL_FILTER_VALUES_MAX + 1];
	static struct nfl_masked marks[NFL_FILTER_MASKED_MAX + 1];
	static struct nfl_match globs[NFL_FILTER_GLOBS_MAX + 1];
	static struct nfl_filter_term terms[NFL_FILTER_TERMS_MAX + 1];
	struct nfl_filter_term term = fresh();
	struct nfl_filter *filter = NULL;

	(void)state;
	term.uid.items = uids;
	term.uid.count = ARRAY_SIZE(uids);
	refused(&term, -E2BIG, "exclude[1].uid: expected at most 16384 values in all filters");
	term = fresh();
	term.mark.items = marks;
	term.mark.count = ARRAY_SIZE(marks);
	refused(&term, -E2BIG,
		"exclude[1].mark: expected at most 256 masked values in all filters");
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		globs[i] = (struct nfl_match){NFL_MATCH_GLOB, {(const uint8_t *)"*a", 2}};
	term = fresh();
	term.prefix.items = globs;
	term.prefix.count = ARRAY_SIZE(globs);
	refused(&term, -E2BIG,
		"exclude[1].prefix: expected at most 64 globs (of 64 characters) in all filters");
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++)
		terms[i] = fresh();
	assert_int_equal(nfl_filter_new(terms, 1, terms, NFL_FILTER_TERMS_MAX, &filter, NULL),
			 -E2BIG);
	assert_int_equal(nfl_filter_new(terms, 1, terms, NFL_FILTER_TERMS_MAX - 1, &filter, NULL),
			 0);
	nfl_filter_free(filter);
}

static void globs_that_are_only_beginnings_are_not_counted(void **state)
{
	static struct nfl_match globs[1000];
	struct nfl_filter_term term = fresh();
	struct nfl_filter *filter = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		globs[i] = (struct nfl_match){NFL_MATCH_GLOB, {(const uint8_t *)"cni-*", 5}};
	term.prefix.items = globs;
	term.prefix.count = ARRAY_SIZE(globs);
	assert_int_equal(nfl_filter_new(&term, 1, NULL, 0, &filter, NULL), 0);
	nfl_filter_free(filter);
	nfl_filter_free(NULL);
}

static int compile_twice(const void *data)
{
	const struct nfl_filter_term *term = data;
	struct nfl_filter *filter = NULL;
	int r;

	failing_on();
	r = nfl_filter_new(term, 1, term, 1, &filter, NULL);
	failing_off();
	assert_true(r == 0 ? filter != NULL : filter == NULL);
	nfl_filter_free(filter);
	return r;
}

static void every_failed_allocation_is_told_and_leaves_nothing(void **state)
{
	static const uint32_t tcp = 6;
	static const struct nfl_range port = {1, 2};
	static const struct nfl_masked mark = {1, 1};
	static const struct nfl_cidr cidrs[] = {{{10}, 4, 8}, {{0x20}, 16, 8}};
	static const struct nfl_bytes mac = {(const uint8_t *)"abcdef", 6};
	static const struct nfl_match matches[] = {{NFL_MATCH_EXACT, {(const uint8_t *)"a", 1}},
						   {NFL_MATCH_GLOB, {(const uint8_t *)"*a", 2}},
						   {NFL_MATCH_GLOB, {(const uint8_t *)"b*", 2}}};
	const struct nfl_filter_term term = {
	    .size = sizeof(term),
	    .protocol = {&tcp, 1},
	    .any_port = {&port, 1},
	    .mark = {&mark, 1},
	    .any_address = {cidrs, 2},
	    .hw_address = {&mac, 1},
	    .prefix = {matches, 3},
	};

	(void)state;
	assert_true(failing_each(compile_twice, &term, 0) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_out_of_bounds_are_refused),
	    cmocka_unit_test(ports_out_of_bounds_or_backwards_are_refused),
	    cmocka_unit_test(networks_that_are_none_are_refused),
	    cmocka_unit_test(matches_without_a_kind_or_too_long_are_refused),
	    cmocka_unit_test(the_second_of_two_values_is_named_by_its_place),
	    cmocka_unit_test(term_of_another_size_is_refused),
	    cmocka_unit_test(more_than_the_limits_is_too_big),
	    cmocka_unit_test(globs_that_are_only_beginnings_are_not_counted),
	    cmocka_unit_test(every_failed_allocation_is_told_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
