/* SPDX-License-Identifier: MIT */
/*
 * cut.c - stored records for readers who may not have all of them, and for filters
 *
 * In comes what store.c wrote, out goes a struct nfl_packet, or the fields that depend on how much
 * of the payload there is. Called by compose.c where a reader has a cut, and for each record that a
 * filter is to judge.
 */
#include "cut.h"

#include <nfl/decode.h>

#include "get.h"
#include "put.h"

uint32_t wire_original_length(const struct nfl_packet *packet)
{
	/* BIG TCP and jumbograms: the header says 0 where it cannot tell. */
	if ((packet->decoded.present & NFL_HAS_IP) && packet->decoded.total_length)
		return packet->decoded.total_length;
	return packet->record.present & NFL_HAS_PAYLOAD ? packet->record.payload.len : 0;
}

int wire_read_stored(const struct wire_stored *stored, const struct wire_cut *cut,
		     struct nfl_packet *ret)
{
	struct nfl_bytes headers = {(const uint8_t *)(stored + 1), stored->decoded + stored->meta};
	struct nfl_bytes payload = stored_payload(stored);
	int r = wire_read_packet(headers, ret);

	if (r < 0)
		return r;
	if (cut)
		payload.len = cut_payload_len(stored, cut);
	if (payload.len > 0) {
		ret->record.payload = payload;
		ret->record.present |= NFL_HAS_PAYLOAD;
	}
	if (payload.len < stored->payload_data) {
		nfl_decode_payload(&ret->record, &ret->decoded);
		ret->original_length = wire_original_length(ret);
	}
	return 0;
}

struct nfl_bytes cut_meta(const struct wire_stored *stored)
{
	struct nfl_bytes meta = {(const uint8_t *)(stored + 1) + stored->decoded, stored->meta};
	struct get g = get_start(meta);
	struct field f;

	/* store.c puts it first; a packet without one begins with another field */
	if (get_field(&g, &f) > 0 && f.tag == PACKET_ORIGINAL_LENGTH)
		meta = (struct nfl_bytes){g.p, (uint32_t)(g.end - g.p)};
	return meta;
}

uint32_t cut_encode(uint8_t anew[CUT_ANEW_MAX_BYTES], const struct wire_stored *stored,
		    const struct wire_cut *cut, enum wire_view view)
{
	struct nfl_packet packet;
	uint8_t *p = anew;

	if (wire_read_stored(stored, cut, &packet) < 0)
		return 0;
	if (view != WIRE_VIEW_RAW)
		p = put_decoded(p, &packet.decoded);
	p = put_nonzero(p, PACKET_ORIGINAL_LENGTH, packet.original_length);
	return (uint32_t)(p - anew);
}
