/* SPDX-License-Identifier: MIT */
/*
 * ipv6.c - the IPv6 header and the chain of extension headers behind it
 *
 * What is sought is the upper-layer protocol. The chain ends there, at a header that was not
 * captured, at a fragment that is not the first, or at a count that no honest packet has.
 */
#include "bytes.h"
#include "headers.h"

#define IPV6_HEADER_BYTES 40
/* Every extension header has at least so many bytes, and its length and successor in them. */
#define EXTENSION_BYTES_MIN 8
#define EXTENSIONS_MAX      16

#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_MORE   0x0001

#define OPTION_PAD1        0
#define OPTION_JUMBO       0xc2
#define OPTION_JUMBO_BYTES 6
#define JUMBO_MIN          65536

/* Extension headers of the IANA registry, but ESP: what follows that is encrypted. */
enum extension {
	EXTENSION_HOP_BY_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_FRAGMENT = 44,
	EXTENSION_AUTHENTICATION = 51,
	EXTENSION_DESTINATION = 60,
	EXTENSION_MOBILITY = 135,
	EXTENSION_HIP = 139,
	EXTENSION_SHIM6 = 140,
};

#define NO_NEXT_HEADER 59

static bool is_extension(uint8_t type)
{
	switch (type) {
	case EXTENSION_HOP_BY_HOP:
	case EXTENSION_ROUTING:
	case EXTENSION_FRAGMENT:
	case EXTENSION_AUTHENTICATION:
	case EXTENSION_DESTINATION:
	case EXTENSION_MOBILITY:
	case EXTENSION_HIP:
	case EXTENSION_SHIM6:
		return true;
	default:
		return false;
	}
}

/* Mobility and HIP are in the registry, but in practice the last header and the packet's purpose. */
static bool is_upper_layer(uint8_t type, const uint8_t *header)
{
	if (type == EXTENSION_MOBILITY || type == EXTENSION_HIP)
		return header[0] == NO_NEXT_HEADER;
	return !is_extension(type);
}

static size_t extension_len(uint8_t type, const uint8_t *header)
{
	switch (type) {
	case EXTENSION_FRAGMENT:
		return EXTENSION_BYTES_MIN;
	case EXTENSION_AUTHENTICATION:
		return (header[1] + 2U) * 4U;
	default:
		return (header[1] + 1U) * 8U;
	}
}

static bool is_jumbo_option(const uint8_t *option, size_t left)
{
	return left >= OPTION_JUMBO_BYTES && option[0] == OPTION_JUMBO &&
	       option[1] == OPTION_JUMBO_BYTES - 2;
}

/* A packet of more than 65535 bytes has its length in an option of the hop-by-hop header. Returns
 * that of the whole packet, 0 when it is not there. */
static uint32_t jumbo_length(const uint8_t *header, size_t len)
{
	uint32_t length = 0;
	size_t at = 2;

	while (at + 2 <= len && !is_jumbo_option(header + at, len - at))
		at += header[at] == OPTION_PAD1 ? 1U : 2U + header[at + 1];
	if (at + 2 <= len)
		length = read_be32(header + at + 2);
	if (length < JUMBO_MIN || length > UINT32_MAX - IPV6_HEADER_BYTES)
		return 0;
	return IPV6_HEADER_BYTES + length;
}

static void read_fragment(const uint8_t *header, struct nfl_decoded *ret)
{
	uint16_t fragment = read_be16(header + 2);

	ret->fragment_offset = fragment & FRAGMENT_OFFSET;
	ret->more_fragments = fragment & FRAGMENT_MORE;
	ret->identification = read_be32(header + 4);
	ret->present |= NFL_HAS_FRAGMENT | NFL_HAS_IDENTIFICATION;
}

/* Reads what is of interest in one extension header, which is captured whole. */
static void read_extension(uint8_t type, const uint8_t *header, size_t len, struct nfl_decoded *ret)
{
	if (type == EXTENSION_FRAGMENT) {
		read_fragment(header, ret);
	} else if (type == EXTENSION_AUTHENTICATION) {
		ret->spi = read_be32(header + 4);
		ret->present |= NFL_HAS_SPI;
	} else if (type == EXTENSION_HOP_BY_HOP && !ret->total_length) {
		ret->total_length = jumbo_length(header, len);
	}
}

static void decode_chain(struct capture capture, uint8_t next, struct nfl_decoded *ret)
{
	for (int count = 0; is_extension(next); count++) {
		const uint8_t *header = capture.at;
		size_t len;

		if (count == EXTENSIONS_MAX || !capture_holds(&capture, EXTENSION_BYTES_MIN, ret))
			return;
		if (is_upper_layer(next, header))
			break;
		len = extension_len(next, header);
		if (!capture_holds(&capture, len, ret))
			return;
		read_extension(next, header, len, ret);
		next = header[0];
		capture.at += len;
		if (ret->fragment_offset) {
			/* What lies here is the middle of something; its kind is known unless the
			 * chain went on in the first fragment. */
			if (!is_extension(next)) {
				ret->protocol = next;
				ret->present |= NFL_HAS_PROTOCOL;
			}
			return;
		}
	}
	decode_transport(capture, next, ret);
}

void decode_ipv6(struct capture capture, struct nfl_decoded *ret)
{
	const uint8_t *header = capture.at;
	uint16_t payload_len;
	uint32_t first;

	if (header < capture.end && header[0] >> 4 != 6)
		return; /* mislabelled: nothing in it can be trusted */
	if (!capture_holds(&capture, IPV6_HEADER_BYTES, ret))
		return;
	first = read_be32(header);
	payload_len = read_be16(header + 4);

	ret->ip_version = 6;
	ret->traffic_class = (uint8_t)(first >> 20);
	ret->flow_label = first & 0xfffff;
	/* 0 is the length of a jumbogram, whose option may follow, or of nothing. */
	if (payload_len || header[6] == NO_NEXT_HEADER)
		ret->total_length = IPV6_HEADER_BYTES + (uint32_t)payload_len;
	ret->ttl = header[7];
	ret->source = header + 8;
	ret->destination = header + 24;
	ret->address_len = 16;
	ret->present |= NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_FLOW_LABEL;

	capture.at += IPV6_HEADER_BYTES;
	if (payload_len)
		capture_limit(&capture, payload_len);
	decode_chain(capture, header[6], ret);
}
