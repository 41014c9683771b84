/* SPDX-License-Identifier: MIT */
/*
 * put_decoded.c - what the packet's headers say, as the field Packet.decoded
 *
 * Called for every packet by store.c, and by cut.c for readers who may not have all of its bytes.
 */
#include "put_decoded.h"

#include "fields.h"
#include "put.h"

static uint8_t *put_transport(uint8_t *p, const struct nfl_decoded *d)
{
	if (d->present & NFL_HAS_PORTS) {
		p = put_number(p, DECODED_SOURCE_PORT, d->source_port);
		p = put_number(p, DECODED_DESTINATION_PORT, d->destination_port);
	}
	if (d->present & NFL_HAS_TCP) {
		p = put_number(p, DECODED_TCP_FLAGS, d->tcp_flags);
		p = put_number(p, DECODED_TCP_SEQUENCE, d->tcp_sequence);
		p = put_number(p, DECODED_TCP_ACK, d->tcp_ack);
		p = put_number(p, DECODED_TCP_WINDOW, d->tcp_window);
	}
	if (d->present & NFL_HAS_ICMP) {
		p = put_number(p, DECODED_ICMP_TYPE, d->icmp_type);
		p = put_number(p, DECODED_ICMP_CODE, d->icmp_code);
	}
	if (d->present & NFL_HAS_SPI)
		p = put_number(p, DECODED_SPI, d->spi);
	if (d->present & NFL_HAS_GRE)
		p = put_number(p, DECODED_GRE_PROTOCOL, d->gre_protocol);
	if (d->present & NFL_HAS_UDP_LENGTH)
		p = put_number(p, DECODED_UDP_LENGTH, d->udp_length);
	return p;
}

static uint8_t *put_network(uint8_t *p, const struct nfl_decoded *d)
{
	if (d->present & NFL_HAS_IP) {
		p = put_nonzero(p, DECODED_IP_VERSION, d->ip_version);
		p = put_nonzero(p, DECODED_TOTAL_LENGTH, d->total_length);
		p = put_nonzero(p, DECODED_TTL, d->ttl);
		p = put_nonzero(p, DECODED_TRAFFIC_CLASS, d->traffic_class);
	}
	if (d->present & NFL_HAS_ADDRESSES) {
		p = put_address(p, DECODED_SOURCE_ADDRESS, d->source, d->address_len);
		p = put_address(p, DECODED_DESTINATION_ADDRESS, d->destination, d->address_len);
	}
	if (d->present & NFL_HAS_PROTOCOL)
		p = put_number(p, DECODED_PROTOCOL, d->protocol);
	if (d->present & NFL_HAS_IDENTIFICATION)
		p = put_number(p, DECODED_IDENTIFICATION, d->identification);
	if (d->present & NFL_HAS_FRAGMENT) {
		p = put_number(p, DECODED_FRAGMENT_OFFSET, d->fragment_offset);
		p = put_nonzero(p, DECODED_MORE_FRAGMENTS, d->more_fragments);
	}
	if (d->present & NFL_HAS_FLOW_LABEL)
		p = put_nonzero(p, DECODED_FLOW_LABEL, d->flow_label);
	if (d->present & NFL_HAS_ARP)
		p = put_number(p, DECODED_ARP_OPERATION, d->arp_operation);
	if (d->present & NFL_HAS_INNER_VLAN)
		p = put_number(p, DECODED_INNER_VLAN_TCI, d->inner_vlan_tci);
	return p;
}

uint8_t *put_decoded(uint8_t *p, const struct nfl_decoded *d)
{
	uint8_t *body = put_begin(p, PACKET_DECODED);
	uint8_t *end = put_transport(put_network(body, d), d);

	end = put_nonzero(end, DECODED_TRUNCATED, d->truncated);
	return end > body ? put_end(body, end) : p; /* nothing understood: no message */
}
