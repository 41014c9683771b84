/* SPDX-License-Identifier: MIT */
/*
 * compose.c - a view of a stored record as one element of PacketBatch.packets
 *
 * In comes what store.c wrote, out go at most three ranges of it behind a tag and a length; only a
 * payload that is cut gets a new length. Called for every packet and subscriber: no field is looked
 * at here. For readers who may not have all of a packet, cut.c encodes anew what depends on it.
 */
#include "cut.h"
#include "fields.h"
#include "put.h"
#include "wire.h"

/* The element's content: ranges of the stored record in order, then a payload that has to be cut. */
struct view {
	struct nfl_bytes anew; /* not of the stored record: for readers with a cut */
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

static const uint8_t *rest_of(const struct wire_stored *stored)
{
	return (const uint8_t *)(stored + 1) + stored->decoded + stored->meta + stored->ct_basic +
	       stored->ct_full + stored->ct_raw;
}

static struct nfl_bytes conntrack_of(const struct wire_stored *stored, enum wire_view view)
{
	const uint8_t *basic = (const uint8_t *)(stored + 1) + stored->decoded + stored->meta;
	const uint8_t *full = basic + stored->ct_basic;

	switch (view) {
	case WIRE_VIEW_BASIC:
		break;
	case WIRE_VIEW_FULL:
		return (struct nfl_bytes){full, stored->ct_full};
	case WIRE_VIEW_RAW:
		return (struct nfl_bytes){full + stored->ct_full, stored->ct_raw};
	}
	return (struct nfl_bytes){basic, stored->ct_basic};
}

static void cut_payload_to(struct view *view, struct nfl_bytes payload, uint32_t len)
{
	view->cut = (struct nfl_bytes){payload.data, len};
	view->len += len ? 1 + varint_len(len) + len : 0;
}

static void view_of(const struct wire_stored *stored, enum wire_view view, uint32_t payload_limit,
		    struct view *ret)
{
	const uint8_t *decoded = (const uint8_t *)(stored + 1);
	bool raw = view == WIRE_VIEW_RAW;

	*ret = (struct view){0};
	if (view == WIRE_VIEW_BASIC) {
		ret->head.data = decoded;
		ret->head.len = stored->decoded + stored->meta + stored->ct_basic;
		ret->len = ret->head.len;
		return;
	}
	ret->head.data = decoded + (raw ? stored->decoded : 0);
	ret->head.len = stored->meta + (raw ? 0 : stored->decoded);
	ret->conntrack = conntrack_of(stored, view);
	ret->tail = (struct nfl_bytes){rest_of(stored), stored->rest + stored->payload};
	if (payload_limit && stored->payload_data > payload_limit) {
		ret->tail.len = stored->rest;
		cut_payload_to(ret, stored_payload(stored), payload_limit);
	}
	ret->len += (size_t)ret->head.len + ret->conntrack.len + ret->tail.len;
	if (ret->conntrack.len == 0) {
		ret->head.len += ret->tail.len;
		ret->tail.len = 0;
	}
}

/* The same for a reader who may not have all of it. @anew: CUT_ANEW_MAX_BYTES, filled. */
static void view_of_cut(const struct wire_stored *stored, enum wire_view view,
			uint32_t payload_limit, const struct wire_cut *cut, uint8_t *anew,
			struct view *ret)
{
	uint32_t payload = cut_payload_len(stored, cut);

	*ret = (struct view){.head = cut_meta(stored)};
	ret->anew = (struct nfl_bytes){anew, cut_encode(anew, stored, cut, view)};
	if (!cut->no_conntrack)
		ret->conntrack = conntrack_of(stored, view);
	if (view != WIRE_VIEW_BASIC) {
		ret->tail = (struct nfl_bytes){rest_of(stored), stored->rest};
		if (payload_limit && payload > payload_limit)
			payload = payload_limit;
		cut_payload_to(ret, stored_payload(stored), payload);
	}
	ret->len += (size_t)ret->anew.len + ret->head.len + ret->conntrack.len + ret->tail.len;
}

/* Nearly always the view is one range of the stored bytes. Returns its length, or 0. */
static size_t single_range(const struct wire_stored *stored, enum wire_view view,
			   uint32_t payload_limit, const struct wire_cut *cut)
{
	size_t len = (size_t)stored->decoded + stored->meta;

	if (view == WIRE_VIEW_RAW || cut_applies(stored, cut))
		return 0;
	if (view == WIRE_VIEW_BASIC)
		return len + stored->ct_basic;
	if (stored_has_conntrack(stored) || (payload_limit && stored->payload_data > payload_limit))
		return 0;
	return len + stored->rest + stored->payload;
}

size_t wire_composed_len(const struct wire_stored *stored, enum wire_view view,
			 uint32_t payload_limit, const struct wire_cut *cut)
{
	uint8_t anew[CUT_ANEW_MAX_BYTES];
	struct view v;

	if (cut_applies(stored, cut))
		view_of_cut(stored, view, payload_limit, cut, anew, &v);
	else
		view_of(stored, view, payload_limit, &v);
	return 1 + varint_len(v.len) + v.len;
}

size_t wire_compose(void *buf, const struct wire_stored *stored, enum wire_view view,
		    uint32_t payload_limit, const struct wire_cut *cut)
{
	size_t len = single_range(stored, view, payload_limit, cut);
	uint8_t anew[CUT_ANEW_MAX_BYTES];
	uint8_t *p = buf;
	struct view v;

	if (len > 0) {
		p = put_varint(put_tag(p, BATCH_PACKETS), len);
		memcpy(p, stored + 1, len);
		return (size_t)(p + len - (uint8_t *)buf);
	}
	if (cut_applies(stored, cut))
		view_of_cut(stored, view, payload_limit, cut, anew, &v);
	else
		view_of(stored, view, payload_limit, &v);
	p = put_varint(put_tag(p, BATCH_PACKETS), v.len);
	if (v.anew.len > 0)
		p = put_copy(p, v.anew.data, v.anew.len);
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

size_t wire_single_header(uint8_t buf[WIRE_SINGLE_HEADER_MAX], size_t packet_len)
{
	size_t batch_len = 1 + varint_len(packet_len) + packet_len;
	uint8_t *p = put_varint(buf, 1 + varint_len(batch_len) + batch_len);

	p += wire_batch_header(p, batch_len);
	p = put_number(p, BATCH_PACKETS, packet_len);
	return (size_t)(p - buf);
}

size_t wire_delimiter(uint8_t buf[WIRE_SINGLE_HEADER_MAX], size_t len)
{
	return (size_t)(put_varint(buf, len) - buf);
}
