/* SPDX-License-Identifier: MIT */
/* A payload behind family, hook and EtherType: what is found of it lies within it. */
#include <stdlib.h>

#include <nfl/decode.h>

#include "fuzz.h"

static bool is_inside(struct nfl_bytes whole, const uint8_t *part, size_t len)
{
	return len == 0 || (part >= whole.data && len <= whole.len &&
			    (size_t)(part - whole.data) <= whole.len - len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input = {bytes, len};
	struct nfl_record record = {.present = NFL_HAS_PAYLOAD | NFL_HAS_CT};
	struct nfl_bytes network;
	struct nfl_decoded decoded;

	record.family = (uint8_t)fuzz_number(&input, 1);
	record.hook_number = (uint8_t)fuzz_number(&input, 1);
	record.hw_protocol = (uint16_t)fuzz_number(&input, 2);
	record.payload = fuzz_take(&input, UINT16_MAX);
	nfl_decode_payload(&record, &decoded);
	network = nfl_decode_network(&record);
	FUZZ_CHECK(is_inside(record.payload, network.data, network.len));
	FUZZ_CHECK(decoded.transport_offset <= record.payload.len);
	if (decoded.present & NFL_HAS_ADDRESSES)
		FUZZ_CHECK(is_inside(record.payload, decoded.source, decoded.address_len) &&
			   is_inside(record.payload, decoded.destination, decoded.address_len));
	fuzz_free(record.payload);
	return 0;
}
