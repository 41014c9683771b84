/* SPDX-License-Identifier: MIT */
/* Each field of a term: a value that is the packet's, one that is not, and a packet without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/filter.h>

#include "bytes.h"

static const uint8_t source[4] = {10, 1, 2, 3};
static const uint8_t destination[4] = {192, 168, 0, 1};
static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static struct nfl_bytes text(const char *s)
{
	return (struct nfl_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static struct nfl_packet sample(void)
{
	return (struct nfl_packet){
	    .record =
		{
		    .present = NFL_HAS_MARK | NFL_HAS_PREFIX | NFL_HAS_UID | NFL_HAS_GID |
			       NFL_HAS_HW_ADDRESS | NFL_HAS_VLAN_TCI | NFL_HAS_INDEV,
		    .family = NFL_FAMILY_IPV4,
		    .hook_number = 2, /* FORWARD */
		    .hw_protocol = 0x0800,
		    .mark = 0x1234,
		    .prefix = text("fw-drop: "),
		    .uid = 0,
		    .gid = 100,
		    .hw_address = {mac, 6},
		    .vlan_tci = 0xe064, /* priority 7, id 100 */
		},
	    .decoded =
		{
		    .present = NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_PORTS |
			       NFL_HAS_TCP | NFL_HAS_ICMP,
		    .ip_version = 4,
		    .address_len = 4,
		    .source = source,
		    .destination = destination,
		    .protocol = 6,
		    .source_port = 1024,
		    .destination_port = 443,
		    .tcp_flags = NFL_TCP_SYN | NFL_TCP_ACK,
		    .icmp_type = 8,
		},
	    .indev_name = text("veth1"),
	    .outdev_name = text("eth0"),
	    .physindev_name = text("port1"),
	    .physoutdev_name = text("port2"),
	};
}

static bool passes(const struct nfl_filter_term *term, const struct nfl_packet *packet)
{
	struct nfl_filter *filter;
	struct nfl_error err = {""};
	bool included, excluded;

	if (nfl_filter_new(term, 1, NULL, 0, &filter, &err) < 0)
		fail_msg("%s", err.text);
	included = nfl_filter_match(filter, packet, "red", 7);
	nfl_filter_free(filter);
	assert_int_equal(nfl_filter_new(NULL, 0, term, 1, &filter, NULL), 0);
	excluded = !nfl_filter_match(filter, packet, "red", 7);
	nfl_filter_free(filter);
	assert_int_equal(included, excluded);
	return included;
}

/* Whether the sample passes a term with this list of values. */
#define MATCHES_OF(packet, type, member, ...)                                                      \
	({                                                                                         \
		const type items_[] = {__VA_ARGS__};                                               \
		struct nfl_filter_term term_ = {.size = sizeof(term_)};                            \
		term_.member.items = items_;                                                       \
		term_.member.count = ARRAY_SIZE(items_);                                           \
		passes(&term_, packet);                                                            \
	})

#define NUMBER(packet, member, ...) MATCHES_OF(packet, uint32_t, member, __VA_ARGS__)

static void numbers_match_any_of_their_values(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(NUMBER(&p, protocol, 17, 6, 1));
	assert_false(NUMBER(&p, protocol, 17, 1));
	assert_true(NUMBER(&p, ip_version, 4));
	assert_false(NUMBER(&p, ip_version, 6));
	assert_true(NUMBER(&p, icmp_type, 8));
	assert_false(NUMBER(&p, icmp_type, 0));
	assert_true(NUMBER(&p, hook, NFL_HOOK_INPUT, NFL_HOOK_FORWARD));
	assert_false(NUMBER(&p, hook, NFL_HOOK_INPUT));
	assert_true(NUMBER(&p, family, NFL_FAMILY_IPV4));
	assert_false(NUMBER(&p, family, NFL_FAMILY_IPV6));
	assert_true(NUMBER(&p, uid, 0));
	assert_false(NUMBER(&p, uid, 1));
	assert_true(NUMBER(&p, gid, 100));
	assert_false(NUMBER(&p, gid, 0));
	assert_true(NUMBER(&p, vlan_id, 100));
	assert_false(NUMBER(&p, vlan_id, 101));
	assert_true(NUMBER(&p, hw_protocol, 0x0800));
	assert_false(NUMBER(&p, hw_protocol, 0x86dd));
	assert_true(NUMBER(&p, group, 7));
	assert_false(NUMBER(&p, group, 8));
}

static void packet_without_the_field_does_not_match(void **state)
{
	struct nfl_packet p = {.record.hook_number = 77};

	(void)state;
	assert_false(NUMBER(&p, protocol, 0));
	assert_false(NUMBER(&p, icmp_type, 0));
	assert_false(NUMBER(&p, uid, 0));
	assert_false(NUMBER(&p, gid, 0));
	assert_false(NUMBER(&p, vlan_id, 0));
	assert_false(NUMBER(&p, hw_protocol, 0));
	assert_false(NUMBER(&p, ip_version, 4));
	assert_false(NUMBER(&p, hook, 1, 2, 3, 4, 5, 6, 7, 8));
	assert_false(MATCHES_OF(&p, struct nfl_range, any_port, {0, 65535}));
	assert_false(MATCHES_OF(&p, struct nfl_range, source_port, {0, 65535}));
	assert_false(MATCHES_OF(&p, struct nfl_range, destination_port, {0, 65535}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, any_address, {{0}, 4, 0}, {{0}, 16, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_masked, tcp_flags, {0, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_match, prefix, {NFL_MATCH_GLOB, text("*")}));
	assert_false(MATCHES_OF(&p, struct nfl_match, prefix, {NFL_MATCH_EXACT, text("")}));
	assert_false(MATCHES_OF(&p, struct nfl_match, any_interface, {NFL_MATCH_GLOB, text("*")}));
	assert_false(MATCHES_OF(&p, struct nfl_bytes, hw_address, {mac, 6}));
}

static void packet_without_a_mark_has_mark_0(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	p.record.present &= ~NFL_HAS_MARK;
	assert_true(MATCHES_OF(&p, struct nfl_masked, mark, {0, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_masked, mark, {0x1234, 0}));
}

static void masked_values_look_at_their_bits_only(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(MATCHES_OF(&p, struct nfl_masked, mark, {0x1234, 0}));
	assert_true(MATCHES_OF(&p, struct nfl_masked, mark, {1, 1}, {0x1200, 0xff00}));
	assert_false(MATCHES_OF(&p, struct nfl_masked, mark, {0x1200, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_masked, mark, {0x1234, 0xff}));
	assert_true(MATCHES_OF(&p, struct nfl_masked, tcp_flags, {NFL_TCP_SYN, NFL_TCP_SYN}));
	assert_false(MATCHES_OF(&p, struct nfl_masked, tcp_flags, {NFL_TCP_SYN, 0}));
	assert_false(
	    MATCHES_OF(&p, struct nfl_masked, tcp_flags, {NFL_TCP_SYN, NFL_TCP_SYN | NFL_TCP_ACK}));
}

static void port_ranges_include_both_ends(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(MATCHES_OF(&p, struct nfl_range, source_port, {1024, 65535}));
	assert_true(MATCHES_OF(&p, struct nfl_range, source_port, {0, 1024}));
	assert_false(MATCHES_OF(&p, struct nfl_range, source_port, {0, 1023}, {1025, 65535}));
	assert_true(MATCHES_OF(&p, struct nfl_range, source_port, {5, 2000}, {10, 20}, {1, 6}));
	assert_false(MATCHES_OF(&p, struct nfl_range, source_port, {443, 443}));
	assert_true(MATCHES_OF(&p, struct nfl_range, destination_port, {443, 443}));
	assert_true(MATCHES_OF(&p, struct nfl_range, any_port, {443, 443}));
	assert_true(MATCHES_OF(&p, struct nfl_range, any_port, {1024, 1024}));
	assert_false(MATCHES_OF(&p, struct nfl_range, any_port, {80, 80}));
}

static void networks_match_what_begins_as_they_do(void **state)
{
	static const uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	struct nfl_packet p = sample();

	(void)state;
	assert_true(MATCHES_OF(&p, struct nfl_cidr, source_address, {{10}, 4, 8}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, source_address, {{10, 1, 2, 3}, 4, 32}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, source_address, {{10, 1, 2, 2}, 4, 32}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, source_address, {{0}, 4, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, source_address, {{0}, 16, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, destination_address, {{10}, 4, 8}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, destination_address, {{192, 168}, 4, 16}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, any_address, {{10}, 4, 8}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, any_address, {{192, 168}, 4, 16}));
	p.decoded.source = p.decoded.destination = six;
	p.decoded.address_len = 16;
	assert_true(MATCHES_OF(&p, struct nfl_cidr, source_address, {{0x20, 1, 0x0d, 0xb8}, 16, 32},
			       {{0x20, 1, 0x0d, 0xb8, 1}, 16, 40}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, source_address,
				{{0x20, 1, 0x0d, 0xb9}, 16, 32},
				{{0x20, 1, 0x0d, 0xb8, 1}, 16, 40}));
	assert_true(MATCHES_OF(&p, struct nfl_cidr, any_address, {{0}, 16, 0}));
	assert_false(MATCHES_OF(&p, struct nfl_cidr, any_address, {{0}, 4, 0}));
}

#define TEXT(packet, member, kind, value)                                                          \
	MATCHES_OF(packet, struct nfl_match, member, {kind, text(value)})

static void texts_match_whole_by_their_beginning_or_by_a_glob(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(TEXT(&p, prefix, NFL_MATCH_EXACT, "fw-drop: "));
	assert_false(TEXT(&p, prefix, NFL_MATCH_EXACT, "fw-drop"));
	assert_false(TEXT(&p, prefix, NFL_MATCH_EXACT, "FW-DROP: "));
	assert_true(TEXT(&p, prefix, NFL_MATCH_STARTS_WITH, "fw-"));
	assert_true(TEXT(&p, prefix, NFL_MATCH_STARTS_WITH, ""));
	assert_false(TEXT(&p, prefix, NFL_MATCH_STARTS_WITH, "fw-drop: x"));
	assert_true(TEXT(&p, prefix, NFL_MATCH_GLOB, "*drop*"));
	assert_true(TEXT(&p, prefix, NFL_MATCH_GLOB, "fw-*"));
	assert_true(TEXT(&p, prefix, NFL_MATCH_GLOB, "fw-drop: "));
	assert_false(TEXT(&p, prefix, NFL_MATCH_GLOB, "*accept*"));
	assert_true(MATCHES_OF(&p, struct nfl_match, prefix, {NFL_MATCH_STARTS_WITH, text("a")},
			       {NFL_MATCH_STARTS_WITH, text("f")},
			       {NFL_MATCH_STARTS_WITH, text("fw-a")},
			       {NFL_MATCH_STARTS_WITH, text("fz")}));
	assert_true(TEXT(&p, netns, NFL_MATCH_EXACT, "red"));
	assert_false(TEXT(&p, netns, NFL_MATCH_EXACT, "re"));
}

static void interfaces_are_physical_or_not(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(TEXT(&p, input_interface, NFL_MATCH_EXACT, "veth1"));
	assert_true(TEXT(&p, input_interface, NFL_MATCH_EXACT, "port1"));
	assert_false(TEXT(&p, input_interface, NFL_MATCH_EXACT, "eth0"));
	assert_true(TEXT(&p, output_interface, NFL_MATCH_EXACT, "eth0"));
	assert_true(TEXT(&p, output_interface, NFL_MATCH_EXACT, "port2"));
	assert_false(TEXT(&p, output_interface, NFL_MATCH_EXACT, "port1"));
	assert_true(TEXT(&p, any_interface, NFL_MATCH_EXACT, "veth1"));
	assert_true(TEXT(&p, any_interface, NFL_MATCH_EXACT, "eth0"));
	assert_true(TEXT(&p, any_interface, NFL_MATCH_EXACT, "port1"));
	assert_true(TEXT(&p, any_interface, NFL_MATCH_EXACT, "port2"));
	assert_false(TEXT(&p, any_interface, NFL_MATCH_EXACT, "eth1"));
}

static void link_layer_address_matches_whole(void **state)
{
	struct nfl_packet p = sample();

	(void)state;
	assert_true(MATCHES_OF(&p, struct nfl_bytes, hw_address, {mac, 6}));
	assert_false(MATCHES_OF(&p, struct nfl_bytes, hw_address, {mac, 5}));
}

static void source_that_is_not_known_is_no_namespace(void **state)
{
	static const struct nfl_match red = {NFL_MATCH_EXACT, {(const uint8_t *)"red", 3}};
	struct nfl_filter_term term = {.size = sizeof(term), .netns = {&red, 1}};
	struct nfl_packet p = sample();
	struct nfl_filter *filter;

	(void)state;
	assert_int_equal(nfl_filter_new(&term, 1, NULL, 0, &filter, NULL), 0);
	assert_false(nfl_filter_match(filter, &p, NULL, 0));
	assert_true(nfl_filter_match(filter, &p, "red", 0));
	nfl_filter_free(filter);
}

static void fields_are_anded_terms_are_ored_and_exclude_wins(void **state)
{
	static const uint32_t tcp = 6, udp = 17;
	static const struct nfl_range https = {443, 443}, dns = {53, 53};
	const struct nfl_filter_term terms[] = {
	    {.size = sizeof(terms[0]), .protocol = {&tcp, 1}, .destination_port = {&dns, 1}},
	    {.size = sizeof(terms[0]), .protocol = {&tcp, 1}, .destination_port = {&https, 1}},
	    {.size = sizeof(terms[0]), .protocol = {&udp, 1}},
	    {.size = sizeof(terms[0])},
	};
	static const struct {
		size_t include, include_count, exclude, exclude_count;
		bool passes;
	} cases[] = {
	    {0, 0, 0, 0, true},  /* nothing is asked for */
	    {0, 1, 0, 0, false}, /* one field of two */
	    {0, 2, 0, 0, true},  /* the second term */
	    {2, 1, 0, 0, false}, /* none */
	    {0, 0, 0, 1, true},  /* excluded is another */
	    {0, 0, 1, 1, false}, /* excluded */
	    {1, 1, 1, 1, false}, /* both */
	    {3, 1, 0, 0, true},  /* an empty term is everything */
	    {1, 1, 3, 1, false},
	};
	struct nfl_packet p = sample();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nfl_filter *filter;

		assert_int_equal(nfl_filter_new(terms + cases[i].include, cases[i].include_count,
						terms + cases[i].exclude, cases[i].exclude_count,
						&filter, NULL),
				 0);
		assert_int_equal(nfl_filter_match(filter, &p, "red", 7), cases[i].passes);
		nfl_filter_free(filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_match_any_of_their_values),
	    cmocka_unit_test(packet_without_the_field_does_not_match),
	    cmocka_unit_test(packet_without_a_mark_has_mark_0),
	    cmocka_unit_test(masked_values_look_at_their_bits_only),
	    cmocka_unit_test(port_ranges_include_both_ends),
	    cmocka_unit_test(networks_match_what_begins_as_they_do),
	    cmocka_unit_test(texts_match_whole_by_their_beginning_or_by_a_glob),
	    cmocka_unit_test(interfaces_are_physical_or_not),
	    cmocka_unit_test(link_layer_address_matches_whole),
	    cmocka_unit_test(source_that_is_not_known_is_no_namespace),
	    cmocka_unit_test(fields_are_anded_terms_are_ored_and_exclude_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
