/* SPDX-License-Identifier: MIT */
/*
 * A packet encoded by hand is the same message to protobuf-c, in every view; and our reader renders
 * what it reads as what was sent.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "message.h"
#include "text.h"

static void compare(const struct nfl_packet *sent, const struct nfl_packet *expected,
		    enum wire_view view, uint32_t limit)
{
	uint8_t *block;
	struct nfl_bytes bytes = message_compose(sent, view, limit, &block);
	struct nfl_packet got;

	memset(&got, 0xee, sizeof(got)); /* what it held before must not shine through */
	message_assert_equal(bytes, expected, view, limit);
	FUZZ_CHECK(wire_read_packet(bytes, &got) == 0);
	got.record.group = expected->record.group;
	if (view == WIRE_VIEW_FULL && limit == 0) {
		char *a = fuzz_json(expected, NULL, 0), *b = fuzz_json(&got, NULL, 0);

		FUZZ_CHECK(strcmp(a, b) == 0);
		free(a);
		free(b);
	}
	free(block);
}

/* On the wire no bytes are as none, and neither a mark nor an EtherType of 0 is there. */
static void forget_empty(struct nfl_record *r)
{
	r->present &=
	    ~((r->prefix.len ? 0 : NFL_HAS_PREFIX) | (r->hw_address.len ? 0 : NFL_HAS_HW_ADDRESS) |
	      (r->hw_header.len ? 0 : NFL_HAS_HW_HEADER) |
	      (r->l2_header.len ? 0 : NFL_HAS_L2_HEADER) | (r->payload.len ? 0 : NFL_HAS_PAYLOAD) |
	      (r->mark ? 0 : NFL_HAS_MARK) | (r->vlan_proto ? 0 : NFL_HAS_VLAN_PROTO));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct nfl_packet sent, expected;
	uint8_t *repaired;

	if (len > UINT16_MAX || !fuzz_packet((struct nfl_bytes){bytes, (uint32_t)len}, &sent) ||
	    sent.record.prefix.len > MESSAGE_TEXT_MAX / 4 ||
	    (sent.record.prefix.len && memchr(sent.record.prefix.data, 0, sent.record.prefix.len)))
		return 0; /* texts of protobuf-c have no NUL inside */
	forget_empty(&sent.record);
	expected = sent;
	repaired = malloc(TEXT_REPAIR_GROWTH * sent.record.prefix.len + 1);
	if (!text_is_utf8(sent.record.prefix)) {
		expected.prefix_raw = sent.record.prefix;
		expected.record.prefix.len =
		    (uint32_t)(text_repair(repaired, sent.record.prefix) - repaired);
		expected.record.prefix.data = repaired;
	}
	for (int view = WIRE_VIEW_BASIC; view <= WIRE_VIEW_RAW; view++)
		for (uint32_t limit = 0; limit <= 20; limit += 20)
			compare(&sent, &expected, (enum wire_view)view, limit);
	free(repaired);
	return 0;
}
