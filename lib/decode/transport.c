/* SPDX-License-Identifier: MIT */
/*
 * transport.c - the header above IP
 *
 * Called with the first fragment, or the whole packet. A header of which only the beginning was
 * captured gives the fields that are there: a snaplen of 28 is enough for IPv4 ports.
 */
#include <netinet/in.h>

#include "bytes.h"
#include "headers.h"

#define TCP_HEADER_BYTES    20
#define TCP_FIELDS_BYTES    16 /* up to the window */
#define UDP_HEADER_BYTES    8
#define SCTP_HEADER_BYTES   12
#define ICMP_HEADER_BYTES   8
#define ICMPV6_HEADER_BYTES 4
#define GRE_HEADER_BYTES    4
#define ESP_HEADER_BYTES    8
#define AH_HEADER_BYTES     12
#define PORTS_BYTES         4

static void read_ports(const struct capture *capture, struct nfl_decoded *ret)
{
	if (capture_left(capture) < PORTS_BYTES)
		return;
	ret->source_port = read_be16(capture->at);
	ret->destination_port = read_be16(capture->at + 2);
	ret->present |= NFL_HAS_PORTS;
}

static void decode_tcp(const struct capture *capture, struct nfl_decoded *ret)
{
	const uint8_t *header = capture->at;
	size_t header_len = TCP_HEADER_BYTES;

	read_ports(capture, ret);
	if (capture_left(capture) >= TCP_FIELDS_BYTES) {
		ret->tcp_sequence = read_be32(header + 4);
		ret->tcp_ack = read_be32(header + 8);
		ret->tcp_flags = read_be16(header + 12) & 0x1ff;
		ret->tcp_window = read_be16(header + 14);
		ret->present |= NFL_HAS_TCP;
		if (header[12] >> 4 > TCP_HEADER_BYTES / 4)
			header_len = (header[12] >> 4) * 4U;
	}
	/* Options are not read, but they belong to the header. */
	(void)capture_holds(capture, header_len, ret);
}

static void decode_udp(const struct capture *capture, struct nfl_decoded *ret)
{
	read_ports(capture, ret);
	if (capture_holds(capture, UDP_HEADER_BYTES, ret)) {
		ret->udp_length = read_be16(capture->at + 4);
		ret->present |= NFL_HAS_UDP_LENGTH;
	}
}

/* Ports are all that is read; in UDP-Lite the length field is the checksum's coverage. */
static void decode_ports_only(const struct capture *capture, size_t header_len,
			      struct nfl_decoded *ret)
{
	read_ports(capture, ret);
	(void)capture_holds(capture, header_len, ret);
}

static void decode_icmp(const struct capture *capture, size_t header_len, struct nfl_decoded *ret)
{
	if (capture_left(capture) >= 2) {
		ret->icmp_type = capture->at[0];
		ret->icmp_code = capture->at[1];
		ret->present |= NFL_HAS_ICMP;
	}
	(void)capture_holds(capture, header_len, ret);
}

static void decode_gre(const struct capture *capture, struct nfl_decoded *ret)
{
	if (!capture_holds(capture, GRE_HEADER_BYTES, ret))
		return;
	ret->gre_protocol = read_be16(capture->at + 2);
	ret->present |= NFL_HAS_GRE;
}

static void decode_spi(const struct capture *capture, size_t offset, size_t header_len,
		       struct nfl_decoded *ret)
{
	if (capture_left(capture) >= offset + 4) {
		ret->spi = read_be32(capture->at + offset);
		ret->present |= NFL_HAS_SPI;
	}
	(void)capture_holds(capture, header_len, ret);
}

void decode_transport(struct capture capture, uint8_t protocol, struct nfl_decoded *ret)
{
	ret->protocol = protocol;
	ret->present |= NFL_HAS_PROTOCOL;
	if (capture_left(&capture))
		ret->transport_offset = (uint32_t)(capture.at - capture.begin);

	switch (protocol) {
	case IPPROTO_TCP:
		decode_tcp(&capture, ret);
		break;
	case IPPROTO_UDP:
		decode_udp(&capture, ret);
		break;
	case IPPROTO_UDPLITE:
		decode_ports_only(&capture, UDP_HEADER_BYTES, ret);
		break;
	case IPPROTO_SCTP:
		decode_ports_only(&capture, SCTP_HEADER_BYTES, ret);
		break;
	case IPPROTO_ICMP:
		decode_icmp(&capture, ICMP_HEADER_BYTES, ret);
		break;
	case IPPROTO_ICMPV6:
		decode_icmp(&capture, ICMPV6_HEADER_BYTES, ret);
		break;
	case IPPROTO_GRE:
		decode_gre(&capture, ret);
		break;
	case IPPROTO_ESP:
		decode_spi(&capture, 0, ESP_HEADER_BYTES, ret);
		break;
	case IPPROTO_AH: /* over IPv4; over IPv6 it is an extension header */
		decode_spi(&capture, 4, AH_HEADER_BYTES, ret);
		break;
	default: /* nothing to read, so nothing is missing */
		break;
	}
}
