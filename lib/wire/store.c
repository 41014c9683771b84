/* SPDX-License-Identifier: MIT */
/*
 * store.c - a packet to its stored record, once, when it arrives
 *
 * In comes what the kernel and the decoder said, out go the segments of wire.h behind their header.
 * One pass from front to back: nothing is measured beforehand, put.h fills lengths in afterwards.
 * Called by the intake thread for every packet.
 */
#include "clock.h"
#include "fields.h"
#include "put.h"
#include "put_decoded.h"
#include "text.h"
#include "wire.h"

/*
 * Bytes of everything whose size is not the packet's choice, rounded up generously: about 60
 * numbers of at most TAG_MAX_LEN + 5 bytes, 4 tuples of 50, tags and lengths, the header and the
 * padding.
 */
#define STORE_FIXED_BYTES 1280
#define FIELD_MAX_BYTES   (TAG_MAX_LEN + VARINT_MAX_LEN)

static uint8_t *put_time(uint8_t *p, uint32_t tag, int64_t ns)
{
	uint8_t *body = put_begin(p, tag);
	int64_t seconds = ns / NS_PER_S;
	int64_t nanos = ns % NS_PER_S;

	if (nanos < 0) { /* before 1970: nanos count forward also there */
		nanos += NS_PER_S;
		seconds--;
	}
	p = put_nonzero(body, TIMESTAMP_SECONDS, (uint64_t)seconds);
	p = put_nonzero(p, TIMESTAMP_NANOS, (uint64_t)nanos);
	return put_end(body, p);
}

static uint8_t *put_repaired(uint8_t *p, uint32_t tag, struct nfl_bytes text)
{
	uint8_t *body = put_begin(p, tag);

	return put_end(body, text_repair(body, text));
}

static uint8_t *put_text(uint8_t *p, uint32_t tag, struct nfl_bytes text)
{
	return text_is_utf8(text) ? put_bytes(p, tag, text) : put_repaired(p, tag, text);
}

static uint8_t *put_device(uint8_t *p, uint32_t tag, uint32_t index, struct nfl_bytes name)
{
	uint8_t *body = put_begin(p, tag);

	p = put_nonzero(body, DEVICE_INDEX, index);
	p = put_text(p, DEVICE_NAME, name);
	return put_end(body, p);
}

static uint8_t *put_devices(uint8_t *p, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;

	if (r->present & NFL_HAS_INDEV)
		p = put_device(p, PACKET_INPUT, r->indev, packet->indev_name);
	if (r->present & NFL_HAS_OUTDEV)
		p = put_device(p, PACKET_OUTPUT, r->outdev, packet->outdev_name);
	if (r->present & NFL_HAS_PHYSINDEV)
		p = put_device(p, PACKET_PHYSICAL_INPUT, r->physindev, packet->physindev_name);
	if (r->present & NFL_HAS_PHYSOUTDEV)
		p = put_device(p, PACKET_PHYSICAL_OUTPUT, r->physoutdev, packet->physoutdev_name);
	return p;
}

static uint8_t *put_prefix(uint8_t *p, struct nfl_bytes prefix)
{
	if (text_is_utf8(prefix))
		return put_bytes(p, PACKET_PREFIX, prefix);
	p = put_repaired(p, PACKET_PREFIX, prefix);
	return put_bytes(p, PACKET_PREFIX_RAW, prefix);
}

static uint8_t *put_vlan(uint8_t *p, const struct nfl_record *r)
{
	uint8_t *body = put_begin(p, PACKET_VLAN);

	p = body;
	if (r->present & NFL_HAS_VLAN_PROTO)
		p = put_nonzero(p, VLAN_PROTOCOL, r->vlan_proto);
	if (r->present & NFL_HAS_VLAN_TCI)
		p = put_number(p, VLAN_TCI, r->vlan_tci);
	return put_end(body, p);
}

/* What the rule and the devices decide: nfl_record.head. */
static uint8_t *put_head(uint8_t *p, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;

	p = put_nonzero(p, PACKET_FAMILY, r->family);
	p = put_nonzero(p, PACKET_HOOK, nfl_record_hook(r));
	p = put_nonzero(p, PACKET_HOOK_NUMBER, r->hook_number);
	p = put_nonzero(p, PACKET_HW_PROTOCOL, r->hw_protocol);
	if (r->present & NFL_HAS_PREFIX)
		p = put_prefix(p, r->prefix);
	p = put_devices(p, packet);
	if (r->present & NFL_HAS_MARK)
		p = put_nonzero(p, PACKET_MARK, r->mark);
	if (r->present & NFL_HAS_HW_ADDRESS)
		p = put_bytes(p, PACKET_HW_ADDRESS, r->hw_address);
	if (r->present & NFL_HAS_HW_TYPE)
		p = put_number(p, PACKET_HW_TYPE, r->hw_type);
	if (r->present & NFL_HAS_HW_LENGTH)
		p = put_number(p, PACKET_HW_HEADER_LENGTH, r->hw_length);
	return p;
}

bool wire_memo_has(const struct wire_memo *memo, uint32_t head)
{
	return head && memo->heads[head % WIRE_MEMO_HEADS].head == head;
}

void wire_memo_forget(struct wire_memo *memo)
{
	for (size_t i = 0; i < WIRE_MEMO_HEADS; i++)
		memo->heads[i].head = 0;
}

/* In steps of a vector: wire_store_bound() has room for what is too much. */
static uint8_t *put_known(uint8_t *p, const struct wire_memo_head *known)
{
	for (size_t i = 0; i < known->len; i += 32)
		memcpy(p + i, known->bytes + i, 32);
	return p + known->len;
}

static uint8_t *put_head_once(uint8_t *p, const struct nfl_packet *packet, struct wire_memo *memo)
{
	uint32_t head = packet->record.head;
	struct wire_memo_head *place = &memo->heads[head % WIRE_MEMO_HEADS];
	uint8_t *end;

	if (wire_memo_has(memo, head))
		return put_known(p, place);
	end = put_head(p, packet);
	if (head && (size_t)(end - p) <= sizeof(place->bytes)) {
		place->head = head;
		place->len = (uint32_t)(end - p);
		memcpy(place->bytes, p, place->len);
	}
	return end;
}

/* Once for each datagram. */
static uint8_t *put_receive_time(uint8_t *p, int64_t time_ns, struct wire_memo *memo)
{
	uint8_t *end;

	if (memo->time_len && memo->time_ns == time_ns) {
		memcpy(p, memo->time, sizeof(memo->time));
		return p + memo->time_len;
	}
	end = put_time(p, PACKET_RECEIVE_TIME, time_ns);
	memo->time_ns = time_ns;
	memo->time_len = (uint32_t)(end - p);
	memcpy(memo->time, p, memo->time_len);
	return end;
}

/* The attributes that may be another in each packet, and of which only some have any. */
static uint8_t *put_attributes(uint8_t *p, const struct nfl_record *r)
{
	if (r->present & NFL_HAS_PACKET_TIME)
		p = put_time(p, PACKET_PACKET_TIME, r->packet_time_ns);
	if (r->present & NFL_HAS_UID)
		p = put_number(p, PACKET_UID, r->uid);
	if (r->present & NFL_HAS_GID)
		p = put_number(p, PACKET_GID, r->gid);
	if (r->present & NFL_HAS_SEQ)
		p = put_number(p, PACKET_KERNEL_SEQUENCE, r->seq);
	if (r->present & NFL_HAS_SEQ_GLOBAL)
		p = put_number(p, PACKET_KERNEL_GLOBAL_SEQUENCE, r->seq_global);
	if (r->present & (NFL_HAS_VLAN_PROTO | NFL_HAS_VLAN_TCI))
		p = put_vlan(p, r);
	return p;
}

static uint8_t *put_meta(uint8_t *p, const struct nfl_packet *packet, struct wire_memo *memo)
{
	const struct nfl_record *r = &packet->record;

	/* first, where cut.c finds it */
	p = put_nonzero(p, PACKET_ORIGINAL_LENGTH, packet->original_length);
	p = put_nonzero(p, PACKET_SEQUENCE, packet->sequence);
	p = put_nonzero(p, PACKET_SOURCE_ID, packet->source_id);
	if (memo)
		p = put_head_once(put_receive_time(p, r->receive_time_ns, memo), packet, memo);
	else
		p = put_head(put_time(p, PACKET_RECEIVE_TIME, r->receive_time_ns), packet);
	return put_attributes(p, r);
}

static uint8_t *put_tuple(uint8_t *p, uint32_t tag, const struct nfl_tuple *tuple)
{
	uint8_t *body = put_begin(p, tag);

	p = put_address(body, TUPLE_SOURCE_ADDRESS, tuple->source, tuple->address_len);
	p = put_address(p, TUPLE_DESTINATION_ADDRESS, tuple->destination, tuple->address_len);
	p = put_nonzero(p, TUPLE_PROTOCOL, tuple->protocol);
	p = put_nonzero(p, TUPLE_SOURCE_PORT, tuple->source_port);
	p = put_nonzero(p, TUPLE_DESTINATION_PORT, tuple->destination_port);
	return put_end(body, p);
}

/* What was parsed out of the attributes. */
static uint8_t *put_connection(uint8_t *p, const struct nfl_conntrack *ct)
{
	if (ct->present & NFL_HAS_CT_ID)
		p = put_number(p, CONNTRACK_ID, ct->id);
	if (ct->present & NFL_HAS_CT_STATUS)
		p = put_number(p, CONNTRACK_STATUS, ct->status);
	if (ct->present & NFL_HAS_CT_MARK)
		p = put_number(p, CONNTRACK_MARK, ct->mark);
	if (ct->present & NFL_HAS_CT_ZONE)
		p = put_number(p, CONNTRACK_ZONE, ct->zone);
	if (ct->present & NFL_HAS_CT_ORIGINAL)
		p = put_tuple(p, CONNTRACK_ORIGINAL, &ct->original);
	if (ct->present & NFL_HAS_CT_REPLY)
		p = put_tuple(p, CONNTRACK_REPLY, &ct->reply);
	return p;
}

/* One of the three forms that the views need; nothing where the packet has no conntrack at all. */
static uint8_t *put_conntrack(uint8_t *p, const struct nfl_packet *packet, enum wire_view view)
{
	const struct nfl_record *r = &packet->record;
	uint8_t *body = put_begin(p, PACKET_CONNTRACK);

	p = body;
	if (r->present & NFL_HAS_CT_INFO)
		p = put_number(p, CONNTRACK_INFO, r->ct_info);
	if (view != WIRE_VIEW_BASIC && r->present & NFL_HAS_CT)
		p = put_bytes(p, CONNTRACK_ATTRIBUTES, r->ct);
	if (view != WIRE_VIEW_RAW)
		p = put_connection(p, &packet->conntrack);
	return put_end(body, p);
}

static uint8_t *put_rest(uint8_t *p, const struct nfl_record *r)
{
	if (r->present & NFL_HAS_HW_HEADER)
		p = put_bytes(p, PACKET_HW_HEADER, r->hw_header);
	if (r->present & NFL_HAS_L2_HEADER)
		p = put_bytes(p, PACKET_L2_HEADER, r->l2_header);
	for (unsigned i = 0; i < r->unknown_count; i++)
		p = put_element(p, PACKET_UNKNOWN_ATTRIBUTES, r->unknown[i]);
	return p;
}

static uint32_t between(const uint8_t *from, const uint8_t *to)
{
	return (uint32_t)(to - from);
}

size_t wire_store_bound(const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;
	size_t text = (size_t)packet->indev_name.len + packet->outdev_name.len +
		      packet->physindev_name.len + packet->physoutdev_name.len;
	size_t len = STORE_FIXED_BYTES;

	if (r->present & NFL_HAS_PREFIX) {
		text += r->prefix.len;
		len += r->prefix.len; /* prefix_raw */
	}
	len += text * TEXT_REPAIR_GROWTH;
	if (r->present & NFL_HAS_HW_ADDRESS)
		len += r->hw_address.len;
	if (r->present & NFL_HAS_CT)
		len += 2 * (size_t)r->ct.len; /* ct_full and ct_raw */
	if (r->present & NFL_HAS_HW_HEADER)
		len += r->hw_header.len;
	if (r->present & NFL_HAS_L2_HEADER)
		len += r->l2_header.len;
	if (r->present & NFL_HAS_PAYLOAD)
		len += r->payload.len;
	for (unsigned i = 0; i < r->unknown_count; i++)
		len += FIELD_MAX_BYTES + r->unknown[i].len;
	return len;
}

size_t wire_store(void *buf, const struct nfl_packet *packet, struct wire_memo *memo)
{
	const struct nfl_record *r = &packet->record;
	struct wire_stored *stored = buf;
	uint8_t *begin = (uint8_t *)(stored + 1);
	uint8_t *p = begin;

	*stored = (struct wire_stored){.time_ns = r->receive_time_ns};
	p = put_decoded(begin, &packet->decoded);
	stored->decoded = (uint16_t)between(begin, p);
	p = put_meta(begin = p, packet, memo);
	stored->meta = between(begin, p);
	if (r->present & (NFL_HAS_CT | NFL_HAS_CT_INFO)) {
		p = put_conntrack(begin = p, packet, WIRE_VIEW_BASIC);
		stored->ct_basic = (uint16_t)between(begin, p);
		p = put_conntrack(begin = p, packet, WIRE_VIEW_FULL);
		stored->ct_full = between(begin, p);
		p = put_conntrack(begin = p, packet, WIRE_VIEW_RAW);
		stored->ct_raw = between(begin, p);
	}
	p = put_rest(begin = p, r);
	stored->rest = between(begin, p);
	if (r->present & NFL_HAS_PAYLOAD) {
		p = put_bytes(begin = p, PACKET_PAYLOAD, r->payload);
		stored->payload = between(begin, p);
		stored->payload_data = r->payload.len;
	}
	stored->total = (between(buf, p) + 7) & ~UINT32_C(7);
	return stored->total;
}
