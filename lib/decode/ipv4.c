/* SPDX-License-Identifier: MIT */
/* ipv4.c - the IPv4 header; called for what an Ethernet type or the family says is IPv4 */
#include "bytes.h"
#include "headers.h"

#define IPV4_HEADER_BYTES    20
#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

void decode_ipv4(struct capture capture, struct nfl_decoded *ret)
{
	const uint8_t *header = capture.at;
	uint16_t fragment;
	size_t header_len;

	if (header < capture.end && header[0] >> 4 != 4)
		return; /* mislabelled: nothing in it can be trusted */
	if (!capture_holds(&capture, IPV4_HEADER_BYTES, ret))
		return;
	header_len = (header[0] & 0x0f) * 4U;
	fragment = read_be16(header + 6);

	ret->ip_version = 4;
	ret->traffic_class = header[1];
	ret->total_length = read_be16(header + 2);
	ret->identification = read_be16(header + 4);
	ret->more_fragments = fragment & IPV4_MORE_FRAGMENTS;
	ret->fragment_offset = (fragment & IPV4_FRAGMENT_OFFSET) * 8U;
	ret->ttl = header[8];
	ret->protocol = header[9];
	ret->source = header + 12;
	ret->destination = header + 16;
	ret->address_len = 4;
	ret->present |= NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_FRAGMENT |
			NFL_HAS_IDENTIFICATION;

	if (ret->total_length) /* 0: longer than 16 bits can tell (BIG TCP) */
		capture_limit(&capture, ret->total_length);
	if (ret->fragment_offset || header_len < IPV4_HEADER_BYTES)
		return;
	if (!capture_holds(&capture, header_len, ret))
		return;
	capture.at += header_len;
	decode_transport(capture, ret->protocol, ret);
}
