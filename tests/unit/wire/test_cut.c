/* SPDX-License-Identifier: MIT */
/* A record with a cut is, byte by byte, what the kernel would have given with that copy range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/decode.h>

#include "bytes.h"
#include "fixtures.h"
#include "message.h"

static const enum wire_view views[] = {WIRE_VIEW_BASIC, WIRE_VIEW_FULL, WIRE_VIEW_RAW};
static const uint32_t limits[] = {0, 1, 40};

static struct nfl_bytes text(const char *s)
{
	return (struct nfl_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

/* What intake makes of a record. */
static void describe(struct nfl_packet *packet)
{
	nfl_decode_payload(&packet->record, &packet->decoded);
	packet->conntrack.present = 0;
	if (packet->record.present & NFL_HAS_CT)
		nfl_decode_conntrack(&packet->record, &packet->conntrack);
	packet->original_length = wire_original_length(packet);
	packet->sequence = 7;
	packet->source_id = 3;
	packet->record.receive_time_ns = INT64_C(1795410156616271001);
	packet->indev_name = text("veth12");
	packet->outdev_name = text("eth0");
	packet->physindev_name = text("port1");
	packet->physoutdev_name = text("port2");
}

/* The packet that a listener with this copy range, or without conntrack, gets. */
static struct nfl_packet kernel_with(const struct nfl_packet *packet, const struct wire_cut *cut)
{
	struct nfl_packet ret = *packet;

	if (cut->no_payload) {
		ret.record.present &= ~NFL_HAS_PAYLOAD;
		ret.record.payload = (struct nfl_bytes){0};
	} else if (cut->payload_max && cut->payload_max < ret.record.payload.len) {
		ret.record.payload.len = cut->payload_max;
	}
	if (cut->no_conntrack)
		ret.record.present &= ~(NFL_HAS_CT | NFL_HAS_CT_INFO);
	describe(&ret);
	return ret;
}

static struct wire_stored *store(const struct nfl_packet *packet)
{
	struct wire_stored *stored = malloc(wire_store_bound(packet));

	assert_non_null(stored);
	wire_store(stored, packet, NULL);
	return stored;
}

/* In a block of exactly the length that was announced. */
static uint8_t *compose(const struct wire_stored *stored, enum wire_view view, uint32_t limit,
			const struct wire_cut *cut, size_t *ret_len)
{
	uint8_t *block;

	*ret_len = wire_composed_len(stored, view, limit, cut);
	assert_true(*ret_len <= stored->total);
	block = malloc(*ret_len);
	assert_non_null(block);
	assert_int_equal(wire_compose(block, stored, view, limit, cut), *ret_len);
	return block;
}

static void assert_composed_as(const struct wire_stored *whole, const struct wire_cut *cut,
			       const struct wire_stored *expected)
{
	for (size_t v = 0; v < ARRAY_SIZE(views); v++) {
		for (size_t l = 0; l < ARRAY_SIZE(limits); l++) {
			size_t got_len, expected_len;
			uint8_t *got = compose(whole, views[v], limits[l], cut, &got_len);
			uint8_t *want = compose(expected, views[v], limits[l], NULL, &expected_len);

			assert_int_equal(got_len, expected_len);
			assert_memory_equal(got, want, got_len);
			free(got);
			free(want);
		}
	}
}

/* Filters see the same as the reader. */
static void assert_read_as(const struct wire_stored *whole, const struct wire_cut *cut,
			   const struct nfl_packet *expected)
{
	struct nfl_packet got;

	assert_int_equal(wire_read_stored(whole, cut, &got), 0);
	assert_int_equal(got.decoded.present, expected->decoded.present);
	assert_int_equal(got.decoded.truncated, expected->decoded.truncated);
	assert_int_equal(got.original_length, expected->original_length);
	assert_int_equal(got.record.family, expected->record.family);
	assert_int_equal(got.record.mark, expected->record.mark);
	assert_int_equal(got.record.payload.len, expected->record.payload.len);
	if (got.record.payload.len)
		assert_memory_equal(got.record.payload.data, expected->record.payload.data,
				    got.record.payload.len);
}

static void check_cut(const struct nfl_packet *packet, const struct wire_stored *whole,
		      const struct wire_cut *cut)
{
	struct nfl_packet expected = kernel_with(packet, cut);
	struct wire_stored *stored = store(&expected);

	assert_composed_as(whole, cut, stored);
	assert_read_as(whole, cut, &expected);
	free(stored);
}

static void check_message(const struct fixture_message *fixture)
{
	struct wire_cut cut = {.no_payload = true};
	struct nfl_packet packet = {0};
	struct wire_stored *whole;

	assert_int_equal(nfl_decode_message(fixture->bytes, fixture->len, &packet.record), 0);
	if (!(packet.record.present & NFL_HAS_PAYLOAD))
		packet.record.payload.len = 0;
	describe(&packet);
	whole = store(&packet);
	check_cut(&packet, whole, &cut);
	cut.no_conntrack = true;
	check_cut(&packet, whole, &cut);
	cut.no_payload = false;
	check_cut(&packet, whole, &cut);
	for (uint32_t max = 0; max <= packet.record.payload.len + 1 && max < 200; max++)
		for (int conntrack = 0; conntrack < 2; conntrack++)
			check_cut(
			    &packet, whole,
			    &(struct wire_cut){.payload_max = max, .no_conntrack = conntrack == 0});
	free(whole);
}

static void every_kernel_message_is_cut_as_the_kernel_would_have(void **state)
{
	size_t files;

	(void)state;
	assert_true(fixture_for_each_message(check_message, &files) >= 153);
}

static void ports_behind_the_cut_are_not_told(void **state)
{
	struct fixture_message fixture = fixture_message_load("inet-forward-tcp-00.bin");
	struct wire_cut cut = {.payload_max = 20};
	struct nfl_packet packet = {0};
	struct wire_stored *stored;
	struct nfl_packet got;

	(void)state;
	assert_int_equal(nfl_decode_message(fixture.bytes, fixture.len, &packet.record), 0);
	describe(&packet);
	assert_true(packet.decoded.present & NFL_HAS_PORTS);
	stored = store(&packet);
	assert_int_equal(wire_read_stored(stored, NULL, &got), 0);
	assert_true(got.decoded.present & NFL_HAS_PORTS);
	assert_int_equal(wire_read_stored(stored, &cut, &got), 0);
	assert_true(got.decoded.present & NFL_HAS_ADDRESSES);
	assert_false(got.decoded.present & (NFL_HAS_PORTS | NFL_HAS_TCP));
	free(stored);
	fixture_message_free(&fixture);
}

static void cut_without_limits_is_none(void **state)
{
	struct wire_cut none = {0};
	struct nfl_packet packet;
	struct wire_stored *stored;

	(void)state;
	packet_full(&packet); /* its decoded is invented: decoding anew would show */
	stored = store(&packet);
	assert_composed_as(stored, &none, stored);
	free(stored);
}

static void hidden_payload_leaves_neither_decoded_nor_length(void **state)
{
	struct wire_cut cut = {.no_payload = true, .no_conntrack = true};
	struct nfl_packet packet;
	struct wire_stored *stored;
	Nflog__V1__Packet *got;
	struct nfl_bytes batch, element;
	uint8_t *block;
	size_t len;

	(void)state;
	packet_full(&packet);
	stored = store(&packet);
	block = compose(stored, WIRE_VIEW_FULL, 0, &cut, &len);
	batch = (struct nfl_bytes){block, (uint32_t)len};
	assert_int_equal(wire_batch_next(&batch, &element), 1);
	got = nflog__v1__packet__unpack(NULL, element.len, element.data);
	assert_non_null(got);
	assert_null(got->decoded);
	assert_null(got->conntrack);
	assert_int_equal(got->payload.len, 0);
	assert_int_equal(got->original_length, 0);
	assert_int_equal(got->mark, packet.record.mark);
	assert_string_equal(got->prefix, "fw-drop: ");
	nflog__v1__packet__free_unpacked(got, NULL);
	free(block);
	free(stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kernel_message_is_cut_as_the_kernel_would_have),
	    cmocka_unit_test(ports_behind_the_cut_are_not_told),
	    cmocka_unit_test(cut_without_limits_is_none),
	    cmocka_unit_test(hidden_payload_leaves_neither_decoded_nor_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
