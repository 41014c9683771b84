/* SPDX-License-Identifier: MIT */
/* message.c: nothing here knows a field number or the wire format; protobuf-c does. */
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NS_PER_S INT64_C(1000000000)

/* An optional field of a protobuf-c message: the value and its presence. */
#define SET(message, MESSAGE, field, FIELD, value)                                                 \
	((message)->field = (value),                                                               \
	 (message)->field##_presence_case = NFLOG__V1__##MESSAGE##__##FIELD##_PRESENCE_##FIELD)

static ProtobufCBinaryData binary(const uint8_t *data, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)data};
}

static ProtobufCBinaryData binary_of(struct nfl_bytes bytes)
{
	return binary(bytes.data, bytes.len);
}

static char *text_of(char *buf, struct nfl_bytes bytes)
{
	assert_true(bytes.len < MESSAGE_TEXT_MAX);
	if (bytes.len)
		memcpy(buf, bytes.data, bytes.len);
	buf[bytes.len] = '\0';
	return buf;
}

static Google__Protobuf__Timestamp *make_time(Google__Protobuf__Timestamp *t, int64_t ns)
{
	google__protobuf__timestamp__init(t);
	t->seconds = ns / NS_PER_S - (ns % NS_PER_S < 0);
	t->nanos = (int32_t)(ns % NS_PER_S + (ns % NS_PER_S < 0 ? NS_PER_S : 0));
	return t;
}

static Nflog__V1__Device *make_device(struct message *m, unsigned which, uint32_t index,
				      struct nfl_bytes name)
{
	nflog__v1__device__init(&m->device[which]);
	m->device[which].index = index;
	m->device[which].name = text_of(m->text[which], name);
	return &m->device[which];
}

static void make_devices(struct message *m, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;

	if (r->present & NFL_HAS_INDEV)
		m->packet.input = make_device(m, 0, r->indev, packet->indev_name);
	if (r->present & NFL_HAS_OUTDEV)
		m->packet.output = make_device(m, 1, r->outdev, packet->outdev_name);
	if (r->present & NFL_HAS_PHYSINDEV)
		m->packet.physical_input = make_device(m, 2, r->physindev, packet->physindev_name);
	if (r->present & NFL_HAS_PHYSOUTDEV)
		m->packet.physical_output =
		    make_device(m, 3, r->physoutdev, packet->physoutdev_name);
}

static void make_vlan(struct message *m, const struct nfl_record *r)
{
	nflog__v1__vlan__init(&m->vlan);
	if (r->present & NFL_HAS_VLAN_PROTO)
		m->vlan.protocol = r->vlan_proto;
	if (r->present & NFL_HAS_VLAN_TCI)
		SET(&m->vlan, VLAN, tci, TCI, r->vlan_tci);
	m->packet.vlan = &m->vlan;
}

static void make_optionals(Nflog__V1__Packet *p, const struct nfl_record *r)
{
	if (r->present & NFL_HAS_HW_TYPE)
		SET(p, PACKET, hw_type, HW_TYPE, r->hw_type);
	if (r->present & NFL_HAS_HW_LENGTH)
		SET(p, PACKET, hw_header_length, HW_HEADER_LENGTH, r->hw_length);
	if (r->present & NFL_HAS_UID)
		SET(p, PACKET, uid, UID, r->uid);
	if (r->present & NFL_HAS_GID)
		SET(p, PACKET, gid, GID, r->gid);
	if (r->present & NFL_HAS_SEQ)
		SET(p, PACKET, kernel_sequence, KERNEL_SEQUENCE, r->seq);
	if (r->present & NFL_HAS_SEQ_GLOBAL)
		SET(p, PACKET, kernel_global_sequence, KERNEL_GLOBAL_SEQUENCE, r->seq_global);
}

static void make_record(struct message *m, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;
	Nflog__V1__Packet *p = &m->packet;

	p->sequence = packet->sequence;
	p->source_id = packet->source_id;
	p->original_length = packet->original_length;
	p->receive_time = make_time(&m->receive_time, r->receive_time_ns);
	if (r->present & NFL_HAS_PACKET_TIME)
		p->packet_time = make_time(&m->packet_time, r->packet_time_ns);
	p->family = (Nflog__V1__Family)r->family;
	p->hook = (Nflog__V1__Hook)nfl_record_hook(r);
	p->hook_number = r->hook_number;
	p->hw_protocol = r->hw_protocol;
	if (r->present & NFL_HAS_PREFIX)
		p->prefix = text_of(m->text[4], r->prefix);
	p->prefix_raw = binary_of(packet->prefix_raw);
	if (r->present & NFL_HAS_MARK)
		p->mark = r->mark;
	if (r->present & NFL_HAS_HW_ADDRESS)
		p->hw_address = binary_of(r->hw_address);
	if (r->present & (NFL_HAS_VLAN_PROTO | NFL_HAS_VLAN_TCI))
		make_vlan(m, r);
	make_devices(m, packet);
	make_optionals(p, r);
}

/* What BASIC leaves out. */
static void make_bulk(struct message *m, const struct nfl_record *r, uint32_t payload_limit)
{
	Nflog__V1__Packet *p = &m->packet;

	if (r->present & NFL_HAS_PAYLOAD)
		p->payload = binary_of(r->payload);
	if (payload_limit && p->payload.len > payload_limit)
		p->payload.len = payload_limit;
	if (r->present & NFL_HAS_HW_HEADER)
		p->hw_header = binary_of(r->hw_header);
	if (r->present & NFL_HAS_L2_HEADER)
		p->l2_header = binary_of(r->l2_header);
	p->n_unknown_attributes = r->unknown_count;
	p->unknown_attributes = m->unknown;
	for (unsigned i = 0; i < r->unknown_count; i++)
		m->unknown[i] = binary_of(r->unknown[i]);
}

static void make_transport(Nflog__V1__Decoded *p, const struct nfl_decoded *d)
{
	if (d->present & NFL_HAS_PORTS) {
		SET(p, DECODED, source_port, SOURCE_PORT, d->source_port);
		SET(p, DECODED, destination_port, DESTINATION_PORT, d->destination_port);
	}
	if (d->present & NFL_HAS_TCP) {
		SET(p, DECODED, tcp_flags, TCP_FLAGS, d->tcp_flags);
		SET(p, DECODED, tcp_sequence, TCP_SEQUENCE, d->tcp_sequence);
		SET(p, DECODED, tcp_ack, TCP_ACK, d->tcp_ack);
		SET(p, DECODED, tcp_window, TCP_WINDOW, d->tcp_window);
	}
	if (d->present & NFL_HAS_ICMP) {
		SET(p, DECODED, icmp_type, ICMP_TYPE, d->icmp_type);
		SET(p, DECODED, icmp_code, ICMP_CODE, d->icmp_code);
	}
	if (d->present & NFL_HAS_SPI)
		SET(p, DECODED, spi, SPI, d->spi);
	if (d->present & NFL_HAS_GRE)
		SET(p, DECODED, gre_protocol, GRE_PROTOCOL, d->gre_protocol);
	if (d->present & NFL_HAS_UDP_LENGTH)
		SET(p, DECODED, udp_length, UDP_LENGTH, d->udp_length);
}

static void make_decoded(struct message *m, const struct nfl_decoded *d)
{
	Nflog__V1__Decoded *p = &m->decoded;

	nflog__v1__decoded__init(p);
	if (d->present & NFL_HAS_IP) {
		p->ip_version = (Nflog__V1__IpVersion)d->ip_version;
		p->total_length = d->total_length;
		p->ttl = d->ttl;
		p->traffic_class = d->traffic_class;
	}
	if (d->present & NFL_HAS_ADDRESSES) {
		p->source_address = binary(d->source, d->address_len);
		p->destination_address = binary(d->destination, d->address_len);
	}
	if (d->present & NFL_HAS_PROTOCOL)
		SET(p, DECODED, protocol, PROTOCOL, d->protocol);
	if (d->present & NFL_HAS_IDENTIFICATION)
		SET(p, DECODED, identification, IDENTIFICATION, d->identification);
	if (d->present & NFL_HAS_FRAGMENT) {
		SET(p, DECODED, fragment_offset, FRAGMENT_OFFSET, d->fragment_offset);
		p->more_fragments = d->more_fragments;
	}
	if (d->present & NFL_HAS_FLOW_LABEL)
		p->flow_label = d->flow_label;
	if (d->present & NFL_HAS_ARP)
		SET(p, DECODED, arp_operation, ARP_OPERATION, d->arp_operation);
	if (d->present & NFL_HAS_INNER_VLAN)
		SET(p, DECODED, inner_vlan_tci, INNER_VLAN_TCI, d->inner_vlan_tci);
	make_transport(p, d);
	p->truncated = d->truncated;
	if (d->present || d->truncated)
		m->packet.decoded = p;
}

static Nflog__V1__Tuple *make_tuple(Nflog__V1__Tuple *p, const struct nfl_tuple *tuple)
{
	nflog__v1__tuple__init(p);
	p->source_address = binary(tuple->source, tuple->address_len);
	p->destination_address = binary(tuple->destination, tuple->address_len);
	p->protocol = tuple->protocol;
	p->source_port = tuple->source_port;
	p->destination_port = tuple->destination_port;
	return p;
}

static void make_conntrack(struct message *m, const struct nfl_packet *packet, enum wire_view view)
{
	const struct nfl_conntrack *ct = &packet->conntrack;
	const struct nfl_record *r = &packet->record;
	Nflog__V1__Conntrack *p = &m->conntrack;

	nflog__v1__conntrack__init(p);
	m->packet.conntrack = p;
	if (r->present & NFL_HAS_CT_INFO)
		SET(p, CONNTRACK, info, INFO, r->ct_info);
	if (r->present & NFL_HAS_CT && view != WIRE_VIEW_BASIC)
		p->attributes = binary_of(r->ct);
	if (view == WIRE_VIEW_RAW)
		return;
	if (ct->present & NFL_HAS_CT_ID)
		SET(p, CONNTRACK, id, ID, ct->id);
	if (ct->present & NFL_HAS_CT_STATUS)
		SET(p, CONNTRACK, status, STATUS, ct->status);
	if (ct->present & NFL_HAS_CT_MARK)
		SET(p, CONNTRACK, mark, MARK, ct->mark);
	if (ct->present & NFL_HAS_CT_ZONE)
		SET(p, CONNTRACK, zone, ZONE, ct->zone);
	if (ct->present & NFL_HAS_CT_ORIGINAL)
		p->original = make_tuple(&m->original, &ct->original);
	if (ct->present & NFL_HAS_CT_REPLY)
		p->reply = make_tuple(&m->reply, &ct->reply);
}

void message_make(struct message *message, const struct nfl_packet *packet, enum wire_view view,
		  uint32_t payload_limit)
{
	nflog__v1__packet__init(&message->packet);
	make_record(message, packet);
	if (view != WIRE_VIEW_BASIC)
		make_bulk(message, &packet->record, payload_limit);
	if (view != WIRE_VIEW_RAW)
		make_decoded(message, &packet->decoded);
	if (packet->record.present & (NFL_HAS_CT | NFL_HAS_CT_INFO))
		make_conntrack(message, packet, view);
}

uint8_t *message_pack(const struct nfl_packet *packet, enum wire_view view, uint32_t payload_limit,
		      size_t *ret_len)
{
	struct message message;
	uint8_t *bytes;

	message_make(&message, packet, view, payload_limit);
	*ret_len = nflog__v1__packet__get_packed_size(&message.packet);
	bytes = malloc(*ret_len);
	assert_non_null(bytes);
	assert_int_equal(nflog__v1__packet__pack(&message.packet, bytes), *ret_len);
	return bytes;
}

void message_assert_equal(struct nfl_bytes bytes, const struct nfl_packet *packet,
			  enum wire_view view, uint32_t payload_limit)
{
	size_t len;
	uint8_t *expected = message_pack(packet, view, payload_limit, &len);
	Nflog__V1__Packet *got = nflog__v1__packet__unpack(NULL, bytes.len, bytes.data);
	uint8_t *again = malloc(len);

	assert_non_null(again);
	assert_non_null(got);
	assert_int_equal(got->base.n_unknown_fields, 0);
	assert_int_equal(nflog__v1__packet__get_packed_size(got), len);
	nflog__v1__packet__pack(got, again);
	assert_memory_equal(again, expected, len);
	assert_int_equal(bytes.len, len); /* and lengths and tags are minimal */
	nflog__v1__packet__free_unpacked(got, NULL);
	free(again);
	free(expected);
}

struct nfl_bytes message_compose(const struct nfl_packet *packet, enum wire_view view,
				 uint32_t payload_limit, uint8_t **ret_block)
{
	size_t bound = wire_store_bound(packet);
	struct wire_stored *stored = malloc(bound);
	struct nfl_bytes batch, element;
	size_t len;

	assert_non_null(stored);
	len = wire_store(stored, packet, NULL);
	assert_true(len <= bound);
	assert_int_equal(len, stored->total);
	assert_int_equal(len % 8, 0);
	len = wire_composed_len(stored, view, payload_limit, NULL);
	*ret_block = malloc(len);
	assert_non_null(*ret_block);
	assert_int_equal(wire_compose(*ret_block, stored, view, payload_limit, NULL), len);
	free(stored);
	batch = (struct nfl_bytes){*ret_block, (uint32_t)len};
	assert_int_equal(wire_batch_next(&batch, &element), 1);
	assert_int_equal(batch.len, 0);
	return element;
}
