/* SPDX-License-Identifier: MIT */
/* What wire_store() and wire_compose() write is, to protobuf-c, the packet that went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "clock.h"
#include "message.h"

static const enum wire_view views[] = {WIRE_VIEW_BASIC, WIRE_VIEW_FULL, WIRE_VIEW_RAW};
static const uint32_t limits[] = {0, 1, 20, 64, 127, 128, 129, 65535};

static void assert_composed(const struct nfl_packet *packet, const struct nfl_packet *expected,
			    enum wire_view view, uint32_t limit)
{
	uint8_t *block;
	struct nfl_bytes bytes = message_compose(packet, view, limit, &block);

	message_assert_equal(bytes, expected, view, limit);
	free(block);
}

static void assert_every_view(const struct nfl_packet *packet, const struct nfl_packet *expected)
{
	for (size_t v = 0; v < ARRAY_SIZE(views); v++)
		for (size_t l = 0; l < ARRAY_SIZE(limits); l++)
			assert_composed(packet, expected, views[v], limits[l]);
}

static void empty_packet_has_its_receive_time_only(void **state)
{
	static const uint8_t receive_time[] = {0x1a, 0}; /* field 3, an empty message */
	struct nfl_packet packet;
	struct nfl_bytes bytes;
	uint8_t *block;

	(void)state;
	packet_empty(&packet);
	assert_every_view(&packet, &packet);
	bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
	assert_int_equal(bytes.len, sizeof(receive_time));
	assert_memory_equal(bytes.data, receive_time, sizeof(receive_time));
	free(block);
}

static void every_field_comes_out_in_every_view(void **state)
{
	struct nfl_packet packet;

	(void)state;
	packet_full(&packet);
	packet.prefix_raw.len = 0; /* the prefix needs no repair */
	assert_every_view(&packet, &packet);
	packet_tcp(&packet);
	assert_every_view(&packet, &packet);
}

static void zero_of_an_optional_field_is_written(void **state)
{
	struct nfl_packet packet;
	Nflog__V1__Packet *message;
	struct nfl_bytes bytes;
	uint8_t *block;

	(void)state;
	packet_zeros(&packet);
	assert_every_view(&packet, &packet);
	bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
	message = nflog__v1__packet__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(message);
	assert_int_equal(message->uid_presence_case, NFLOG__V1__PACKET__UID_PRESENCE_UID);
	assert_int_equal(message->uid, 0);
	assert_int_equal(message->conntrack->info_presence_case,
			 NFLOG__V1__CONNTRACK__INFO_PRESENCE_INFO);
	assert_int_equal(message->vlan->tci_presence_case, NFLOG__V1__VLAN__TCI_PRESENCE_TCI);
	assert_int_equal(message->decoded->source_port_presence_case,
			 NFLOG__V1__DECODED__SOURCE_PORT_PRESENCE_SOURCE_PORT);
	nflog__v1__packet__free_unpacked(message, NULL);
	free(block);
}

static void basic_view_has_no_payload_and_raw_view_nothing_decoded(void **state)
{
	Nflog__V1__Packet *message;
	struct nfl_packet packet;
	struct nfl_bytes bytes;
	uint8_t *block;

	(void)state;
	packet_full(&packet);
	bytes = message_compose(&packet, WIRE_VIEW_BASIC, 0, &block);
	message = nflog__v1__packet__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(message);
	assert_int_equal(message->payload.len, 0);
	assert_int_equal(message->hw_header.len, 0);
	assert_int_equal(message->l2_header.len, 0);
	assert_int_equal(message->n_unknown_attributes, 0);
	assert_int_equal(message->conntrack->attributes.len, 0);
	assert_non_null(message->conntrack->reply);
	assert_non_null(message->decoded);
	nflog__v1__packet__free_unpacked(message, NULL);
	free(block);
	bytes = message_compose(&packet, WIRE_VIEW_RAW, 0, &block);
	message = nflog__v1__packet__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(message);
	assert_null(message->decoded);
	assert_null(message->conntrack->reply);
	assert_int_equal(message->conntrack->attributes.len, packet.record.ct.len);
	assert_int_equal(message->payload.len, packet.record.payload.len);
	nflog__v1__packet__free_unpacked(message, NULL);
	free(block);
}

static void payload_limit_cuts_the_payload_and_nothing_else(void **state)
{
	struct nfl_packet packet;

	(void)state;
	packet_full(&packet);
	packet.prefix_raw.len = 0;
	for (uint32_t limit = 1; limit <= packet.record.payload.len + 2; limit++) {
		struct nfl_packet cut = packet;

		if (limit < cut.record.payload.len)
			cut.record.payload.len = limit;
		for (size_t v = 0; v < ARRAY_SIZE(views); v++) {
			uint8_t *block;
			struct nfl_bytes bytes = message_compose(&packet, views[v], limit, &block);

			message_assert_equal(bytes, &cut, views[v], 0);
			free(block);
		}
	}
}

static void long_texts_attributes_and_payloads_have_longer_lengths(void **state)
{
	uint8_t *bulk = calloc(1, 70000);
	struct nfl_packet packet;

	(void)state;
	assert_non_null(bulk);
	memset(bulk, 'x', 70000);
	packet_full(&packet);
	packet.prefix_raw.len = 0;
	packet.record.prefix = (struct nfl_bytes){bulk, 200};
	packet.indev_name = (struct nfl_bytes){bulk, 1000};
	packet.record.ct = (struct nfl_bytes){bulk, 65531};
	packet.record.payload = (struct nfl_bytes){bulk, 65535};
	packet.record.hw_header = (struct nfl_bytes){bulk, 300};
	packet.record.unknown[1] = (struct nfl_bytes){bulk, 65531};
	assert_every_view(&packet, &packet);
	free(bulk);
}

static void prefix_that_is_no_text_is_repaired_and_kept_raw(void **state)
{
	static const uint8_t raw[] = {'a', 0xff, 0xc3, 0xbc, 0xe2, 0x82};
	static const uint8_t repaired[] = "a\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd";
	struct nfl_packet packet, expected;

	(void)state;
	packet_tcp(&packet);
	packet.record.prefix = (struct nfl_bytes){raw, sizeof(raw)};
	expected = packet;
	expected.record.prefix = (struct nfl_bytes){repaired, sizeof(repaired) - 1};
	expected.prefix_raw = packet.record.prefix;
	assert_every_view(&packet, &expected);
}

static void prefix_of_bad_bytes_only_grows_threefold_within_the_bound(void **state)
{
	uint8_t raw[1000];
	uint8_t repaired[3 * sizeof(raw)];
	struct nfl_packet packet, expected;

	(void)state;
	memset(raw, 0xfe, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		memcpy(repaired + 3 * i, "\xef\xbf\xbd", 3);
	packet_full(&packet);
	packet.record.prefix = (struct nfl_bytes){raw, sizeof(raw)};
	packet.physindev_name = packet.record.prefix;
	expected = packet;
	expected.record.prefix = (struct nfl_bytes){repaired, sizeof(repaired)};
	expected.physindev_name = expected.record.prefix;
	expected.prefix_raw = packet.record.prefix;
	assert_every_view(&packet, &expected);
}

static void times_before_1970_count_nanoseconds_forward(void **state)
{
	struct nfl_packet packet;

	(void)state;
	packet_tcp(&packet);
	packet.record.receive_time_ns = -1;
	packet.record.packet_time_ns = INT64_MIN;
	assert_every_view(&packet, &packet);
}

static void packet_that_is_not_understood_has_no_decoded_message(void **state)
{
	struct nfl_packet packet;
	Nflog__V1__Packet *message;
	struct nfl_bytes bytes;
	uint8_t *block;

	(void)state;
	packet_tcp(&packet);
	packet.decoded = (struct nfl_decoded){0};
	bytes = message_compose(&packet, WIRE_VIEW_FULL, 0, &block);
	message = nflog__v1__packet__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(message);
	assert_null(message->decoded);
	assert_null(message->conntrack);
	nflog__v1__packet__free_unpacked(message, NULL);
	free(block);
}

/* Elements of many packets behind one header, as a response is sent. */
static void batch_of_elements_is_one_response(void **state)
{
	const size_t count = 300;
	uint8_t *bytes = malloc(WIRE_BATCH_HEADER_MAX + count * 512);
	uint8_t *elements = bytes + WIRE_BATCH_HEADER_MAX;
	struct wire_stored *stored;
	Nflog__V1__SubscribeResponse *response;
	uint8_t header[WIRE_BATCH_HEADER_MAX];
	struct nfl_packet packet;
	size_t len = 0, header_len;

	(void)state;
	assert_non_null(bytes);
	packet_tcp(&packet);
	stored = malloc(wire_store_bound(&packet));
	assert_non_null(stored);
	for (size_t i = 0; i < count; i++) {
		packet.sequence = i + 1;
		wire_store(stored, &packet, NULL);
		len += wire_compose(elements + len, stored, WIRE_VIEW_FULL, (uint32_t)(i % 7) * 30,
				    NULL);
	}
	header_len = wire_batch_header(header, len);
	memcpy(elements - header_len, header, header_len);
	response =
	    nflog__v1__subscribe_response__unpack(NULL, header_len + len, elements - header_len);
	assert_non_null(response);
	assert_int_equal(response->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	assert_int_equal(response->batch->n_packets, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(response->batch->packets[i]->sequence, i + 1);
	nflog__v1__subscribe_response__free_unpacked(response, NULL);
	free(stored);
	free(bytes);
}

static void batch_header_holds_any_length(void **state)
{
	static const size_t lens[] = {0, 127, 128, 65536, 1048576, SIZE_MAX};
	uint8_t *buf = malloc(WIRE_BATCH_HEADER_MAX);

	(void)state;
	assert_non_null(buf);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		assert_true(wire_batch_header(buf, lens[i]) <= WIRE_BATCH_HEADER_MAX);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_packet_has_its_receive_time_only),
	    cmocka_unit_test(every_field_comes_out_in_every_view),
	    cmocka_unit_test(zero_of_an_optional_field_is_written),
	    cmocka_unit_test(basic_view_has_no_payload_and_raw_view_nothing_decoded),
	    cmocka_unit_test(payload_limit_cuts_the_payload_and_nothing_else),
	    cmocka_unit_test(long_texts_attributes_and_payloads_have_longer_lengths),
	    cmocka_unit_test(prefix_that_is_no_text_is_repaired_and_kept_raw),
	    cmocka_unit_test(prefix_of_bad_bytes_only_grows_threefold_within_the_bound),
	    cmocka_unit_test(times_before_1970_count_nanoseconds_forward),
	    cmocka_unit_test(packet_that_is_not_understood_has_no_decoded_message),
	    cmocka_unit_test(batch_of_elements_is_one_response),
	    cmocka_unit_test(batch_header_holds_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
