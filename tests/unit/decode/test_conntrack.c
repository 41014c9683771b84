/* SPDX-License-Identifier: MIT */
/* conntrack.c: connections of a real kernel decode to their index entry; broken ones to less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cmocka.h>
#include <nfl/decode.h>

#include "fixtures.h"

/* --- fixtures ----------------------------------------------------------------------------- */

static void assert_address(const struct fixture_message *m, json_t *tuple, const char *key,
			   const uint8_t *address, uint8_t len)
{
	const char *expected = json_string_value(json_object_get(tuple, key));
	char text[INET6_ADDRSTRLEN];

	assert_true(len == 4 || len == 16);
	assert_non_null(inet_ntop(len == 4 ? AF_INET : AF_INET6, address, text, sizeof(text)));
	if (!expected || strcmp(text, expected) != 0)
		fail_msg("%s: %s is %s, not %s", m->file, key, text, expected);
}

/* The kernel leaves ports out where the protocol has none. */
static void assert_port(json_t *tuple, const char *key, uint16_t port)
{
	assert_int_equal(port, json_integer_value(json_object_get(tuple, key)));
}

static void assert_tuple(const struct fixture_message *m, json_t *expected,
			 const struct nfl_tuple *tuple)
{
	assert_address(m, expected, "src", tuple->source, tuple->address_len);
	assert_address(m, expected, "dst", tuple->destination, tuple->address_len);
	assert_int_equal(tuple->protocol, fixture_int(expected, "proto"));
	assert_port(expected, "sport", tuple->source_port);
	assert_port(expected, "dport", tuple->destination_port);
}

static json_t *expected_zone(json_t *ct)
{
	json_t *zone = json_object_get(ct, "zone");

	if (!zone)
		zone = json_object_get(json_object_get(ct, "orig"), "zone");
	if (!zone)
		zone = json_object_get(json_object_get(ct, "reply"), "zone");
	return zone;
}

static unsigned connections, zones;

static void assert_connection_is_expected(const struct fixture_message *m)
{
	const uint32_t always = NFL_HAS_CT_ID | NFL_HAS_CT_STATUS | NFL_HAS_CT_MARK |
				NFL_HAS_CT_ORIGINAL | NFL_HAS_CT_REPLY;
	json_t *expected = json_object_get(m->expect, "ct");
	struct nfl_conntrack ct;
	struct nfl_record record;

	assert_int_equal(nfl_decode_message(m->bytes, m->len, &record), 0);
	memset(&ct, 0xa5, sizeof(ct));
	nfl_decode_conntrack(&record, &ct);
	if (!expected) {
		assert_int_equal(ct.present, 0);
		return;
	}
	connections++;
	assert_int_equal(ct.present & ~NFL_HAS_CT_ZONE, always);
	assert_int_equal(ct.id, fixture_int(expected, "id"));
	assert_int_equal(ct.status, fixture_int(expected, "status"));
	assert_int_equal(ct.mark, fixture_int(expected, "mark"));
	assert_tuple(m, json_object_get(expected, "orig"), &ct.original);
	assert_tuple(m, json_object_get(expected, "reply"), &ct.reply);
	assert_int_equal(!!(ct.present & NFL_HAS_CT_ZONE), !!expected_zone(expected));
	if (expected_zone(expected)) {
		zones++;
		assert_int_equal(ct.zone, json_integer_value(expected_zone(expected)));
	}
}

static void every_connection_decodes_to_its_index_entry(void **state)
{
	size_t files;

	(void)state;
	fixture_for_each_message(assert_connection_is_expected, &files);
	assert_int_equal(connections, 37);
	assert_int_equal(zones, 1);
}

/* --- attributes made by hand ----------------------------------------------------------- */

struct nest {
	size_t len;
	uint8_t bytes[512];
};

static void put(struct nest *nest, uint16_t type, const void *data, size_t len)
{
	uint16_t header[2] = {(uint16_t)(4 + len), type};

	assert_true(nest->len + 4 + len + 3 <= sizeof(nest->bytes));
	memcpy(nest->bytes + nest->len, header, sizeof(header));
	if (len)
		memcpy(nest->bytes + nest->len + 4, data, len);
	nest->len += 4 + ((len + 3) & ~(size_t)3);
}

static void put_nest(struct nest *nest, uint16_t type, const struct nest *inner)
{
	put(nest, type | 0x8000, inner->bytes, inner->len);
}

/* An ICMP tuple: CTA_PROTO_ICMP_* in place of ports. */
static struct nest icmp_tuple(void)
{
	struct nest ip = {.len = 0}, proto = {.len = 0}, tuple = {.len = 0};

	put(&ip, CTA_IP_V4_SRC, "\x0a\x00\x00\x01", 4);
	put(&ip, CTA_IP_V4_DST, "\x0a\x00\x00\x02", 4);
	put(&proto, CTA_PROTO_NUM, "\x01", 1);
	put(&proto, CTA_PROTO_ICMP_ID, "\x12\x34", 2);
	put(&proto, CTA_PROTO_ICMP_TYPE, "\x08", 1);
	put(&proto, CTA_PROTO_ICMP_CODE, "\x00", 1);
	put_nest(&tuple, CTA_TUPLE_IP, &ip);
	put_nest(&tuple, CTA_TUPLE_PROTO, &proto);
	return tuple;
}

static volatile unsigned bytes_touched; /* keeps the reads below from being optimised away */

/* Decodes from a heap block of exactly the right length, and checks what must hold of any result. */
static struct nfl_conntrack decode(const uint8_t *bytes, size_t len)
{
	struct nfl_record record = {.present = NFL_HAS_CT};
	uint8_t *copy = malloc(len ? len : 1);
	struct nfl_conntrack ct;
	const struct nfl_tuple *tuples[] = {&ct.original, &ct.reply};
	const uint32_t bits[] = {NFL_HAS_CT_ORIGINAL, NFL_HAS_CT_REPLY};

	memcpy(copy, bytes, len);
	record.ct = (struct nfl_bytes){copy, (uint32_t)len};
	nfl_decode_conntrack(&record, &ct);
	for (size_t i = 0; i < 2; i++) {
		if (!(ct.present & bits[i]))
			continue;
		assert_true(tuples[i]->address_len == 4 || tuples[i]->address_len == 16);
		for (unsigned at = 0; at < tuples[i]->address_len; at++)
			bytes_touched += tuples[i]->source[at] + tuples[i]->destination[at];
	}
	free(copy);
	return ct;
}

static void icmp_connection_has_ports_zero(void **state)
{
	struct nest tuple = icmp_tuple(), ct = {.len = 0};
	struct nfl_conntrack decoded;

	(void)state;
	put_nest(&ct, CTA_TUPLE_ORIG, &tuple);
	decoded = decode(ct.bytes, ct.len);
	assert_int_equal(decoded.present, NFL_HAS_CT_ORIGINAL);
	assert_int_equal(decoded.original.protocol, 1);
	assert_int_equal(decoded.original.source_port, 0);
	assert_int_equal(decoded.original.destination_port, 0);
}

static void zone_of_the_connection_or_of_one_direction_is_the_zone(void **state)
{
	struct nest tuple = icmp_tuple(), reply = {.len = 0}, both = {.len = 0};

	(void)state;
	put(&tuple, CTA_TUPLE_ZONE, "\x00\x09", 2);
	put_nest(&reply, CTA_TUPLE_REPLY, &tuple);
	assert_int_equal(decode(reply.bytes, reply.len).zone, 9);
	put(&both, CTA_ZONE, "\x00\x00", 2);
	assert_int_equal(decode(both.bytes, both.len).present, NFL_HAS_CT_ZONE);
}

static void values_of_a_wrong_length_are_absent(void **state)
{
	static const uint16_t types[] = {CTA_ID, CTA_STATUS, CTA_MARK, CTA_ZONE};
	static const uint8_t zeros[8];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t right = types[i] == CTA_ZONE ? 2 : 4;

		for (size_t len = 0; len <= sizeof(zeros); len++) {
			struct nest ct = {.len = 0};

			put(&ct, types[i], zeros, len);
			assert_int_equal(decode(ct.bytes, ct.len).present != 0, len == right);
		}
	}
}

static struct nfl_conntrack decode_ip(uint16_t source_type, size_t source_len,
				      uint16_t destination_type, size_t destination_len)
{
	struct nest ip = {.len = 0}, proto = {.len = 0}, tuple = {.len = 0};
	struct nest ct = {.len = 0};
	static const uint8_t zeros[32];

	put(&ip, source_type, zeros, source_len);
	put(&ip, destination_type, zeros, destination_len);
	put(&proto, CTA_PROTO_NUM, "\x06", 1);
	put_nest(&tuple, CTA_TUPLE_IP, &ip);
	put_nest(&tuple, CTA_TUPLE_PROTO, &proto);
	put_nest(&ct, CTA_TUPLE_ORIG, &tuple);
	return decode(ct.bytes, ct.len);
}

static void tuple_without_two_addresses_of_one_kind_is_absent(void **state)
{
	(void)state;
	assert_int_equal(decode_ip(CTA_IP_V4_SRC, 4, CTA_IP_V4_DST, 4).original.address_len, 4);
	assert_int_equal(decode_ip(CTA_IP_V6_SRC, 16, CTA_IP_V6_DST, 16).original.address_len, 16);
	assert_int_equal(decode_ip(CTA_IP_V4_SRC, 4, CTA_IP_V6_DST, 16).present, 0);
	assert_int_equal(decode_ip(CTA_IP_V4_SRC, 4, CTA_IP_V4_SRC, 4).present, 0);
	assert_int_equal(decode_ip(CTA_IP_V4_SRC, 3, CTA_IP_V4_DST, 3).present, 0);
	assert_int_equal(decode_ip(CTA_IP_V4_SRC, 16, CTA_IP_V4_DST, 16).present, 0);
	assert_int_equal(decode_ip(CTA_IP_V6_SRC, 4, CTA_IP_V6_DST, 4).present, 0);
	assert_int_equal(decode_ip(99, 4, CTA_IP_V4_DST, 4).present, 0);
}

/* The first tuple must not come out as a mix of both. */
static void broken_second_tuple_leaves_the_first(void **state)
{
	struct nest good = icmp_tuple(), ip = {.len = 0}, broken = {.len = 0};
	struct nest ct = {.len = 0};
	static const uint8_t zeros[16];
	struct nfl_conntrack decoded;

	(void)state;
	put(&ip, CTA_IP_V6_SRC, zeros, sizeof(zeros));
	put_nest(&broken, CTA_TUPLE_IP, &ip);
	put_nest(&ct, CTA_TUPLE_ORIG, &good);
	put_nest(&ct, CTA_TUPLE_ORIG, &broken);
	decoded = decode(ct.bytes, ct.len);
	assert_int_equal(decoded.present, NFL_HAS_CT_ORIGINAL);
	assert_int_equal(decoded.original.address_len, 4);
	assert_int_equal(decoded.original.protocol, 1);
}

static void record_without_a_connection_has_an_empty_one(void **state)
{
	struct nfl_record record = {.present = NFL_HAS_CT_INFO};
	struct nfl_conntrack ct;

	(void)state;
	memset(&ct, 0xa5, sizeof(ct));
	nfl_decode_conntrack(&record, &ct);
	assert_int_equal(ct.present, 0);
}

static void cut_and_change(const char *file)
{
	static const uint8_t values[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x7f, 0x80, 0xff};
	struct fixture_message m = fixture_message_load(file);
	struct nfl_record record;
	uint8_t copy[1024];

	assert_int_equal(nfl_decode_message(m.bytes, m.len, &record), 0);
	assert_true(record.ct.len > 100 && record.ct.len <= sizeof(copy));
	for (uint32_t len = 0; len <= record.ct.len; len++)
		(void)decode(record.ct.data, len);
	for (uint32_t at = 0; at < record.ct.len; at++) {
		memcpy(copy, record.ct.data, record.ct.len);
		for (size_t v = 0; v < sizeof(values); v++) {
			copy[at] = values[v];
			(void)decode(copy, record.ct.len);
		}
	}
	fixture_message_free(&m);
}

static void connection_cut_or_changed_anywhere_stays_within_itself(void **state)
{
	(void)state;
	cut_and_change("vm-ct-zone-orig.bin");
	cut_and_change("vm-ct-dnat6.bin");
	cut_and_change("vm-ct-helper-ftp-00.bin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_connection_decodes_to_its_index_entry),
	    cmocka_unit_test(icmp_connection_has_ports_zero),
	    cmocka_unit_test(zone_of_the_connection_or_of_one_direction_is_the_zone),
	    cmocka_unit_test(values_of_a_wrong_length_are_absent),
	    cmocka_unit_test(tuple_without_two_addresses_of_one_kind_is_absent),
	    cmocka_unit_test(broken_second_tuple_leaves_the_first),
	    cmocka_unit_test(record_without_a_connection_has_an_empty_one),
	    cmocka_unit_test(connection_cut_or_changed_anywhere_stays_within_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
