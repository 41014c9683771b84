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

static void make_packet(const struct fixture_message *fixture, char names[4][16],
			struct nfl_packet *ret)
{
	*ret = (struct nfl_packet){.sequence = 1, .source_id = 1};
	assert_int_equal(nfl_decode_message(fixture->bytes, fixture->len, &ret->record), 0);
	nfl_decode_payload(&ret->record, &ret->decoded);
	nfl_decode_conntrack(&ret->record, &ret->conntrack);
	ret->record.receive_time_ns = INT64_C(1795410156616271001);
	ret->original_length = ret->decoded.total_length;
	ret->indev_name = name_of(names[0], ret->record.indev);
	ret->outdev_name = name_of(names[1], ret->record.outdev);
	ret->physindev_name = name_of(names[2], ret->record.physindev);
	ret->physoutdev_name = name_of(names[3], ret->record.physoutdev);
}

static void check_message(const struct fixture_message *fixture)
{
	struct nfl_packet packet, expected, got;
	char names[4][16];

	make_packet(fixture, names, &packet);
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

/* --- what repeats is encoded once ----------------------------------------------------------- */

static struct wire_memo memo;
static uint32_t head;

/* Heap blocks of the promised size, so that ASan sees what is written behind them. */
static uint8_t *stored(const struct nfl_packet *packet, struct wire_memo *with, size_t *ret_len)
{
	uint8_t *block = calloc(1, wire_store_bound(packet));

	*ret_len = wire_store(block, packet, with);
	return block;
}

static void assert_stored_alike(const struct nfl_packet *packet, const struct nfl_packet *other)
{
	size_t len, other_len;
	uint8_t *block = stored(packet, NULL, &len);
	uint8_t *same = stored(other, &memo, &other_len);

	/* the padding is nobody's */
	assert_int_equal(len, other_len);
	assert_memory_equal(block, same, len - 7);
	free(block);
	free(same);
}

static void store_again_without_names(const struct fixture_message *fixture)
{
	struct nfl_packet packet, nameless;
	char names[4][16];

	make_packet(fixture, names, &packet);
	packet.record.head = ++head;
	assert_false(wire_memo_has(&memo, packet.record.head));
	assert_stored_alike(&packet, &packet);
	if (!wire_memo_has(&memo, packet.record.head))
		return; /* too long to be kept */
	nameless = packet;
	nameless.indev_name = nameless.outdev_name = nameless.physindev_name =
	    nameless.physoutdev_name = (struct nfl_bytes){0};
	assert_stored_alike(&packet, &nameless);
	packet.record.receive_time_ns++;
	nameless.record.receive_time_ns++;
	packet.sequence = nameless.sequence = UINT64_MAX;
	assert_stored_alike(&packet, &nameless);
}

static void what_is_known_is_stored_as_what_is_new(void **state)
{
	size_t files;

	(void)state;
	memset(&memo, 0, sizeof(memo));
	(void)fixture_for_each_message(store_again_without_names, &files);
	assert_true(head > NFL_HEADS);
}

static void device_with_another_name_is_not_known(void **state)
{
	struct fixture_message fixture = fixture_message_load("netdev-ingress-udp.bin");
	struct nfl_packet packet;
	char names[4][16];

	(void)state;
	memset(&memo, 0, sizeof(memo));
	make_packet(&fixture, names, &packet);
	packet.record.head = 7;
	assert_stored_alike(&packet, &packet);
	assert_true(wire_memo_has(&memo, 7));
	assert_false(wire_memo_has(&memo, 7 + NFL_HEADS));
	assert_false(wire_memo_has(&memo, 0));
	wire_memo_forget(&memo);
	assert_false(wire_memo_has(&memo, 7));
	names[0][0] = 'w';
	assert_stored_alike(&packet, &packet);
	fixture_message_free(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kernel_message_is_the_same_packet_to_protobuf),
	    cmocka_unit_test(what_is_known_is_stored_as_what_is_new),
	    cmocka_unit_test(device_with_another_name_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
