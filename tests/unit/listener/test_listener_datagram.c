/* SPDX-License-Identifier: MIT */
/* The walk over a datagram's messages, what stops it, and what the gaps in SEQ are counted as. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include "datagram.h"

#define BYTES_MAX   4096
#define RECORDS_MAX 64

/* What is made, and what came out of it. */
struct bench {
	_Alignas(8) uint8_t bytes[BYTES_MAX];
	size_t len;
	struct stream stream;
	struct nfl_listener_stats stats;
	uint32_t seqs[RECORDS_MAX];
	uint32_t lost_kernel[RECORDS_MAX];
	uint32_t lost_decode[RECORDS_MAX];
	int payload[RECORDS_MAX]; /* bytes; -1: none */
	int count;
	int stop_after; /* records; 0: never */
	int stop_value;
};

static struct nlmsghdr *add_message(struct bench *bench, uint16_t type)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bench->bytes + bench->len);
	struct nfgenmsg *genmsg = mnl_nlmsg_put_extra_header(header, sizeof(*genmsg));

	genmsg->nfgen_family = NFL_FAMILY_IPV4;
	header->nlmsg_type = type;
	bench->len += header->nlmsg_len;
	return header;
}

static void add_packet(struct bench *bench, uint32_t seq)
{
	const struct nfulnl_msg_packet_hdr packet = {.hw_protocol = htobe16(0x0800), .hook = 3};
	size_t start = bench->len;
	struct nlmsghdr *header = add_message(bench, (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET);

	mnl_attr_put(header, NFULA_PACKET_HDR, sizeof(packet), &packet);
	mnl_attr_put_u32(header, NFULA_SEQ, htobe32(seq));
	bench->len = start + header->nlmsg_len;
}

static int take(const struct nfl_record *record, void *data)
{
	struct bench *bench = data;

	assert_int_equal(record->receive_time_ns, 77);
	assert_in_range(bench->count, 0, RECORDS_MAX - 1);
	bench->seqs[bench->count] = record->seq;
	bench->lost_kernel[bench->count] = record->lost_kernel;
	bench->lost_decode[bench->count] = record->lost_decode;
	bench->payload[bench->count] =
	    record->present & NFL_HAS_PAYLOAD ? (int)record->payload.len : -1;
	bench->count++;
	return bench->stop_after && bench->count == bench->stop_after ? bench->stop_value : 0;
}

static int deliver(struct bench *bench, struct datagram *datagram)
{
	return datagram_deliver(datagram, &bench->stream, &bench->stats, take, bench);
}

/* Delivers the first len bytes of what was made, and begins anew. */
static int deliver_cut(struct bench *bench, size_t len, bool cut)
{
	struct datagram datagram = {.at = bench->bytes, .left = len, .time_ns = 77, .cut = cut};
	int r = deliver(bench, &datagram);

	assert_int_equal(datagram.left, 0);
	bench->len = 0;
	return r;
}

static int deliver_all(struct bench *bench)
{
	return deliver_cut(bench, bench->len, false);
}

static void one_message_without_a_done_is_delivered(void **state)
{
	struct bench bench = {0};

	(void)state;
	add_packet(&bench, 0);
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.stats.records, 1);
	assert_int_equal(bench.stats.malformed, 0);
}

static void done_and_foreign_types_are_stepped_over(void **state)
{
	struct bench bench = {0};

	(void)state;
	add_message(&bench, NLMSG_ERROR);
	add_packet(&bench, 0);
	add_message(&bench, NLMSG_NOOP);
	add_message(&bench, (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG);
	add_packet(&bench, 1);
	add_message(&bench, NLMSG_DONE);
	assert_int_equal(deliver_all(&bench), 2);
	assert_int_equal(bench.stats.malformed, 0);
	assert_int_equal(bench.stats.lost_kernel, 0);
}

static void a_gap_is_the_kernels_loss_and_told_with_the_record_after_it(void **state)
{
	struct bench bench = {0};

	(void)state;
	add_packet(&bench, 0);
	add_packet(&bench, 5);
	add_packet(&bench, 6);
	assert_int_equal(deliver_all(&bench), 3);
	assert_int_equal(bench.lost_kernel[1], 4);
	assert_int_equal(bench.lost_kernel[2], 0);
	assert_int_equal(bench.stats.lost_kernel, 4);
	assert_int_equal(bench.stats.lost_decode, 0);
}

static void a_first_number_above_zero_is_loss_as_well(void **state)
{
	struct bench bench = {0};

	(void)state;
	add_packet(&bench, 3);
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.lost_kernel[0], 3);
}

static void numbers_wrap_without_a_loss_and_with_one(void **state)
{
	struct bench bench = {.stream = {.next_seq = UINT32_MAX}};

	(void)state;
	add_packet(&bench, UINT32_MAX);
	add_packet(&bench, 0);
	assert_int_equal(deliver_all(&bench), 2);
	assert_int_equal(bench.stats.lost_kernel, 0);
	bench.stream.next_seq = UINT32_MAX - 1;
	add_packet(&bench, 3);
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.stats.lost_kernel, 5);
}

static void a_malformed_message_ends_the_datagram_and_its_gap_is_a_decode_loss(void **state)
{
	struct bench bench = {0};
	size_t bad;

	(void)state;
	add_packet(&bench, 0);
	bad = bench.len;
	add_packet(&bench, 1);
	add_packet(&bench, 2);
	bench.bytes[bad + sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg)] = 2; /* nla_len */
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.stats.malformed, 1);
	add_packet(&bench, 3);
	add_packet(&bench, 5);
	assert_int_equal(deliver_all(&bench), 2);
	assert_int_equal(bench.lost_decode[1], 2);
	assert_int_equal(bench.lost_kernel[1], 0);
	assert_int_equal(bench.lost_kernel[2], 1);
	assert_int_equal(bench.stats.lost_decode, 2);
	assert_int_equal(bench.stats.lost_kernel, 1);
}

static void a_cut_datagram_gives_its_whole_messages_and_is_not_malformed(void **state)
{
	struct bench bench = {0};
	size_t whole;

	(void)state;
	add_packet(&bench, 0);
	whole = bench.len;
	add_packet(&bench, 1);
	assert_int_equal(deliver_cut(&bench, whole + 8, true), 1);
	add_packet(&bench, 2);
	assert_int_equal(deliver_cut(&bench, whole, true), 1); /* cut between two messages */
	add_packet(&bench, 4);
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.stats.malformed, 0);
	assert_int_equal(bench.stats.lost_decode, 2);
	assert_int_equal(bench.stats.lost_kernel, 0);
}

static void a_record_without_a_number_tells_of_no_loss(void **state)
{
	struct bench bench = {.stream = {.next_seq = 9}};
	const struct nfulnl_msg_packet_hdr packet = {.hook = 3};
	struct nlmsghdr *header;

	(void)state;
	header = add_message(&bench, (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET);
	mnl_attr_put(header, NFULA_PACKET_HDR, sizeof(packet), &packet);
	bench.len = header->nlmsg_len;
	assert_int_equal(deliver_all(&bench), 1);
	assert_int_equal(bench.stats.lost_kernel, 0);
	assert_int_equal(bench.stream.next_seq, 9);
}

/* What a packet has that the kernel logged between BIND and the settings. */
static void a_payload_beyond_the_copy_range_is_cut_and_none_is_absent(void **state)
{
	static const uint8_t payload[100];
	struct bench bench = {.stream = {.copy_range = 40}};
	struct nlmsghdr *header;

	(void)state;
	for (int i = 0; i < 2; i++) {
		add_packet(&bench, (uint32_t)i);
		header = (struct nlmsghdr *)bench.bytes;
		mnl_attr_put(header, NFULA_PAYLOAD, sizeof(payload), payload);
		bench.len = header->nlmsg_len;
		assert_int_equal(deliver_all(&bench), 1);
		bench.stream.copy_range = 0;
	}
	assert_int_equal(bench.payload[0], 40);
	assert_int_equal(bench.payload[1], -1);
}

static void a_callback_that_stops_leaves_the_rest_for_the_next_call(void **state)
{
	struct bench bench = {.stop_after = 2, .stop_value = -7};
	struct datagram datagram;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		add_packet(&bench, i);
	datagram = (struct datagram){.at = bench.bytes, .left = bench.len, .time_ns = 77};
	assert_int_equal(deliver(&bench, &datagram), -7);
	bench.stop_after = 3;
	bench.stop_value = 9; /* a positive value ends early and gives the count */
	assert_int_equal(deliver(&bench, &datagram), 1);
	assert_int_equal(deliver(&bench, &datagram), 2);
	assert_int_equal(datagram.left, 0);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(bench.seqs[i], i);
	assert_int_equal(bench.stats.records, 5);
	assert_int_equal(bench.stats.lost_kernel, 0);
}

/* Every prefix of a datagram, from a heap block of that size, so that ASan sees an over-read. */
static void cut_anywhere_it_reads_no_byte_too_many(void **state)
{
	struct bench made = {0};

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		add_packet(&made, i);
	add_message(&made, NLMSG_DONE);
	for (size_t len = 1; len <= made.len; len++) {
		struct bench bench = {0};
		uint8_t *copy = malloc(len);
		struct datagram datagram = {.at = copy, .left = len, .time_ns = 77};

		assert_non_null(copy);
		memcpy(copy, made.bytes, len);
		assert_in_range(deliver(&bench, &datagram), 0, 3);
		assert_int_equal(datagram.left, 0);
		free(copy);
	}
}

static void every_length_in_a_header_is_survived(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 32; bit++) {
		for (uint32_t low = 0; low < 32; low++) {
			uint32_t len = (UINT32_C(1) << bit) - 16 + low;
			struct bench bench = {0};

			add_packet(&bench, 0);
			add_packet(&bench, 1);
			memcpy(bench.bytes, &len, sizeof(len));
			assert_in_range(deliver_all(&bench), 0, 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_message_without_a_done_is_delivered),
	    cmocka_unit_test(done_and_foreign_types_are_stepped_over),
	    cmocka_unit_test(a_gap_is_the_kernels_loss_and_told_with_the_record_after_it),
	    cmocka_unit_test(a_first_number_above_zero_is_loss_as_well),
	    cmocka_unit_test(numbers_wrap_without_a_loss_and_with_one),
	    cmocka_unit_test(a_malformed_message_ends_the_datagram_and_its_gap_is_a_decode_loss),
	    cmocka_unit_test(a_cut_datagram_gives_its_whole_messages_and_is_not_malformed),
	    cmocka_unit_test(a_record_without_a_number_tells_of_no_loss),
	    cmocka_unit_test(a_payload_beyond_the_copy_range_is_cut_and_none_is_absent),
	    cmocka_unit_test(a_callback_that_stops_leaves_the_rest_for_the_next_call),
	    cmocka_unit_test(cut_anywhere_it_reads_no_byte_too_many),
	    cmocka_unit_test(every_length_in_a_header_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
