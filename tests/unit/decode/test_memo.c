/* SPDX-License-Identifier: MIT */
/* What repeats is decoded once, and nobody can tell but by record.head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <nfl/decode.h>

#include "fixtures.h"
#include "memo.h"

#define ATTRIBUTES 20 /* offset of the first */

static struct memo memo;

static int setup(void **state)
{
	(void)state;
	memset(&memo, 0, sizeof(memo));
	return 0;
}

static void assert_same_bytes(struct nfl_bytes a, struct nfl_bytes b)
{
	assert_ptr_equal(a.data, b.data); /* both point into the message */
	assert_int_equal(a.len, b.len);
}

static void assert_same(const struct nfl_record *a, const struct nfl_record *b)
{
	struct nfl_record numbers = *a;

	numbers.head = b->head;
	assert_memory_equal(&numbers, b, offsetof(struct nfl_record, hw_address));
	assert_same_bytes(a->hw_address, b->hw_address);
	assert_same_bytes(a->payload, b->payload);
	assert_same_bytes(a->prefix, b->prefix);
	assert_same_bytes(a->hw_header, b->hw_header);
	assert_same_bytes(a->ct, b->ct);
	assert_same_bytes(a->l2_header, b->l2_header);
	for (unsigned i = 0; i < a->unknown_count; i++)
		assert_same_bytes(a->unknown[i], b->unknown[i]);
}

static uint32_t decode(const uint8_t *bytes, size_t len)
{
	struct nfl_record plain, quick;

	assert_int_equal(nfl_decode_message(bytes, len, &plain), 0);
	memset(&quick, 0xee, sizeof(quick)); /* what it held before does not shine through */
	assert_int_equal(memo_decode(bytes, len, &memo, &quick), 0);
	assert_int_equal(plain.head, 0);
	assert_same(&plain, &quick);
	return quick.head;
}

static void decode_twice(const struct fixture_message *m)
{
	uint32_t head = decode(m->bytes, m->len);

	assert_int_not_equal(head, 0);
	assert_int_equal(decode(m->bytes, m->len), head);
}

static void every_kernel_message_is_decoded_as_without(void **state)
{
	size_t files;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(fixture_for_each_message(decode_twice, &files) > 153);
}

/* The attribute of a message that is to be changed. */
static uint8_t *find(uint8_t *bytes, size_t len, unsigned type)
{
	for (size_t at = ATTRIBUTES; at + 4 <= len;) {
		uint16_t header[2];

		memcpy(header, bytes + at, sizeof(header));
		if ((header[1] & 0x3fff) == type)
			return bytes + at;
		at += (header[0] + 3u) & ~3u;
	}
	fail_msg("no attribute %u", type);
	return bytes;
}

static void assert_changes_with(uint8_t *byte, uint8_t *bytes, size_t len)
{
	uint32_t head = decode(bytes, len);

	*byte ^= 1;
	assert_int_not_equal(decode(bytes, len), head);
	*byte ^= 1;
}

/* Each of them alone: what is before it is known already, and does not have to be enough. */
static void head_is_another_with_any_byte_of_it(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");
	uint8_t *copy = malloc(m.len);
	size_t head_len;

	(void)state;
	memcpy(copy, m.bytes, m.len);
	head_len = (size_t)(find(copy, m.len, NFULA_TIMESTAMP) - copy);
	for (unsigned type = 0; type < 32; type++) {
		uint8_t *at;

		if (type != NFULA_PACKET_HDR && type != NFULA_PREFIX &&
		    type != NFULA_IFINDEX_INDEV && type != NFULA_HWADDR && type != NFULA_HWTYPE &&
		    type != NFULA_HWHEADER)
			continue;
		at = find(copy, m.len, type);
		assert_true((size_t)(at - copy) < head_len);
		assert_changes_with(at + 5, copy, m.len);
	}
	assert_changes_with(copy + sizeof(struct nlmsghdr), copy, m.len); /* family */
	free(copy);
	fixture_message_free(&m);
}

static void head_stays_where_only_the_packet_is_another(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");
	uint8_t *copy = malloc(m.len);
	uint32_t head;

	(void)state;
	memcpy(copy, m.bytes, m.len);
	head = decode(copy, m.len);
	find(copy, m.len, NFULA_SEQ)[7]++;
	find(copy, m.len, NFULA_TIMESTAMP)[19]++;
	find(copy, m.len, NFULA_PAYLOAD)[4 + 15]++;
	assert_int_equal(decode(copy, m.len), head);
	free(copy);
	fixture_message_free(&m);
}

static void attribute_of_the_head_behind_it_makes_it_unknown(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");
	const uint8_t mark[8] = {8, 0, NFULA_MARK, 0, 0, 0, 0, 7};
	size_t padded = (m.len + 3) & ~(size_t)3;
	uint8_t *copy = calloc(1, padded + sizeof(mark));
	uint32_t len = (uint32_t)(padded + sizeof(mark));

	(void)state;
	memcpy(copy, m.bytes, m.len);
	memcpy(copy + padded, mark, sizeof(mark));
	memcpy(copy, &len, sizeof(len));
	assert_int_not_equal(decode(m.bytes, m.len), 0);
	assert_int_equal(decode(copy, len), 0);
	free(copy);
	fixture_message_free(&m);
}

/* Cut anywhere, also where a head ends that is known. */
static void known_head_does_not_make_a_cut_message_whole(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");

	(void)state;
	(void)decode(m.bytes, m.len);
	for (uint32_t len = ATTRIBUTES; len < m.len; len++) {
		uint8_t *copy = malloc(len);
		struct nfl_record plain, quick;
		int r;

		memcpy(copy, m.bytes, len);
		memcpy(copy, &len, sizeof(len));
		r = nfl_decode_message(copy, len, &plain);
		assert_int_equal(memo_decode(copy, len, &memo, &quick), r);
		if (r == 0)
			assert_same(&plain, &quick);
		free(copy);
	}
	fixture_message_free(&m);
}

/* A last attribute may end its message without padding. Behind the same bytes of a longer message
 * there is padding, and no attribute. */
static void head_that_ends_without_padding_is_not_mistaken_for_another(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");
	uint8_t *copy = malloc(m.len);
	const uint8_t *type;
	uint32_t len;

	(void)state;
	memcpy(copy, m.bytes, m.len);
	type = find(copy, m.len, NFULA_HWTYPE);
	len = (uint32_t)(type - copy) + 6;
	memcpy(copy, &len, sizeof(len));
	(void)decode(copy, len);
	assert_int_not_equal(decode(m.bytes, m.len), 0);
	free(copy);
	fixture_message_free(&m);
}

/* In a heap block of just its size, so that a read beyond it is seen. */
static void message_with_an_attribute_of_no_length_is_not_read_beyond_its_end(void **state)
{
	struct fixture_message m = fixture_message_load("netdev-ingress-udp.bin");

	(void)state;
	for (uint32_t len = ATTRIBUTES; len < ATTRIBUTES + 32; len++) {
		uint8_t *copy = malloc(len);
		struct nfl_record record;

		memcpy(copy, m.bytes, len);
		memcpy(copy, &len, sizeof(len));
		if (len >= ATTRIBUTES + 12)
			memset(copy + ATTRIBUTES + 8, 0, 4);
		assert_true(memo_decode(copy, len, &memo, &record) <= 0);
		free(copy);
	}
	fixture_message_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(every_kernel_message_is_decoded_as_without, setup),
	    cmocka_unit_test_setup(head_is_another_with_any_byte_of_it, setup),
	    cmocka_unit_test_setup(head_stays_where_only_the_packet_is_another, setup),
	    cmocka_unit_test_setup(attribute_of_the_head_behind_it_makes_it_unknown, setup),
	    cmocka_unit_test_setup(known_head_does_not_make_a_cut_message_whole, setup),
	    cmocka_unit_test_setup(
		message_with_an_attribute_of_no_length_is_not_read_beyond_its_end, setup),
	    cmocka_unit_test_setup(head_that_ends_without_padding_is_not_mistaken_for_another,
				   setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
