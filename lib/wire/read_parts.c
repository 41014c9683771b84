/* SPDX-License-Identifier: MIT */
/*
 * read_parts.c - the messages inside a Packet: times, devices, VLAN tag, decoded headers, connection
 *
 * In comes one embedded message, out go fields of struct nfl_packet that point into it. Called by
 * read.c; how deep messages nest is fixed by who calls whom here, not by the peer.
 */
#include "read_parts.h"

int read_time(struct nfl_bytes message, struct wire_time *ret)
{
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag == TIMESTAMP_SECONDS)
			ret->seconds = (int64_t)f.number;
		else if (f.tag == TIMESTAMP_NANOS)
			ret->nanos = (int32_t)f.number;
	}
	return r;
}

int read_device(struct nfl_bytes message, uint32_t *ret_index, struct nfl_bytes *ret_name)
{
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag == DEVICE_INDEX)
			(void)take_u32(&f, ret_index);
		else if (f.tag == DEVICE_NAME)
			*ret_name = f.bytes;
	}
	return r;
}

int read_vlan(struct nfl_bytes message, struct nfl_record *ret)
{
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag == VLAN_PROTOCOL && take_u16(&f, &ret->vlan_proto))
			ret->present |= NFL_HAS_VLAN_PROTO;
		else if (f.tag == VLAN_TCI && take_u16(&f, &ret->vlan_tci))
			ret->present |= NFL_HAS_VLAN_TCI;
	}
	return r;
}

/* Both addresses of a header, of the same length; false where they are not that. */
static bool addresses_valid(struct nfl_bytes source, struct nfl_bytes destination)
{
	return source.len == destination.len && (source.len == 4 || source.len == 16);
}

/* Upper layers. */
static void take_transport(const struct field *f, struct nfl_decoded *d)
{
	switch (f->tag) {
	case DECODED_SOURCE_PORT:
		d->present |= take_u16(f, &d->source_port) ? NFL_HAS_PORTS : 0;
		break;
	case DECODED_DESTINATION_PORT:
		d->present |= take_u16(f, &d->destination_port) ? NFL_HAS_PORTS : 0;
		break;
	case DECODED_TCP_FLAGS:
		d->present |= take_u16(f, &d->tcp_flags) ? NFL_HAS_TCP : 0;
		break;
	case DECODED_TCP_SEQUENCE:
		d->present |= take_u32(f, &d->tcp_sequence) ? NFL_HAS_TCP : 0;
		break;
	case DECODED_TCP_ACK:
		d->present |= take_u32(f, &d->tcp_ack) ? NFL_HAS_TCP : 0;
		break;
	case DECODED_TCP_WINDOW:
		d->present |= take_u16(f, &d->tcp_window) ? NFL_HAS_TCP : 0;
		break;
	case DECODED_ICMP_TYPE:
		d->present |= take_u8(f, &d->icmp_type) ? NFL_HAS_ICMP : 0;
		break;
	case DECODED_ICMP_CODE:
		d->present |= take_u8(f, &d->icmp_code) ? NFL_HAS_ICMP : 0;
		break;
	case DECODED_SPI:
		d->present |= take_u32(f, &d->spi) ? NFL_HAS_SPI : 0;
		break;
	case DECODED_GRE_PROTOCOL:
		d->present |= take_u16(f, &d->gre_protocol) ? NFL_HAS_GRE : 0;
		break;
	case DECODED_UDP_LENGTH:
		d->present |= take_u16(f, &d->udp_length) ? NFL_HAS_UDP_LENGTH : 0;
		break;
	}
}

/* Everything else that has no address; ip_version decides at the end what the others mean. */
static void take_network(const struct field *f, struct nfl_decoded *d)
{
	switch (f->tag) {
	case DECODED_IP_VERSION:
		(void)take_u8(f, &d->ip_version);
		break;
	case DECODED_TOTAL_LENGTH:
		(void)take_u32(f, &d->total_length);
		break;
	case DECODED_TTL:
		(void)take_u8(f, &d->ttl);
		break;
	case DECODED_TRAFFIC_CLASS:
		(void)take_u8(f, &d->traffic_class);
		break;
	case DECODED_FLOW_LABEL:
		(void)take_u32(f, &d->flow_label);
		break;
	case DECODED_MORE_FRAGMENTS:
		d->more_fragments = f->number != 0;
		break;
	case DECODED_TRUNCATED:
		d->truncated = f->number != 0;
		break;
	case DECODED_INNER_VLAN_TCI:
		d->present |= take_u16(f, &d->inner_vlan_tci) ? NFL_HAS_INNER_VLAN : 0;
		break;
	case DECODED_PROTOCOL:
		d->present |= take_u8(f, &d->protocol) ? NFL_HAS_PROTOCOL : 0;
		break;
	case DECODED_IDENTIFICATION:
		d->present |= take_u32(f, &d->identification) ? NFL_HAS_IDENTIFICATION : 0;
		break;
	case DECODED_FRAGMENT_OFFSET:
		d->present |= take_u32(f, &d->fragment_offset) ? NFL_HAS_FRAGMENT : 0;
		break;
	case DECODED_ARP_OPERATION:
		d->present |= take_u16(f, &d->arp_operation) ? NFL_HAS_ARP : 0;
		break;
	default:
		take_transport(f, d);
		break;
	}
}

int read_decoded(struct nfl_bytes message, struct nfl_decoded *ret)
{
	struct nfl_bytes source = {ret->source, ret->address_len};
	struct nfl_bytes destination = {ret->destination, ret->address_len};
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag == DECODED_SOURCE_ADDRESS)
			source = f.bytes;
		else if (f.tag == DECODED_DESTINATION_ADDRESS)
			destination = f.bytes;
		else
			take_network(&f, ret);
	}
	if (addresses_valid(source, destination)) {
		ret->present |= NFL_HAS_ADDRESSES;
		ret->address_len = (uint8_t)source.len;
		ret->source = source.data;
		ret->destination = destination.data;
	}
	if (ret->ip_version)
		ret->present |= NFL_HAS_IP;
	if (ret->ip_version == 6)
		ret->present |= NFL_HAS_FLOW_LABEL;
	return r;
}

/* A tuple without its two addresses is as absent: @present gets @bit only with them. */
static int read_tuple(struct nfl_bytes message, struct nfl_tuple *ret, uint32_t *present,
		      uint32_t bit)
{
	struct nfl_bytes source = {ret->source, ret->address_len};
	struct nfl_bytes destination = {ret->destination, ret->address_len};
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag == TUPLE_SOURCE_ADDRESS)
			source = f.bytes;
		else if (f.tag == TUPLE_DESTINATION_ADDRESS)
			destination = f.bytes;
		else if (f.tag == TUPLE_PROTOCOL)
			(void)take_u8(&f, &ret->protocol);
		else if (f.tag == TUPLE_SOURCE_PORT)
			(void)take_u16(&f, &ret->source_port);
		else if (f.tag == TUPLE_DESTINATION_PORT)
			(void)take_u16(&f, &ret->destination_port);
	}
	if (addresses_valid(source, destination)) {
		ret->address_len = (uint8_t)source.len;
		ret->source = source.data;
		ret->destination = destination.data;
		*present |= bit;
	}
	return r;
}

int read_conntrack(struct nfl_bytes message, struct nfl_packet *ret)
{
	struct nfl_conntrack *ct = &ret->conntrack;
	struct nfl_record *record = &ret->record;
	struct get g = get_start(message);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		int inner = 0;

		switch (f.tag) {
		case CONNTRACK_INFO:
			record->present |= take_u32(&f, &record->ct_info) ? NFL_HAS_CT_INFO : 0;
			break;
		case CONNTRACK_ATTRIBUTES:
			record->ct = f.bytes;
			record->present |= NFL_HAS_CT;
			break;
		case CONNTRACK_ID:
			ct->present |= take_u32(&f, &ct->id) ? NFL_HAS_CT_ID : 0;
			break;
		case CONNTRACK_STATUS:
			ct->present |= take_u32(&f, &ct->status) ? NFL_HAS_CT_STATUS : 0;
			break;
		case CONNTRACK_MARK:
			ct->present |= take_u32(&f, &ct->mark) ? NFL_HAS_CT_MARK : 0;
			break;
		case CONNTRACK_ZONE:
			ct->present |= take_u16(&f, &ct->zone) ? NFL_HAS_CT_ZONE : 0;
			break;
		case CONNTRACK_ORIGINAL:
			inner =
			    read_tuple(f.bytes, &ct->original, &ct->present, NFL_HAS_CT_ORIGINAL);
			break;
		case CONNTRACK_REPLY:
			inner = read_tuple(f.bytes, &ct->reply, &ct->present, NFL_HAS_CT_REPLY);
			break;
		}
		if (inner < 0)
			return inner;
	}
	return r;
}
