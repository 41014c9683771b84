/* SPDX-License-Identifier: MIT */
/* A tenant's packet filter: what its texts become in the terms of <nfl/filter.h>. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/filter.h>

#include "bytes.h"
#include "config.h"

static int load_good(void **state)
{
	struct config_errors errors;
	static struct config *config;
	int r = config_load_file(TEST_DATA "/config/good/filter.yaml", &config, &errors);

	config_errors_done(&errors);
	*state = config;
	return r;
}

static int free_it(void **state)
{
	config_free(*state);
	return 0;
}

/* The filter of the first tenant. */
static const struct config_filter *filter_of(void **state)
{
	const struct config *config = *state;

	return &config->tenants[0].filter;
}

static void assert_bytes(struct nfl_bytes bytes, const void *data, size_t len)
{
	assert_int_equal(bytes.len, len);
	assert_memory_equal(bytes.data, data, len);
}

static void assert_match(const struct nfl_match *match, enum nfl_match_kind kind, const char *text)
{
	assert_int_equal(match->kind, kind);
	assert_bytes(match->text, text, strlen(text));
}

static void assert_numbers(const uint32_t *items, size_t count, const uint32_t *expected,
			   size_t expected_count)
{
	assert_int_equal(count, expected_count);
	assert_memory_equal(items, expected, count * sizeof(*items));
}

#define ASSERT_NUMBERS(list, ...)                                                                  \
	assert_numbers((list).items, (list).count, (const uint32_t[]){__VA_ARGS__},                \
		       ARRAY_SIZE(((const uint32_t[]){__VA_ARGS__})))

static void assert_cidr(const struct nfl_cidr *cidr, const char *address, size_t len,
			unsigned length)
{
	assert_int_equal(cidr->address_len, len);
	assert_memory_equal(cidr->address, address, len);
	assert_int_equal(cidr->length, length);
}

static void addresses_are_networks_of_their_length(void **state)
{
	const struct nfl_filter_term *term = &filter_of(state)->include[0];

	assert_int_equal(term->size, sizeof(*term));
	assert_int_equal(term->any_address.count, 1);
	assert_cidr(term->any_address.items, "\x0a\0\0\0", 4, 8);
	assert_int_equal(term->source_address.count, 4);
	assert_cidr(&term->source_address.items[0], "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16,
		    32);
	assert_cidr(&term->source_address.items[1], "\xc0\0\x02\x01", 4, 32);
	assert_cidr(&term->source_address.items[2], "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16, 128);
	assert_cidr(&term->source_address.items[3], "\0\0\0\0", 4, 0);
	assert_cidr(term->destination_address.items, "\x0a\x80\0\0", 4, 9);
}

static void ports_are_ranges(void **state)
{
	const struct nfl_filter_term *term = &filter_of(state)->include[0];

	assert_int_equal(term->any_port.count, 1);
	assert_int_equal(term->any_port.items[0].first, 80);
	assert_int_equal(term->any_port.items[0].last, 80);
	assert_int_equal(term->source_port.items[0].first, 1000);
	assert_int_equal(term->source_port.items[0].last, 2000);
	assert_int_equal(term->destination_port.count, 3);
	assert_int_equal(term->destination_port.items[1].last, 8080);
	assert_int_equal(term->destination_port.items[2].first, 65535);
}

static void names_are_numbers(void **state)
{
	const struct nfl_filter_term *first = &filter_of(state)->include[0];
	const struct nfl_filter_term *second = &filter_of(state)->include[1];
	const struct nfl_filter_term *out = &filter_of(state)->exclude[0];

	ASSERT_NUMBERS(first->protocol, 6, 17, 1, 58, 132, 136, 50, 51, 47, 2, 33, 89, 112, 255);
	ASSERT_NUMBERS(first->ip_version, 4, 6);
	ASSERT_NUMBERS(second->hook, NFL_HOOK_PREROUTING, NFL_HOOK_INPUT, NFL_HOOK_FORWARD,
		       NFL_HOOK_OUTPUT, NFL_HOOK_POSTROUTING, NFL_HOOK_INGRESS, NFL_HOOK_EGRESS);
	ASSERT_NUMBERS(second->uid, 0);
	ASSERT_NUMBERS(second->gid, 0, UINT32_MAX - 1);
	ASSERT_NUMBERS(out->vlan_id, 0, 4095);
	ASSERT_NUMBERS(out->hw_protocol, 0x0800, 0x0800, 0x86dd, 0x0806, 0x88cc);
	ASSERT_NUMBERS(out->family, NFL_FAMILY_IPV4, NFL_FAMILY_IPV6, NFL_FAMILY_ARP,
		       NFL_FAMILY_NETDEV, NFL_FAMILY_BRIDGE, NFL_FAMILY_INET);
	ASSERT_NUMBERS(out->group, 0, 65535);
	ASSERT_NUMBERS(out->icmp_type, 8, 255);
}

static void without_a_mask_all_bits_count(void **state)
{
	static const struct nfl_masked flags[] = {{0x02, 0},    {0x02, 0x12}, {0x10, 0},
						  {0x02, 0x12}, {0x29, 0},    {0x1c0, 0x1ff}};
	static const struct nfl_masked marks[] = {
	    {0x100, 0}, {0x100, 0xff00}, {7, 0}, {UINT32_MAX, 0}};
	const struct nfl_filter_term *term = &filter_of(state)->include[0];

	assert_int_equal(term->tcp_flags.count, ARRAY_SIZE(flags));
	assert_memory_equal(term->tcp_flags.items, flags, sizeof(flags));
	assert_int_equal(term->mark.count, ARRAY_SIZE(marks));
	assert_memory_equal(term->mark.items, marks, sizeof(marks));
}

static void text_with_a_wildcard_is_a_glob_and_a_map_says_otherwise(void **state)
{
	const struct nfl_filter_term *term = &filter_of(state)->include[1];

	assert_int_equal(term->prefix.count, 5);
	assert_match(&term->prefix.items[0], NFL_MATCH_EXACT, "fw-drop: ");
	assert_match(&term->prefix.items[1], NFL_MATCH_GLOB, "fw-*");
	assert_match(&term->prefix.items[2], NFL_MATCH_GLOB, "a?c");
	assert_match(&term->prefix.items[3], NFL_MATCH_STARTS_WITH, "fw-");
	assert_match(&term->prefix.items[4], NFL_MATCH_EXACT, "what?");
	assert_match(term->any_interface.items, NFL_MATCH_EXACT, "eth0");
	assert_match(term->input_interface.items, NFL_MATCH_STARTS_WITH, "veth");
	assert_match(term->output_interface.items, NFL_MATCH_GLOB, "eth*");
}

static void addresses_of_the_link_layer_are_bytes_and_namespaces_exact(void **state)
{
	const struct nfl_filter_term *term = &filter_of(state)->exclude[0];

	assert_int_equal(term->hw_address.count, 2);
	assert_bytes(term->hw_address.items[0], "\xaa\xbb\xcc\xdd\xee\xff", 6);
	assert_bytes(term->hw_address.items[1], "\x0a\x1b\x2c\x3d\x4e\x5f", 6);
	assert_int_equal(term->netns.count, 2);
	assert_match(&term->netns.items[0], NFL_MATCH_EXACT, "red");
	assert_match(&term->netns.items[1], NFL_MATCH_EXACT, "/var/run/docker/netns/x");
}

static void what_is_not_given_stays_empty(void **state)
{
	const struct config *config = *state;
	const struct config_filter *filter = &config->tenants[1].filter;

	assert_int_equal(filter_of(state)->include_count, 2);
	assert_int_equal(filter_of(state)->exclude_count, 1);
	assert_int_equal(filter_of(state)->mark.line, 7);
	assert_null(filter->include);
	assert_int_equal(filter->include_count, 0);
	assert_int_equal(filter->exclude_count, 1);
	ASSERT_NUMBERS(filter->exclude[0].protocol, 17);
	assert_int_equal(filter->exclude[0].ip_version.count, 0);
}

/* Loads a filter of @terms entries, each of @values ports; what is wrong with it, or "". */
static const char *load_many(size_t terms, size_t values)
{
	static char error[256];
	struct config_errors errors;
	struct config *config = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)fputs("tenants: [{name: t, identities: [{unix_uid: 0}], sources: [{netns: n, "
		    "groups: [1]}], filter: {exclude: [",
		    out);
	for (size_t t = 0; t < terms; t++) {
		(void)fputs(t ? ",\n{any_port: [" : "{any_port: [", out);
		for (size_t v = 0; v < values; v++)
			(void)fputs(v ? ",1" : "1", out);
		(void)fputs("]}", out);
	}
	(void)fputs("]}}]\n", out);
	(void)fclose(out);
	error[0] = '\0';
	if (config_load_text("many", text, len, &config, &errors) < 0)
		(void)config_error_render(&errors.items[0], error, sizeof(error));
	config_errors_done(&errors);
	config_free(config);
	free(text);
	return error;
}

static void a_filter_has_a_largest_size(void **state)
{
	(void)state;
	assert_string_equal(load_many(NFL_FILTER_TERMS_MAX, 64), "");
	assert_non_null(strstr(load_many(NFL_FILTER_TERMS_MAX + 1, 1),
			       "filter: 257 entries are more than 256"));
	assert_non_null(strstr(load_many(1, NFL_FILTER_VALUES_MAX + 1),
			       "filter: 16385 values are more than 16384"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, load_good, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(addresses_are_networks_of_their_length),
	    CASE(ports_are_ranges),
	    CASE(names_are_numbers),
	    CASE(without_a_mask_all_bits_count),
	    CASE(text_with_a_wildcard_is_a_glob_and_a_map_says_otherwise),
	    CASE(addresses_of_the_link_layer_are_bytes_and_namespaces_exact),
	    CASE(what_is_not_given_stays_empty),
	    cmocka_unit_test(a_filter_has_a_largest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
