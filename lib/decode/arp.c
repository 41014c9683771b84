/* SPDX-License-Identifier: MIT */
/* arp.c - the ARP packet: its operation, and the addresses when they are IPv4 */
#include <linux/if_ether.h>

#include "bytes.h"
#include "headers.h"

#define ARP_HEADER_BYTES 8
#define IPV4_BYTES       4

void decode_arp(struct capture capture, struct nfl_decoded *ret)
{
	const uint8_t *header = capture.at;
	size_t hardware_len, protocol_len;

	if (!capture_holds(&capture, ARP_HEADER_BYTES, ret))
		return;
	hardware_len = header[4];
	protocol_len = header[5];
	ret->arp_operation = read_be16(header + 6);
	ret->present |= NFL_HAS_ARP;

	/* Sender's hardware and protocol address, then the target's. */
	if (!capture_holds(&capture, ARP_HEADER_BYTES + 2 * (hardware_len + protocol_len), ret))
		return;
	if (read_be16(header + 2) != ETH_P_IP || protocol_len != IPV4_BYTES)
		return;
	ret->source = header + ARP_HEADER_BYTES + hardware_len;
	ret->destination = ret->source + IPV4_BYTES + hardware_len;
	ret->address_len = IPV4_BYTES;
	ret->present |= NFL_HAS_ADDRESSES;
}
