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

/* The element's content: ranges of the stored record in order, then a payload that has to be cut. */
struct view {
	struct nfl_bytes head; /* decoded, meta; and the tail, where no conntrack lies between */
	struct nfl_bytes conntrack;
	struct nfl_bytes tail; /* rest, and the payload where it is whole */
	struct nfl_bytes cut;  /* the payload's data where it is to be cut */
	size_t len;            /* of all, and of the tag and length of a cut payload */
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
	const uint8_t *ct_full = meta + stored->meta + stored->ct_basic;
	const uint8_t *rest = ct_full + stored->ct_full + stored->ct_raw;
	bool raw = view == WIRE_VIEW_RAW;

	*ret = (struct view){0};
	if (view == WIRE_VIEW_BASIC) {
		ret->len = (size_t)(ct_full - decoded);
		ret->head = (struct nfl_bytes){decoded, (uint32_t)ret->len};
		return;
	}
	ret->head.data = raw ? meta : decoded;
	ret->head.len = stored->meta + (raw ? 0 : stored->decoded);
	ret->conntrack.data = raw ? ct_full + stored->ct_full : ct_full;
	ret->conntrack.len = raw ? stored->ct_raw : stored->ct_full;
	ret->tail = (struct nfl_bytes){rest, stored->rest + stored->payload};
	if (payload_limit && stored->payload_data > payload_limit) {
		ret->tail.len = stored->rest;
		ret->cut.data = rest + stored->rest + stored->payload - stored->payload_data;
		ret->cut.len = payload_limit;
		ret->len = 1 + varint_len(payload_limit) + payload_limit;
	}
	ret->len += (size_t)ret->head.len + ret->conntrack.len + ret->tail.len;
	if (ret->conntrack.len == 0) {
		ret->head.len += ret->tail.len;
		ret->tail.len = 0;
	}
}

size_t wire_composed_len(const struct wire_stored *stored, enum wire_view view,
			 uint32_t payload_limit)
{
	struct view v;

	view_of(stored, view, payload_limit, &v);
	return 1 + varint_len(v.len) + v.len;
}

size_t wire_compose(void *buf, const struct wire_stored *stored, enum wire_view view,
		    uint32_t payload_limit)
{
	uint8_t *p = buf;
	struct view v;

	view_of(stored, view, payload_limit, &v);
	p = put_varint(put_tag(p, BATCH_PACKETS), v.len);
	p = put_copy(p, v.head.data, v.head.len);
	p = put_copy(p, v.conntrack.data, v.conntrack.len);
	p = put_copy(p, v.tail.data, v.tail.len);
	p = put_bytes(p, PACKET_PAYLOAD, v.cut);
	return (size_t)(p - (uint8_t *)buf);
}

size_t wire_batch_header(uint8_t buf[WIRE_BATCH_HEADER_MAX], size_t batch_len)
{
	return (size_t)(put_varint(put_tag(buf, RESPONSE_BATCH), batch_len) - buf);
}
