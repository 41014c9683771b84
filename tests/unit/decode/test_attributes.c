/* SPDX-License-Identifier: MIT */
/* attributes.c: what real kernels sent decodes to every value of its index entry, and nothing that
 * a broken or hostile message holds makes the decoder read beyond it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include <cmocka.h>
#include <nfl/decode.h>

#include "fixtures.h"

/* --- every fixture, every field ---------------------------------------------------------- */

/* Compares one number and its presence bit with the index entry, and strikes the bit off. */
static void assert_number(const struct fixture_message *message, const char *key, uint64_t bit,
			  uint64_t value, uint64_t *present)
{
	json_t *expected = json_object_get(message->expect, key);

	if (!expected != !(*present & bit))
		fail_msg("%s: %s is %s", message->file, key, expected ? "missing" : "unexpected");
	if (expected && (uint64_t)json_integer_value(expected) != value)
		fail_msg("%s: %s is %llu, not %lld", message->file, key, (unsigned long long)value,
			 (long long)json_integer_value(expected));
	*present &= ~bit;
}

static void assert_bytes(const struct fixture_message *message, const char *key, uint64_t bit,
			 struct nfl_bytes value, uint64_t *present)
{
	json_t *expected = json_object_get(message->expect, key);

	if (!expected != !(*present & bit))
		fail_msg("%s: %s is %s", message->file, key, expected ? "missing" : "unexpected");
	if (expected)
		fixture_assert_hex(message, key, value.data, value.len);
	*present &= ~bit;
}

/* The index keeps only both ends of a long payload. */
static void assert_payload(const struct fixture_message *message, struct nfl_bytes value,
			   uint64_t *present)
{
	if (!json_object_get(message->expect, "payload_first64")) {
		assert_bytes(message, "payload", NFL_HAS_PAYLOAD, value, present);
		return;
	}
	assert_true(*present & NFL_HAS_PAYLOAD);
	assert_int_equal(value.len, fixture_int(message->expect, "payload_len"));
	fixture_assert_hex(message, "payload_first64", value.data, 64);
	fixture_assert_hex(message, "payload_last16", value.data + value.len - 16, 16);
	*present &= ~NFL_HAS_PAYLOAD;
}

static void assert_packet_time(const struct fixture_message *message,
			       const struct nfl_record *record, uint64_t *present)
{
	uint64_t sec = (uint64_t)record->packet_time_ns / 1000000000;
	uint64_t nsec = (uint64_t)record->packet_time_ns % 1000000000;
	uint64_t both = *present;

	assert_number(message, "timestamp_sec", NFL_HAS_PACKET_TIME, sec, present);
	assert_number(message, "timestamp_usec", NFL_HAS_PACKET_TIME, nsec / 1000, &both);
	assert_int_equal(nsec % 1000, 0);
}

static void assert_record_is_expected(const struct fixture_message *m)
{
	struct nfl_record r;
	uint64_t left;

	memset(&r, 0xa5, sizeof(r));
	if (nfl_decode_message(m->bytes, m->len, &r) != 0)
		fail_msg("%s: not decoded", m->file);
	left = r.present;

	assert_int_equal(r.family, fixture_int(m->expect, "nfgen_family"));
	assert_int_equal(r.group, fixture_int(m->expect, "group"));
	assert_int_equal(r.hook_number, fixture_int(m->expect, "hook"));
	assert_int_equal(r.hw_protocol, fixture_int(m->expect, "hw_protocol"));
	assert_number(m, "mark", NFL_HAS_MARK, r.mark, &left);
	assert_packet_time(m, &r, &left);
	assert_number(m, "indev", NFL_HAS_INDEV, r.indev, &left);
	assert_number(m, "outdev", NFL_HAS_OUTDEV, r.outdev, &left);
	assert_number(m, "physindev", NFL_HAS_PHYSINDEV, r.physindev, &left);
	assert_number(m, "physoutdev", NFL_HAS_PHYSOUTDEV, r.physoutdev, &left);
	assert_bytes(m, "hwaddr", NFL_HAS_HW_ADDRESS, r.hw_address, &left);
	assert_payload(m, r.payload, &left);
	assert_bytes(m, "prefix_hex", NFL_HAS_PREFIX, r.prefix, &left);
	assert_number(m, "uid", NFL_HAS_UID, r.uid, &left);
	assert_number(m, "gid", NFL_HAS_GID, r.gid, &left);
	assert_number(m, "seq", NFL_HAS_SEQ, r.seq, &left);
	assert_number(m, "seq_global", NFL_HAS_SEQ_GLOBAL, r.seq_global, &left);
	assert_number(m, "hwtype", NFL_HAS_HW_TYPE, r.hw_type, &left);
	assert_bytes(m, "hwheader", NFL_HAS_HW_HEADER, r.hw_header, &left);
	assert_number(m, "hwlen", NFL_HAS_HW_LENGTH, r.hw_length, &left);
	assert_number(m, "ct_info", NFL_HAS_CT_INFO, r.ct_info, &left);
	assert_number(m, "vlan_tci", NFL_HAS_VLAN_TCI, r.vlan_tci, &left);
	assert_number(m, "vlan_proto", NFL_HAS_VLAN_PROTO, r.vlan_proto, &left);
	assert_bytes(m, "l2hdr", NFL_HAS_L2_HEADER, r.l2_header, &left);
	assert_int_equal(!!(left & NFL_HAS_CT), !!json_object_get(m->expect, "ct"));
	assert_int_equal(left & ~NFL_HAS_CT, 0);
	assert_int_equal(r.unknown_count, 0);
	assert_int_equal(r.receive_time_ns, 0);
	assert_int_equal(r.lost_kernel, 0);
	assert_int_equal(r.lost_decode, 0);
}

static void every_fixture_decodes_to_its_index_entry(void **state)
{
	size_t files, messages;

	(void)state;
	messages = fixture_for_each_message(assert_record_is_expected, &files);
	assert_int_equal(files, 153);
	assert_int_equal(messages, 186);
}

/* --- broken input ------------------------------------------------------------------------- */

static volatile unsigned bytes_touched; /* keeps the reads below from being optimised away */

/* Sums every byte that a record points to: ASan reports it when one lies outside the message. */
static unsigned touch(struct nfl_bytes bytes)
{
	unsigned sum = 0;

	for (uint32_t i = 0; i < bytes.len; i++)
		sum += bytes.data[i];
	return sum;
}

static unsigned touch_record(const struct nfl_record *r)
{
	unsigned sum = touch(r->hw_address) + touch(r->payload) + touch(r->prefix) +
		       touch(r->hw_header) + touch(r->ct) + touch(r->l2_header);

	assert_true(r->hw_address.len <= 8);
	assert_true(r->unknown_count <= NFL_UNKNOWN_MAX);
	for (unsigned i = 0; i < r->unknown_count; i++)
		sum += touch(r->unknown[i]);
	return sum;
}

/* An exact copy of the first len bytes, with nlmsg_len made to fit when there is room for it. */
static int decode_cut(const uint8_t *bytes, size_t len, bool fit, struct nfl_record *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	uint32_t nlmsg_len = (uint32_t)len;
	int r;

	memcpy(copy, bytes, len);
	if (fit && len >= sizeof(nlmsg_len))
		memcpy(copy, &nlmsg_len, sizeof(nlmsg_len));
	r = nfl_decode_message(copy, len, ret);
	if (r == 0)
		bytes_touched += touch_record(ret);
	free(copy);
	return r;
}

static void cut_at_every_length(const struct fixture_message *m)
{
	struct nfl_record record;

	/* Beyond 600 bytes there is only payload. */
	for (size_t len = 0; len < m->len && len < 600; len++) {
		assert_int_equal(decode_cut(m->bytes, len, false, &record), -EBADMSG);
		if (decode_cut(m->bytes, len, true, &record) == 0)
			assert_true(len >= sizeof(struct nlmsghdr) + 4 + 8);
	}
}

static void message_cut_at_any_length_is_refused_or_shorter(void **state)
{
	size_t files;

	(void)state;
	fixture_for_each_message(cut_at_every_length, &files);
}

static void corrupt_every_byte(const char *file)
{
	static const uint8_t values[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x7f, 0x80, 0xfe, 0xff};
	struct fixture_message m = fixture_message_load(file);
	uint8_t *copy = malloc(m.len);
	struct nfl_record record;

	for (size_t at = 0; at < m.len && at < 600; at++) {
		memcpy(copy, m.bytes, m.len);
		for (size_t v = 0; v < sizeof(values); v++) {
			copy[at] = values[v];
			if (nfl_decode_message(copy, m.len, &record) == 0)
				bytes_touched += touch_record(&record);
		}
	}
	free(copy);
	fixture_message_free(&m);
}

static void message_with_any_byte_changed_stays_within_itself(void **state)
{
	(void)state;
	corrupt_every_byte("bridge-forward-qinq.bin");
	corrupt_every_byte("vm-ct-helper-ftp-00.bin");
	corrupt_every_byte("netdev-egress-udp.bin");
	corrupt_every_byte("uid-output-tcp6.bin");
}

/* --- messages made by hand ---------------------------------------------------------------- */

struct builder {
	size_t len;
	uint8_t bytes[1024];
};

static void put(struct builder *b, const void *data, size_t len)
{
	assert_true(b->len + len + 3 <= sizeof(b->bytes));
	if (len)
		memcpy(b->bytes + b->len, data, len);
	b->len += len;
	while (b->len % 4)
		b->bytes[b->len++] = 0;
}

static void put_attribute(struct builder *b, uint16_t type, const void *data, size_t len)
{
	struct nlattr header = {.nla_len = (uint16_t)(sizeof(header) + len), .nla_type = type};

	put(b, &header, sizeof(header));
	put(b, data, len);
}

/* A message of family 2 and group 0x0102 with only the attribute that must be there. */
static void begin(struct builder *b)
{
	struct nlmsghdr header = {.nlmsg_type = 0x0400};

	memset(b, 0, sizeof(*b));
	put(b, &header, sizeof(header));
	put(b, "\x02\x00\x01\x02", 4);
	put_attribute(b, NFULA_PACKET_HDR, "\x08\x00\x03\x7f", 4);
}

static int decode(struct builder *b, struct nfl_record *ret)
{
	uint32_t len = (uint32_t)b->len;

	memcpy(b->bytes, &len, sizeof(len));
	return nfl_decode_message(b->bytes, b->len, ret);
}

/* The record lies in the message, which stays until the next one. */
static int decode_one(uint16_t type, const void *data, size_t len, struct nfl_record *ret)
{
	static struct builder b;

	begin(&b);
	put_attribute(&b, type, data, len);
	return decode(&b, ret);
}

static void smallest_message_has_nothing_but_its_headers(void **state)
{
	struct nfl_record record;
	struct builder b;

	(void)state;
	begin(&b);
	assert_int_equal(decode(&b, &record), 0);
	assert_int_equal(record.present, 0);
	assert_int_equal(record.family, 2);
	assert_int_equal(record.group, 0x0102);
	assert_int_equal(record.hw_protocol, 0x0800);
	assert_int_equal(record.hook_number, 3);
}

static void message_without_packet_header_is_refused(void **state)
{
	struct nlmsghdr header = {.nlmsg_type = 0x0400};
	struct nfl_record record;
	struct builder b = {.len = 0};

	(void)state;
	put(&b, &header, sizeof(header));
	put(&b, "\x02\x00\x01\x02", 4);
	put_attribute(&b, NFULA_MARK, "\0\0\0\1", 4);
	assert_int_equal(decode(&b, &record), -EBADMSG);
}

static void other_message_types_are_refused(void **state)
{
	static const uint16_t types[] = {NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, 0x0401, 0x0300};
	struct nfl_record record;
	struct builder b;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(&b);
		memcpy(b.bytes + offsetof(struct nlmsghdr, nlmsg_type), &types[i], 2);
		assert_int_equal(decode(&b, &record), -EBADMSG);
	}
}

static void fixed_size_attributes_of_another_size_are_refused(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t len;
	} fixed[] = {
	    {NFULA_PACKET_HDR, 4},
	    {NFULA_MARK, 4},
	    {NFULA_TIMESTAMP, 16},
	    {NFULA_IFINDEX_INDEV, 4},
	    {NFULA_IFINDEX_OUTDEV, 4},
	    {NFULA_IFINDEX_PHYSINDEV, 4},
	    {NFULA_HWADDR, 12},
	    {NFULA_IFINDEX_PHYSOUTDEV, 4},
	    {NFULA_UID, 4},
	    {NFULA_GID, 4},
	    {NFULA_SEQ, 4},
	    {NFULA_SEQ_GLOBAL, 4},
	    {NFULA_HWTYPE, 2},
	    {NFULA_HWLEN, 2},
	    {NFULA_CT_INFO, 4},
	};
	static const uint8_t zeros[32];
	struct nfl_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		for (uint8_t len = 0; len <= 24; len++)
			assert_int_equal(decode_one(fixed[i].type, zeros, len, &record),
					 len == fixed[i].len ? 0 : -EBADMSG);
}

static void hw_address_longer_than_its_field_is_refused(void **state)
{
	struct nfl_record record;

	(void)state;
	assert_int_equal(decode_one(NFULA_HWADDR, "\0\x08\0\0abcdefgh", 12, &record), 0);
	assert_int_equal(record.hw_address.len, 8);
	assert_memory_equal(record.hw_address.data, "abcdefgh", 8);
	assert_int_equal(decode_one(NFULA_HWADDR, "\0\x00\0\0abcdefgh", 12, &record), 0);
	assert_int_equal(record.present, NFL_HAS_HW_ADDRESS);
	assert_int_equal(record.hw_address.len, 0);
	assert_int_equal(decode_one(NFULA_HWADDR, "\0\x09\0\0abcdefgh", 12, &record), -EBADMSG);
	assert_int_equal(decode_one(NFULA_HWADDR, "\xff\xff\0\0abcdefgh", 12, &record), -EBADMSG);
}

static void prefix_loses_one_nul_and_keeps_the_others(void **state)
{
	struct nfl_record record;

	(void)state;
	assert_int_equal(decode_one(NFULA_PREFIX, "a\0b\0", 4, &record), 0);
	assert_int_equal(record.prefix.len, 3);
	assert_memory_equal(record.prefix.data, "a\0b", 3);
	assert_int_equal(decode_one(NFULA_PREFIX, "a\0\0", 3, &record), 0);
	assert_int_equal(record.prefix.len, 2);
	assert_int_equal(decode_one(NFULA_PREFIX, "ab", 2, &record), 0);
	assert_int_equal(record.prefix.len, 2);
	assert_int_equal(decode_one(NFULA_PREFIX, "", 1, &record), 0);
	assert_int_equal(record.prefix.len, 0);
	assert_int_equal(decode_one(NFULA_PREFIX, "", 0, &record), 0);
	assert_int_equal(record.present, NFL_HAS_PREFIX);
	assert_int_equal(record.prefix.len, 0);
}

static void zero_values_are_present(void **state)
{
	struct nfl_record record;

	(void)state;
	assert_int_equal(decode_one(NFULA_UID, "\0\0\0\0", 4, &record), 0);
	assert_int_equal(record.present, NFL_HAS_UID);
	assert_int_equal(decode_one(NFULA_CT_INFO, "\0\0\0\0", 4, &record), 0);
	assert_int_equal(record.present, NFL_HAS_CT_INFO);
	assert_int_equal(decode_one(NFULA_PAYLOAD, "", 0, &record), 0);
	assert_int_equal(record.present, NFL_HAS_PAYLOAD);
}

static void type_flags_of_the_kernel_do_not_matter(void **state)
{
	static const uint16_t flags[] = {0, NLA_F_NESTED, NLA_F_NET_BYTEORDER,
					 NLA_F_NESTED | NLA_F_NET_BYTEORDER};
	struct nfl_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		assert_int_equal(
		    decode_one((uint16_t)(NFULA_MARK | flags[i]), "\0\0\1\2", 4, &record), 0);
		assert_int_equal(record.mark, 0x0102);
		assert_int_equal(record.unknown_count, 0);
	}
}

static void vlan_is_read_in_any_order_and_tci_zero_is_a_value(void **state)
{
	struct nfl_record record;
	struct builder nest = {.len = 0};

	(void)state;
	put_attribute(&nest, NFULA_VLAN_PROTO, "\x88\xa8", 2);
	put_attribute(&nest, 9, "later kernel", 12);
	put_attribute(&nest, NFULA_VLAN_TCI, "\0\0", 2);
	assert_int_equal(decode_one(NFULA_VLAN | NLA_F_NESTED, nest.bytes, nest.len, &record), 0);
	assert_int_equal(record.present, NFL_HAS_VLAN_PROTO | NFL_HAS_VLAN_TCI);
	assert_int_equal(record.vlan_proto, 0x88a8);
	assert_int_equal(record.vlan_tci, 0);
}

static void vlan_with_a_broken_inside_is_refused(void **state)
{
	struct nfl_record record;
	struct builder nest = {.len = 0};

	(void)state;
	put_attribute(&nest, NFULA_VLAN_TCI, "\0\0\0", 3);
	assert_int_equal(decode_one(NFULA_VLAN, nest.bytes, nest.len, &record), -EBADMSG);
	assert_int_equal(decode_one(NFULA_VLAN, "\xff\x00\x02\x00\0\0\0\0", 8, &record), -EBADMSG);
	assert_int_equal(decode_one(NFULA_VLAN, "", 0, &record), 0);
	assert_int_equal(record.present, 0);
}

static void unknown_attributes_are_kept_with_their_header_up_to_a_limit(void **state)
{
	struct nfl_record record;
	struct builder b;

	(void)state;
	begin(&b);
	for (uint8_t i = 0; i < NFL_UNKNOWN_MAX + 3; i++)
		put_attribute(&b, (uint16_t)(NFULA_MAX + 1 + i), &i, 1);
	put_attribute(&b, NFULA_SEQ, "\0\0\0\7", 4);
	assert_int_equal(decode(&b, &record), 0);
	assert_int_equal(record.unknown_count, NFL_UNKNOWN_MAX);
	for (uint8_t i = 0; i < NFL_UNKNOWN_MAX; i++) {
		struct nlattr header;

		assert_int_equal(record.unknown[i].len, sizeof(header) + 1);
		memcpy(&header, record.unknown[i].data, sizeof(header));
		assert_int_equal(header.nla_type, NFULA_MAX + 1 + i);
		assert_int_equal(record.unknown[i].data[sizeof(header)], i);
	}
	assert_int_equal(record.seq, 7);
}

static void attribute_that_claims_too_much_or_too_little_is_refused(void **state)
{
	static const uint16_t lens[] = {0, 1, 3, 9, 100, 0xffff};
	struct nfl_record record;
	struct builder b;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		begin(&b);
		put_attribute(&b, NFULA_PAYLOAD, "abcd", 4);
		memcpy(b.bytes + b.len - 8, &lens[i], sizeof(lens[i]));
		assert_int_equal(decode(&b, &record), -EBADMSG);
	}
}

static void last_attribute_needs_no_padding(void **state)
{
	struct nfl_record record;
	struct builder b;

	(void)state;
	begin(&b);
	put_attribute(&b, NFULA_PAYLOAD, "abcde", 5);
	b.len -= 3;
	assert_int_equal(decode(&b, &record), 0);
	assert_int_equal(record.payload.len, 5);
	assert_memory_equal(record.payload.data, "abcde", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_fixture_decodes_to_its_index_entry),
	    cmocka_unit_test(message_cut_at_any_length_is_refused_or_shorter),
	    cmocka_unit_test(message_with_any_byte_changed_stays_within_itself),
	    cmocka_unit_test(smallest_message_has_nothing_but_its_headers),
	    cmocka_unit_test(message_without_packet_header_is_refused),
	    cmocka_unit_test(other_message_types_are_refused),
	    cmocka_unit_test(fixed_size_attributes_of_another_size_are_refused),
	    cmocka_unit_test(hw_address_longer_than_its_field_is_refused),
	    cmocka_unit_test(prefix_loses_one_nul_and_keeps_the_others),
	    cmocka_unit_test(zero_values_are_present),
	    cmocka_unit_test(type_flags_of_the_kernel_do_not_matter),
	    cmocka_unit_test(vlan_is_read_in_any_order_and_tci_zero_is_a_value),
	    cmocka_unit_test(vlan_with_a_broken_inside_is_refused),
	    cmocka_unit_test(unknown_attributes_are_kept_with_their_header_up_to_a_limit),
	    cmocka_unit_test(attribute_that_claims_too_much_or_too_little_is_refused),
	    cmocka_unit_test(last_attribute_needs_no_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
