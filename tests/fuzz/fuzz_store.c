/* SPDX-License-Identifier: MIT */
/*
 * A packet as the history keeps it: with a memo the same bytes as without; every view and cut of it as
 * long as announced, and a message to protobuf-c.
 */
#include <stdlib.h>
#include <string.h>

#include <nflog/v1/nflog.pb-c.h>

#include "fuzz.h"
#include "wire.h"

#define PADDING_MAX 7 /* bytes at the end, which are nobody's */

static struct wire_memo memo;

static struct wire_stored *store(const struct nfl_packet *packet, struct wire_memo *with)
{
	size_t bound = wire_store_bound(packet);
	struct wire_stored *stored = calloc(1, bound);

	FUZZ_CHECK(stored && wire_store(stored, packet, with) <= bound);
	return stored;
}

static void compose(const struct wire_stored *stored, enum wire_view view, uint32_t limit,
		    const struct wire_cut *cut)
{
	size_t len = wire_composed_len(stored, view, limit, cut);
	struct nfl_bytes batch = {malloc(len), (uint32_t)len}, rest, packet;
	Nflog__V1__Packet *message;

	FUZZ_CHECK(len <= stored->total);
	FUZZ_CHECK(wire_compose((void *)(uintptr_t)batch.data, stored, view, limit, cut) == len);
	rest = batch;
	FUZZ_CHECK(wire_batch_next(&rest, &packet) == 1 && rest.len == 0);
	message = nflog__v1__packet__unpack(NULL, packet.len, packet.data);
	FUZZ_CHECK(message && message->base.n_unknown_fields == 0);
	FUZZ_CHECK(!cut->payload_max || message->payload.len <= cut->payload_max);
	FUZZ_CHECK(!cut->no_payload || message->payload.len == 0);
	FUZZ_CHECK(!cut->no_conntrack || !message->conntrack);
	nflog__v1__packet__free_unpacked(message, NULL);
	fuzz_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input = {bytes, len};
	struct wire_cut cut = {.payload_max = fuzz_number(&input, 1)};
	uint32_t flags = fuzz_number(&input, 1);
	struct nfl_bytes message = fuzz_take(&input, UINT16_MAX);
	struct wire_stored *plain, *quick;
	struct nfl_packet packet;

	cut.no_payload = flags & 1;
	cut.no_conntrack = flags & 2;
	memset(&memo, 0, sizeof(memo));
	if (fuzz_packet(message, &packet)) {
		packet.record.head = flags | 1;
		plain = store(&packet, NULL);
		for (int i = 0; i < 2; i++) { /* the second time it is known */
			quick = store(&packet, &memo);
			FUZZ_CHECK(plain->total == quick->total &&
				   memcmp(plain, quick, plain->total - PADDING_MAX) == 0);
			free(quick);
		}
		for (int view = WIRE_VIEW_BASIC; view <= WIRE_VIEW_RAW; view++)
			compose(plain, (enum wire_view)view, flags >> 4, &cut);
		FUZZ_CHECK(wire_read_stored(plain, &cut, &packet) == 0);
		free(plain);
	}
	fuzz_free(message);
	return 0;
}
