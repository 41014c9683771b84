/* SPDX-License-Identifier: MIT */
/* What protobuf-c packs is read as it was meant, and hostile bytes are refused or skipped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "message.h"

static const enum wire_view views[] = {WIRE_VIEW_BASIC, WIRE_VIEW_FULL, WIRE_VIEW_RAW};

#define BYTES(...)                                                                                 \
	(struct nfl_bytes)                                                                         \
	{                                                                                          \
		(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})             \
	}

/* Reads from a heap block of exactly the message's size, which ASan guards. */
static int read_exact(struct nfl_bytes message, struct nfl_packet *ret, uint8_t **ret_block)
{
	*ret_block = malloc(message.len ? message.len : 1);
	assert_non_null(*ret_block);
	if (message.len)
		memcpy(*ret_block, message.data, message.len);
	return wire_read_packet((struct nfl_bytes){*ret_block, message.len}, ret);
}

/* protobuf-c packs it, wire reads it, and what was read is packed to the same bytes. */
static void assert_round_trip(const struct nfl_packet *packet)
{
	for (size_t v = 0; v < ARRAY_SIZE(views); v++) {
		struct nfl_packet got;
		size_t len;
		uint8_t *bytes = message_pack(packet, views[v], 0, &len);
		struct nfl_bytes message = {bytes, (uint32_t)len};
		uint8_t *block;

		assert_int_equal(read_exact(message, &got, &block), 0);
		message_assert_equal(message, &got, WIRE_VIEW_FULL, 0);
		free(block);
		free(bytes);
	}
}

static void every_field_that_protobuf_packs_is_read(void **state)
{
	struct nfl_packet packet;

	(void)state;
	packet_full(&packet);
	assert_round_trip(&packet);
	packet_zeros(&packet);
	assert_round_trip(&packet);
	packet_tcp(&packet);
	assert_round_trip(&packet);
	packet_empty(&packet);
	assert_round_trip(&packet);
}

static void read_packet_has_the_presence_bits_of_the_one_written(void **state)
{
	struct nfl_packet packet, got;
	struct nfl_bytes bytes;
	uint8_t *block;

	(void)state;
	packet_full(&packet);
	packet.record.present = (NFL_HAS_L2_HEADER << 1) - 1; /* the bits that mean something */
	packet.decoded.present = (NFL_HAS_INNER_VLAN << 1) - 1;
	packet.conntrack.present = (NFL_HAS_CT_REPLY << 1) - 1;
	bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
	assert_int_equal(wire_read_packet(bytes, &got), 0);
	assert_true(got.record.present == packet.record.present);
	assert_int_equal(got.decoded.present, packet.decoded.present);
	assert_int_equal(got.conntrack.present, packet.conntrack.present);
	free(block);
	packet_empty(&packet);
	bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
	assert_int_equal(wire_read_packet(bytes, &got), 0);
	assert_true(got.record.present == 0);
	assert_int_equal(got.decoded.present, 0);
	assert_int_equal(got.conntrack.present, 0);
	free(block);
}

/* Cut anywhere, a message is refused, or is the shorter message that ends there. */
static void message_cut_at_any_length_is_never_read_past_its_end(void **state)
{
	struct nfl_packet packet;
	uint8_t *bytes;
	size_t len;

	(void)state;
	packet_full(&packet);
	bytes = message_pack(&packet, WIRE_VIEW_FULL, 0, &len);
	for (uint32_t cut = 0; cut < len; cut++) {
		struct nfl_packet got;
		uint8_t *block;
		int r = read_exact((struct nfl_bytes){bytes, cut}, &got, &block);
		Nflog__V1__Packet *same = nflog__v1__packet__unpack(NULL, cut, bytes);

		assert_true(r == 0 || r == -EBADMSG);
		assert_int_equal(r == 0, same != NULL);
		if (same)
			nflog__v1__packet__free_unpacked(same, NULL);
		free(block);
	}
	free(bytes);
}

/* Every byte replaced by every value: ASan and UBSan watch. */
static void message_with_any_byte_changed_is_read_or_refused(void **state)
{
	struct nfl_packet packet, got;
	uint8_t *bytes;
	size_t len;

	(void)state;
	packet_full(&packet);
	bytes = message_pack(&packet, WIRE_VIEW_FULL, 0, &len);
	for (size_t at = 0; at < len; at++) {
		uint8_t was = bytes[at];

		for (unsigned value = 0; value < 256; value++) {
			int r;

			bytes[at] = (uint8_t)value;
			r = wire_read_packet((struct nfl_bytes){bytes, (uint32_t)len}, &got);
			assert_true(r == 0 || r == -EBADMSG);
		}
		bytes[at] = was;
	}
	free(bytes);
}

static void unknown_fields_and_wrong_types_are_skipped(void **state)
{
	struct nfl_packet got;

	(void)state;
	assert_int_equal(
	    wire_read_packet(BYTES(0xf8, 0x7f, 1,                      /* field 2047, number */
				   0x81, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, /* 256, 64 bits */
				   0x85, 0x10, 1, 2, 3, 4,             /* 256, 32 bits */
				   0x82, 0x10, 2, 0xff, 0xff,          /* 256, bytes */
				   0x0a, 1, 9,                         /* sequence as bytes */
				   0x60, 5,                            /* payload as a number */
				   0x70, 5,                            /* decoded as a number */
				   0x15, 9, 9, 9, 9,                   /* source_id in 32 bits */
				   0x08, 7),                           /* sequence */
			     &got),
	    0);
	assert_int_equal(got.sequence, 7);
	assert_int_equal(got.source_id, 0);
	assert_true(got.record.present == 0);
	assert_int_equal(got.decoded.present, 0);
}

static void malformed_messages_are_refused(void **state)
{
	static const uint8_t endless[] = {0x08, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	struct nfl_packet got;

	(void)state;
	assert_int_equal(wire_read_packet(BYTES(0x00, 0x01), &got), -EBADMSG);    /* field 0 */
	assert_int_equal(wire_read_packet(BYTES(0x0b), &got), -EBADMSG);          /* group */
	assert_int_equal(wire_read_packet(BYTES(0x0c), &got), -EBADMSG);          /* end of group */
	assert_int_equal(wire_read_packet(BYTES(0x0e), &got), -EBADMSG);          /* no such type */
	assert_int_equal(wire_read_packet(BYTES(0x08), &got), -EBADMSG);          /* no number */
	assert_int_equal(wire_read_packet(BYTES(0x62), &got), -EBADMSG);          /* no length */
	assert_int_equal(wire_read_packet(BYTES(0x62, 2, 1), &got), -EBADMSG);    /* cut bytes */
	assert_int_equal(wire_read_packet(BYTES(0x09, 1, 2, 3), &got), -EBADMSG); /* cut 64 bits */
	assert_int_equal(wire_read_packet(BYTES(0x0d, 1, 2, 3), &got), -EBADMSG); /* cut 32 bits */
	assert_int_equal(wire_read_packet(BYTES(0x72, 2, 0x08, 0x80), &got), -EBADMSG); /* inside */
	assert_int_equal(wire_read_packet(BYTES(0x7a, 2, 0x3a, 9), &got), -EBADMSG);    /* deeper */
	assert_int_equal(
	    wire_read_packet(BYTES(0x62, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
			     &got),
	    -EBADMSG); /* a length of 2^64 - 1 */
	assert_int_equal(wire_read_packet((struct nfl_bytes){endless, sizeof(endless)}, &got),
			 -EBADMSG);
	assert_int_equal(wire_read_packet((struct nfl_bytes){NULL, 0}, &got), 0);
}

static void last_of_a_repeated_singular_field_counts_and_messages_merge(void **state)
{
	struct nfl_packet got;

	(void)state;
	assert_int_equal(wire_read_packet(BYTES(0x08, 1, 0x08, 2,           /* sequence */
						0x62, 1, 'a', 0x62, 1, 'b', /* payload */
						0x4a, 2, 0x08, 5,           /* input, index */
						0x4a, 3, 0x12, 1, 'e',      /* input, name */
						0x1a, 2, 0x08, 3,  /* receive_time, seconds */
						0x1a, 2, 0x10, 4), /* receive_time, nanos */
					  &got),
			 0);
	assert_int_equal(got.sequence, 2);
	assert_int_equal(got.record.payload.len, 1);
	assert_int_equal(got.record.payload.data[0], 'b');
	assert_int_equal(got.record.indev, 5);
	assert_int_equal(got.indev_name.len, 1);
	assert_true(got.record.receive_time_ns == INT64_C(3000000004));
}

static void address_of_another_length_is_as_absent(void **state)
{
	struct nfl_packet got;

	(void)state;
	assert_int_equal(wire_read_packet(BYTES(0x72, 13, 0x08, 4, 0x12, 3, 1, 2, 3, /* 3 bytes */
						0x1a, 4, 1, 2, 3, 4),
					  &got),
			 0);
	assert_int_equal(got.decoded.present, NFL_HAS_IP);
	assert_int_equal(wire_read_packet(BYTES(0x72, 6, 0x12, 4, 1, 2, 3, 4), &got),
			 0); /* one only */
	assert_int_equal(got.decoded.present, 0);
	assert_int_equal(wire_read_packet(BYTES(0x72, 8, 0x12, 2, 1, 2, 0x1a, 2, 3, 4), &got),
			 0); /* both of 2 bytes */
	assert_int_equal(got.decoded.present, 0);
	assert_int_equal(
	    wire_read_packet(BYTES(0x72, 24, 0x12, 4, 1, 2, 3, 4, /* 4 and 16 */
				   0x1a, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
			     &got),
	    0);
	assert_int_equal(got.decoded.present, 0);
	assert_int_equal(wire_read_packet(BYTES(0x7a, 4, 0x3a, 2, 0x18, 6), &got), 0); /* tuple */
	assert_int_equal(got.conntrack.present, 0);
}

static void number_too_large_for_its_place_is_as_absent(void **state)
{
	struct nfl_packet got;

	(void)state;
	assert_int_equal(wire_read_packet(BYTES(0x28, 0x82, 0x02,       /* family 258 */
						0x38, 0x80, 0x80, 0x04, /* hw_protocol 65536 */
						0x98, 0x01, 0x80, 0x80, 0x04, /* hw_type 65536 */
						0x72, 7,                      /* decoded */
						0x20, 0x80, 0x02,             /* protocol 256 */
						0x28, 0x80, 0x80, 0x04),      /* port 65536 */
					  &got),
			 0);
	assert_int_equal(got.record.family, 0);
	assert_int_equal(got.record.hw_protocol, 0);
	assert_true(got.record.present == 0);
	assert_int_equal(got.decoded.present, 0);
}

static void times_at_both_ends_of_64_bits_are_read_as_written(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct nfl_packet packet, got;
		struct nfl_bytes bytes;
		uint8_t *block;

		packet_tcp(&packet);
		packet.record.present |= NFL_HAS_PACKET_TIME;
		packet.record.packet_time_ns = packet.record.receive_time_ns = times[i];
		bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
		assert_int_equal(wire_read_packet(bytes, &got), 0);
		assert_true(got.record.present & NFL_HAS_PACKET_TIME);
		assert_true(got.record.packet_time_ns == times[i]);
		assert_true(got.record.receive_time_ns == times[i]);
		free(block);
	}
}

static void time_beyond_64_bits_of_nanoseconds_is_as_absent(void **state)
{
	struct nfl_packet got;

	(void)state;
	assert_int_equal(wire_read_packet(BYTES(0x1a, 10, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						0xff, 0xff, 0x7f, 0x22, 10, 0x08, 0xff, 0xff, 0xff,
						0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
					  &got),
			 0);
	assert_true(got.record.receive_time_ns == 0);
	assert_true(got.record.present == 0);
}

static void more_unknown_attributes_than_fit_are_skipped(void **state)
{
	uint8_t bytes[3 * (NFL_UNKNOWN_MAX + 5)];
	struct nfl_packet got;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 3)
		memcpy(bytes + i, "\xf2\x01\x00", 3);
	assert_int_equal(wire_read_packet((struct nfl_bytes){bytes, sizeof(bytes)}, &got), 0);
	assert_int_equal(got.record.unknown_count, NFL_UNKNOWN_MAX);
}

static int response(struct nfl_bytes bytes, struct nfl_bytes *ret_batch,
		    struct nfl_bytes *ret_token)
{
	return wire_response_batch(bytes.data, bytes.len, ret_batch, ret_token);
}

static void response_is_a_batch_when_that_is_its_last_event(void **state)
{
	struct nfl_bytes batch, token;

	(void)state;
	assert_int_equal(response(BYTES(0x12, 2, 0x0a, 0, 0x7a, 1, 't'), &batch, &token), 1);
	assert_int_equal(batch.len, 2);
	assert_int_equal(token.len, 1);
	assert_int_equal(response(BYTES(0x12, 0), &batch, &token), 1);
	assert_int_equal(batch.len, 0);
	assert_int_equal(token.len, 0);
	assert_int_equal(response(BYTES(0x22, 0, 0x12, 0), &batch, &token), 1);
	assert_int_equal(response(BYTES(0x12, 0, 0x22, 0), &batch, &token), 0);
	assert_int_equal(response(BYTES(0x22, 0), &batch, &token), 0);
	assert_int_equal(response((struct nfl_bytes){NULL, 0}, &batch, &token), 0);
	assert_int_equal(response(BYTES(0x7a, 1, 't'), &batch, &token), 0);
	assert_int_equal(response(BYTES(0x3a, 1, 'x', 0x10, 1), &batch, &token), 0); /* unknown */
}

static void response_that_would_lose_packets_is_refused(void **state)
{
	struct nfl_bytes batch, token;

	(void)state;
	assert_int_equal(response(BYTES(0x12, 0, 0x12, 0), &batch, &token), -EBADMSG);
	assert_int_equal(response(BYTES(0x12, 1), &batch, &token), -EBADMSG);
	assert_int_equal(response(BYTES(0x12, 0, 0x80), &batch, &token), -EBADMSG);
}

static void batch_gives_its_packets_in_order_and_ends(void **state)
{
	struct nfl_bytes batch = BYTES(0x0a, 1, 'a', 0x10, 5, 0x0a, 0, 0x12, 1, 'x', 0x0a, 1, 'c');
	struct nfl_bytes packet;

	(void)state;
	assert_int_equal(wire_batch_next(&batch, &packet), 1);
	assert_int_equal(packet.data[0], 'a');
	assert_int_equal(wire_batch_next(&batch, &packet), 1);
	assert_int_equal(packet.len, 0);
	assert_int_equal(wire_batch_next(&batch, &packet), 1);
	assert_int_equal(packet.data[0], 'c');
	assert_int_equal(wire_batch_next(&batch, &packet), 0);
	batch = BYTES(0x0a, 2, 'a');
	assert_int_equal(wire_batch_next(&batch, &packet), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_field_that_protobuf_packs_is_read),
	    cmocka_unit_test(read_packet_has_the_presence_bits_of_the_one_written),
	    cmocka_unit_test(message_cut_at_any_length_is_never_read_past_its_end),
	    cmocka_unit_test(message_with_any_byte_changed_is_read_or_refused),
	    cmocka_unit_test(unknown_fields_and_wrong_types_are_skipped),
	    cmocka_unit_test(malformed_messages_are_refused),
	    cmocka_unit_test(last_of_a_repeated_singular_field_counts_and_messages_merge),
	    cmocka_unit_test(address_of_another_length_is_as_absent),
	    cmocka_unit_test(number_too_large_for_its_place_is_as_absent),
	    cmocka_unit_test(times_at_both_ends_of_64_bits_are_read_as_written),
	    cmocka_unit_test(time_beyond_64_bits_of_nanoseconds_is_as_absent),
	    cmocka_unit_test(more_unknown_attributes_than_fit_are_skipped),
	    cmocka_unit_test(response_is_a_batch_when_that_is_its_last_event),
	    cmocka_unit_test(response_that_would_lose_packets_is_refused),
	    cmocka_unit_test(batch_gives_its_packets_in_order_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
