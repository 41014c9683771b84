/* SPDX-License-Identifier: MIT */
/* A datagram as the listener reads it; a message decodes with a memo that knows it as without. */
#include <string.h>

#include <nfl/decode.h>

#include "datagram.h"
#include "fuzz.h"
#include "memo.h"
#include "same.h"

static struct memo memo;

static int look_at(const struct nfl_record *record, void *data)
{
	struct nfl_conntrack conntrack;

	nfl_decode_conntrack(record, &conntrack);
	FUZZ_CHECK(record->payload.len <= *(const uint32_t *)data);
	return 0;
}

static void compare(const uint8_t *bytes, size_t len)
{
	struct nfl_record plain, quick;
	int r = nfl_decode_message(bytes, len, &plain);

	memset(&quick, 0xee, sizeof(quick)); /* what it held before must not shine through */
	FUZZ_CHECK(memo_decode(bytes, len, &memo, &quick) == r);
	FUZZ_CHECK(r < 0 || same_records(&quick, &plain));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct nfl_listener_stats stats = {0};
	struct stream stream = {.copy_range = 1000, .memo = &memo};
	struct datagram datagram = {.at = bytes, .left = len, .time_ns = 1};

	memset(&memo, 0, sizeof(memo));
	FUZZ_CHECK(datagram_deliver(&datagram, &stream, &stats, look_at, &stream.copy_range) >= 0);
	FUZZ_CHECK(datagram.left == 0);
	compare(bytes, len);
	compare(bytes, len);
	return 0;
}
