/* SPDX-License-Identifier: MIT */
/* Every datagram that a kernel made: decoded, stored, composed, read by protobuf-c and by us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/decode.h>

#include "bytes.h"
#include "fixtures.h"
#include "message.h"

static const enum wire_view views[] = {WIRE_VIEW_BASIC, WIRE_VIEW_FULL, WIRE_VIEW_RAW};
static const uint32_t limits[] = {0, 1, 40, 100, 65535};

static struct nfl_bytes name_of(char buf[16], uint32_t index)
{
	int len = snprintf(buf, 16, "eth%u", index);

	return (struct nfl_bytes){(const uint8_t *)buf, (uint32_t)len};
}

/* What the reader makes of a message is the message again, to the last field. */
static void assert_read_back(struct nfl_bytes bytes, struct nfl_packet *ret)
{
	assert_int_equal(wire_read_packet(bytes, ret), 0);
	message_assert_equal(bytes, ret, WIRE_VIEW_FULL, 0);
}

/* The client's packet says of itself what the server's did; only an empty prefix is as none. */
static void assert_same_presence(const struct nfl_packet *got, const struct nfl_packet *sent)
{
	uint64_t present = sent->record.present;

	if (!sent->record.prefix.len)
		present &= ~NFL_HAS_PREFIX;
	assert_true(got->record.present == present);
	assert_int_equal(got->decoded.present, sent->decoded.present);
	assert_int_equal(got->conntrack.present, sent->conntrack.present);
}

/* The packet as it should arrive: the one prefix of the fixtures that is no UTF-8 is repaired. */
static struct nfl_packet expected_of(const struct nfl_packet *packet, const char *file)
{
	static const uint8_t repaired[] = "a\x01\x1b[31m\xef\xbf\xbd\xef\xbf\xbd\\%s%n\tb";
	struct nfl_packet expected = *packet;

	if (strcmp(file, "prefix-odd.bin") == 0) {
		expected.prefix_raw = packet->record.prefix;
		expected.record.prefix = (struct nfl_bytes){repaired, sizeof(repaired) - 1};
	}
	return expected;
}

static void check_message(const struct fixture_message *fixture)
{
	struct nfl_packet packet = {.sequence = 1, .source_id = 1};
	struct nfl_packet expected, got;
	char names[4][16];

	assert_int_equal(nfl_decode_message(fixture->bytes, fixture->len, &packet.record), 0);
	nfl_decode_payload(&packet.record, &packet.decoded);
	nfl_decode_conntrack(&packet.record, &packet.conntrack);
	packet.record.receive_time_ns = INT64_C(1795410156616271001);
	packet.original_length = packet.decoded.total_length;
	packet.indev_name = name_of(names[0], packet.record.indev);
	packet.outdev_name = name_of(names[1], packet.record.outdev);
	packet.physindev_name = name_of(names[2], packet.record.physindev);
	packet.physoutdev_name = name_of(names[3], packet.record.physoutdev);
	expected = expected_of(&packet, fixture->file);
	for (size_t v = 0; v < ARRAY_SIZE(views); v++) {
		for (size_t l = 0; l < ARRAY_SIZE(limits); l++) {
			uint8_t *block;
			struct nfl_bytes bytes =
			    message_compose(&packet, views[v], limits[l], &block);

			message_assert_equal(bytes, &expected, views[v], limits[l]);
			assert_read_back(bytes, &got);
			if (views[v] == WIRE_VIEW_FULL)
				assert_same_presence(&got, &packet);
			free(block);
		}
	}
}

static void every_kernel_message_is_the_same_packet_to_protobuf(void **state)
{
	size_t files;

	(void)state;
	assert_true(fixture_for_each_message(check_message, &files) >= 153);
	assert_int_equal(files, 153);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kernel_message_is_the_same_packet_to_protobuf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
