/* SPDX-License-Identifier: MIT */
/*
 * payload.c - where the packet's headers begin, and which comes first
 *
 * The kernel hands over the packet from its network header on, but at two hooks from its link-layer
 * header on; and a frame with two VLAN tags keeps the inner one in the payload. What lies below
 * that is for arp.c, ipv4.c and ipv6.c. PPPoE, MPLS and LLC are not looked into.
 */
#include <linux/if_ether.h>

#include <nfl/decode.h>

#include "bytes.h"
#include "headers.h"

#define ETHERTYPE_OFFSET 12
#define VLAN_TAG_BYTES   4
/* Two tags are QinQ; a frame full of tags must not cost more than that. */
#define VLAN_TAGS_MAX 4

static bool is_vlan(uint16_t ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

/* False where the capture ends in them, or they do not end. */
static bool skip_tags(struct capture *capture, uint16_t *ethertype, struct nfl_decoded *ret)
{
	for (int tags = 0; is_vlan(*ethertype); tags++) {
		if (tags == VLAN_TAGS_MAX || !capture_holds(capture, VLAN_TAG_BYTES, ret))
			return false;
		ret->inner_vlan_tci = read_be16(capture->at);
		ret->present |= NFL_HAS_INNER_VLAN;
		*ethertype = read_be16(capture->at + 2);
		capture->at += VLAN_TAG_BYTES;
	}
	return true;
}

/*
 * At egress and at ARP output the payload has the Ethernet header. Devices without one (tun: seen
 * on 6.18) have nothing in its place, and no attribute tells: believe it is there when it names
 * the protocol that the kernel named.
 */
static bool skip_link(struct capture *capture, uint16_t *ethertype, struct nfl_decoded *ret)
{
	uint16_t named;

	if (!capture_holds(capture, ETH_HLEN, ret))
		return false;
	named = read_be16(capture->at + ETHERTYPE_OFFSET);
	if (named == *ethertype || !*ethertype || is_vlan(named)) {
		capture->at += ETH_HLEN;
		*ethertype = named;
	}
	return true;
}

static bool begins_with_link_header(const struct nfl_record *record)
{
	switch (record->family) {
	case NFL_FAMILY_NETDEV:
		return nfl_record_hook(record) == NFL_HOOK_EGRESS;
	case NFL_FAMILY_ARP:
		return nfl_record_hook(record) == NFL_HOOK_OUTPUT;
	default:
		return false;
	}
}

/* hw_protocol may be 0 where the family leaves no choice. */
static uint16_t ethertype_of(const struct nfl_record *record)
{
	switch (record->family) {
	case NFL_FAMILY_IPV4:
		return ETH_P_IP;
	case NFL_FAMILY_IPV6:
		return ETH_P_IPV6;
	case NFL_FAMILY_ARP:
		return ETH_P_ARP;
	default:
		return record->hw_protocol;
	}
}

/* Where the network header begins, and which it is. False: the capture does not reach so far. */
static bool find_network(const struct nfl_record *record, struct capture *capture,
			 uint16_t *ethertype, struct nfl_decoded *ret)
{
	if (!(record->present & NFL_HAS_PAYLOAD) || !record->payload.len)
		return false;
	*capture = (struct capture){
	    .begin = record->payload.data,
	    .at = record->payload.data,
	    .end = record->payload.data + record->payload.len,
	    .cut = true, /* until a header tells the packet's length */
	};
	*ethertype = ethertype_of(record);
	if (begins_with_link_header(record) && !skip_link(capture, ethertype, ret))
		return false;
	return skip_tags(capture, ethertype, ret);
}

void nfl_decode_payload(const struct nfl_record *record, struct nfl_decoded *ret)
{
	struct capture capture;
	uint16_t ethertype;

	memset(ret, 0, sizeof(*ret));
	if (!find_network(record, &capture, &ethertype, ret))
		return;
	switch (ethertype) {
	case ETH_P_IP:
		decode_ipv4(capture, ret);
		break;
	case ETH_P_IPV6:
		decode_ipv6(capture, ret);
		break;
	case ETH_P_ARP:
		decode_arp(capture, ret);
		break;
	default:
		break;
	}
}

struct nfl_bytes nfl_decode_network(const struct nfl_record *record)
{
	struct nfl_decoded unused = {0};
	struct capture capture;
	uint16_t ethertype;

	if (!find_network(record, &capture, &ethertype, &unused))
		return (struct nfl_bytes){0};
	return (struct nfl_bytes){capture.at, (uint32_t)capture_left(&capture)};
}
