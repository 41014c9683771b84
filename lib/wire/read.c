/* SPDX-License-Identifier: MIT */
/*
 * read.c - responses, batches and packets as views of the received bytes
 *
 * In comes what gRPC delivered, out goes a struct nfl_packet that points into it: no copy and no
 * allocation, where protobuf-c makes some 10 for each packet. Called by libnfl-client.
 */
#include "clock.h"
#include "get.h"
#include "read_parts.h"
#include "wire.h"

int wire_response_batch(const void *bytes, size_t len, struct nfl_bytes *ret_batch,
			struct nfl_bytes *ret_token)
{
	struct nfl_bytes batch = {0};
	struct nfl_bytes token = {0};
	uint32_t event = 0;
	struct field f;
	struct get g;
	int r;

	if (len > UINT32_MAX)
		return -EBADMSG;
	g = get_start((struct nfl_bytes){bytes, (uint32_t)len});
	while ((r = get_field(&g, &f)) > 0) {
		switch (f.tag) {
		case RESPONSE_BATCH:
			/* Two parts would have to be joined; to keep one would lose packets. */
			if (event == RESPONSE_BATCH)
				return -EBADMSG;
			batch = f.bytes;
			event = f.tag;
			break;
		case RESPONSE_STARTED:
		case RESPONSE_LOSS:
		case RESPONSE_HEARTBEAT:
		case RESPONSE_SOURCE_EVENT:
		case RESPONSE_CAUGHT_UP:
			event = f.tag; /* of a oneof the last one counts */
			break;
		case RESPONSE_RESUME_TOKEN:
			token = f.bytes;
			break;
		}
	}
	if (r < 0)
		return r;
	*ret_batch = batch;
	*ret_token = token;
	return event == RESPONSE_BATCH;
}

int wire_batch_next(struct nfl_bytes *batch, struct nfl_bytes *ret_packet)
{
	struct get g = get_start(*batch);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag != BATCH_PACKETS)
			continue;
		*ret_packet = f.bytes;
		batch->data = g.p;
		batch->len = (uint32_t)(g.end - g.p);
		return 1;
	}
	return r;
}

/* False where the moment does not fit into 64 bits of nanoseconds, years 1677 to 2262. */
static bool time_ns(const struct wire_time *time, int64_t *ret)
{
	int64_t before = time->seconds < 0; /* the first of all seconds begins before what fits */
	int64_t ns;

	if (__builtin_mul_overflow(time->seconds + before, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, time->nanos - before * NS_PER_S, &ns))
		return false;
	*ret = ns;
	return true;
}

bool wire_batch_has_more(const struct nfl_bytes *batch)
{
	struct nfl_bytes rest = *batch, packet;

	if (rest.len == 0)
		return false;
	/* Most often the tag alone tells. */
	return rest.data[0] == BATCH_PACKETS || wire_batch_next(&rest, &packet) != 0;
}

/* Fields 16 and up, which only some packets have. */
static int take_rare(const struct field *f, struct nfl_packet *packet)
{
	struct nfl_record *r = &packet->record;

	switch (f->tag) {
	case PACKET_PHYSICAL_INPUT:
		r->present |= NFL_HAS_PHYSINDEV;
		return read_device(f->bytes, &r->physindev, &packet->physindev_name);
	case PACKET_PHYSICAL_OUTPUT:
		r->present |= NFL_HAS_PHYSOUTDEV;
		return read_device(f->bytes, &r->physoutdev, &packet->physoutdev_name);
	case PACKET_VLAN:
		return read_vlan(f->bytes, r);
	case PACKET_HW_ADDRESS:
		r->hw_address = f->bytes;
		r->present |= NFL_HAS_HW_ADDRESS;
		break;
	case PACKET_HW_TYPE:
		r->present |= take_u16(f, &r->hw_type) ? NFL_HAS_HW_TYPE : 0;
		break;
	case PACKET_HW_HEADER:
		r->hw_header = f->bytes;
		r->present |= NFL_HAS_HW_HEADER;
		break;
	case PACKET_HW_HEADER_LENGTH:
		r->present |= take_u16(f, &r->hw_length) ? NFL_HAS_HW_LENGTH : 0;
		break;
	case PACKET_UID:
		r->present |= take_u32(f, &r->uid) ? NFL_HAS_UID : 0;
		break;
	case PACKET_GID:
		r->present |= take_u32(f, &r->gid) ? NFL_HAS_GID : 0;
		break;
	case PACKET_KERNEL_SEQUENCE:
		r->present |= take_u32(f, &r->seq) ? NFL_HAS_SEQ : 0;
		break;
	case PACKET_KERNEL_GLOBAL_SEQUENCE:
		r->present |= take_u32(f, &r->seq_global) ? NFL_HAS_SEQ_GLOBAL : 0;
		break;
	case PACKET_L2_HEADER:
		r->l2_header = f->bytes;
		r->present |= NFL_HAS_L2_HEADER;
		break;
	case PACKET_HOOK_NUMBER:
		(void)take_u8(f, &r->hook_number);
		break;
	case PACKET_PREFIX_RAW:
		packet->prefix_raw = f->bytes;
		break;
	case PACKET_UNKNOWN_ATTRIBUTES:
		if (r->unknown_count < NFL_UNKNOWN_MAX)
			r->unknown[r->unknown_count++] = f->bytes;
		break;
	}
	return 0;
}

/* Fields 1 to 15. PACKET_HOOK is not read: nfl_record_hook() tells it from family and number. */
static int take_field(const struct field *f, struct nfl_packet *packet, struct wire_time *receive,
		      struct wire_time *stamp)
{
	struct nfl_record *r = &packet->record;

	switch (f->tag) {
	case PACKET_SEQUENCE:
		packet->sequence = f->number;
		break;
	case PACKET_SOURCE_ID:
		(void)take_u32(f, &packet->source_id);
		break;
	case PACKET_RECEIVE_TIME:
		return read_time(f->bytes, receive);
	case PACKET_PACKET_TIME:
		r->present |= NFL_HAS_PACKET_TIME;
		return read_time(f->bytes, stamp);
	case PACKET_FAMILY:
		(void)take_u8(f, &r->family);
		break;
	case PACKET_HW_PROTOCOL:
		(void)take_u16(f, &r->hw_protocol);
		break;
	case PACKET_PREFIX:
		r->prefix = f->bytes;
		r->present |= NFL_HAS_PREFIX;
		break;
	case PACKET_INPUT:
		r->present |= NFL_HAS_INDEV;
		return read_device(f->bytes, &r->indev, &packet->indev_name);
	case PACKET_OUTPUT:
		r->present |= NFL_HAS_OUTDEV;
		return read_device(f->bytes, &r->outdev, &packet->outdev_name);
	case PACKET_MARK:
		r->present |= take_u32(f, &r->mark) ? NFL_HAS_MARK : 0;
		break;
	case PACKET_PAYLOAD:
		r->payload = f->bytes;
		r->present |= NFL_HAS_PAYLOAD;
		break;
	case PACKET_ORIGINAL_LENGTH:
		(void)take_u32(f, &packet->original_length);
		break;
	case PACKET_DECODED:
		return read_decoded(f->bytes, &packet->decoded);
	case PACKET_CONNTRACK:
		return read_conntrack(f->bytes, packet);
	default:
		return take_rare(f, packet);
	}
	return 0;
}

int wire_read_packet(struct nfl_bytes bytes, struct nfl_packet *ret)
{
	struct wire_time receive = {0};
	struct wire_time stamp = {0};
	struct get g = get_start(bytes);
	struct field f;
	int r;

	*ret = (struct nfl_packet){0};
	while ((r = get_field(&g, &f)) > 0) {
		r = take_field(&f, ret, &receive, &stamp);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	(void)time_ns(&receive, &ret->record.receive_time_ns);
	if (!time_ns(&stamp, &ret->record.packet_time_ns))
		ret->record.present &= ~NFL_HAS_PACKET_TIME;
	return 0;
}
