/* SPDX-License-Identifier: MIT */
/*
 * compose.c - a view of a stored record as one element of PacketBatch.packets
 *
 * In comes what store.c wrote, out go at most three ranges of it behind a tag and a length; only a
 * payload that is cut gets a new length. Called for every packet and subscriber: no field is looked
 * at here.
 */
#include "fields.h"
#include "put.h"
#include "wire.h"

/* The element's content: ranges in order, then a payload that has to be cut. */
struct view {
	struct nfl_bytes range[3];
	struct nfl_bytes cut; /* data of a payload to be cut, len 0: none */
	size_t len;           /* of all, cut payload with tag and length */
};

static size_t varint_len(size_t value)
{
	size_t len = 1;

	for (; value >= 0x80; value >>= 7)
		len++;
	return len;
}

static void view_of(const struct wire_stored *stored, enum wire_view view, uint32_t payload_limit,
		    struct view *ret)
{
	const uint8_t *decoded = (const uint8_t *)(stored + 1);
	const uint8_t *meta = decoded + stored->decoded;
	const uint8_t *ct_basic = meta + stored->meta;
	const uint8_t *ct_full = ct_basic + stored->ct_basic;
	const uint8_t *ct_raw = ct_full + stored->ct_full;
	const uint8_t *rest = ct_raw + stored->ct_raw;
	bool cut = payload_limit && stored->payload_data > payload_limit;

	*ret = (struct view){0};
	if (view == WIRE_VIEW_BASIC) {
		ret->len = (size_t)stored->decoded + stored->meta + stored->ct_basic;
		ret->range[0] = (struct nfl_bytes){decoded, (uint32_t)ret->len};
		return;
	}
	if (view == WIRE_VIEW_RAW) {
		ret->range[0] = (struct nfl_bytes){meta, stored->meta};
		ret->range[1] = (struct nfl_bytes){ct_raw, stored->ct_raw};
	} else {
		ret->range[0] = (struct nfl_bytes){decoded, stored->decoded + stored->meta};
		ret->range[1] = (struct nfl_bytes){ct_full, stored->ct_full};
	}
	ret->range[2] = (struct nfl_bytes){rest, stored->rest + (cut ? 0 : stored->payload)};
	ret->len = (size_t)ret->range[0].len + ret->range[1].len + ret->range[2].len;
	if (cut) {
		ret->cut.data = rest + stored->rest + stored->payload - stored->payload_data;
		ret->cut.len = payload_limit;
		ret->len += 1 + varint_len(payload_limit) + payload_limit;
	}
}

size_t wire_composed_len(const struct wire_stored *stored, enum wire_view view,
			 uint32_t payload_limit)
{
	struct view v;

	view_of(stored, view, payload_limit, &v);
	return 1 + varint_len(v.len) + v.len;
}

/* put_varint() without its slack: the buffer ends where the element does. */
static uint8_t *put_length(uint8_t *p, size_t len)
{
	for (; len >= 0x80; len >>= 7)
		*p++ = (uint8_t)(len | 0x80);
	*p++ = (uint8_t)len;
	return p;
}

size_t wire_compose(void *buf, const struct wire_stored *stored, enum wire_view view,
		    uint32_t payload_limit)
{
	uint8_t *p = buf;
	struct view v;

	view_of(stored, view, payload_limit, &v);
	p = put_length(put_tag(p, BATCH_PACKETS), v.len);
	for (unsigned i = 0; i < sizeof(v.range) / sizeof(v.range[0]); i++)
		p = put_copy(p, v.range[i].data, v.range[i].len);
	if (v.cut.len) {
		p = put_length(put_tag(p, PACKET_PAYLOAD), v.cut.len);
		p = put_copy(p, v.cut.data, v.cut.len);
	}
	return (size_t)(p - (uint8_t *)buf);
}

size_t wire_batch_header(uint8_t buf[WIRE_BATCH_HEADER_MAX], size_t batch_len)
{
	return (size_t)(put_length(put_tag(buf, RESPONSE_BATCH), batch_len) - buf);
}
