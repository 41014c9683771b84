/* SPDX-License-Identifier: MIT */
/*
 * wire/cut.h - what is left of a stored record for a reader who may not have all of it
 *
 * Such a reader gets what a kernel would have given that copied only so many bytes: what is decoded
 * from the payload, and the original length, which may be, are found anew.
 */
#ifndef WIRE_CUT_H
#define WIRE_CUT_H

#include "put_decoded.h"
#include "wire.h"

#define CUT_ANEW_MAX_BYTES (PUT_DECODED_MAX_BYTES + 6) /* and original_length */

/* The payload without its tag and length. */
static inline struct nfl_bytes stored_payload(const struct wire_stored *stored)
{
	const uint8_t *end = (const uint8_t *)(stored + 1) + stored->decoded + stored->meta +
			     stored->ct_basic + stored->ct_full + stored->ct_raw + stored->rest +
			     stored->payload;

	return (struct nfl_bytes){end - stored->payload_data, stored->payload_data};
}

/* Bytes of the payload that the reader may have. */
static inline uint32_t cut_payload_len(const struct wire_stored *stored, const struct wire_cut *cut)
{
	if (cut->no_payload)
		return 0;
	return cut->payload_max && cut->payload_max < stored->payload_data ? cut->payload_max
									   : stored->payload_data;
}

static inline bool stored_has_conntrack(const struct wire_stored *stored)
{
	return stored->ct_basic || stored->ct_full || stored->ct_raw;
}

/* Does the reader get less than there is? Most do not: then nothing is encoded anew. */
static inline bool cut_applies(const struct wire_stored *stored, const struct wire_cut *cut)
{
	return cut && ((cut->no_conntrack && stored_has_conntrack(stored)) ||
		       cut_payload_len(stored, cut) < stored->payload_data);
}

/* The segment `meta` without original_length. */
struct nfl_bytes cut_meta(const struct wire_stored *stored);

/* Writes the fields decoded (not of the RAW view) and original_length. Returns their length. */
uint32_t cut_encode(uint8_t anew[CUT_ANEW_MAX_BYTES], const struct wire_stored *stored,
		    const struct wire_cut *cut, enum wire_view view);

#endif
