/* SPDX-License-Identifier: MIT */
/* payload.c and what it calls: each kind of packet decodes to a table written by hand from the
 * standards, whole and cut at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/decode.h>

#include "packets.h"

#define HAS_IPV4                                                                                   \
	(NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_FRAGMENT |                    \
	 NFL_HAS_IDENTIFICATION)
#define HAS_IPV6 (NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_FLOW_LABEL)

/* IPv4 headers differ in length, fragment field and protocol: identification 0x1234, ttl 64. */
#define IP4(length, fragment, protocol)                                                            \
	"45b8 " length " 1234 " fragment " 40 " protocol " 0000 0a000001 0a000002 "
#define IP4_FIELDS(length, proto)                                                                  \
	.ip_version = 4, .address_len = 4, .traffic_class = 0xb8, .total_length = (length),        \
	.identification = 0x1234, .ttl = 64, .protocol = (proto)
#define IP4_ADDRESSES "10.0.0.1 10.0.0.2"

/* Traffic class 0xb8, flow label 0x12345, hop limit 63. */
#define IP6(length, next)                                                                          \
	"6b812345 " length " " next " 3f "                                                         \
	"20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6_FIELDS(length, proto)                                                                  \
	.ip_version = 6, .address_len = 16, .traffic_class = 0xb8, .flow_label = 0x12345,          \
	.total_length = (length), .ttl = 63, .protocol = (proto)
#define IP6_ADDRESSES "2001:db8::1 2001:db8::2"

#define ETHERNET(type) "02f100000c00 02f100000a01 " type " "
#define UDP_5000_5001  "1388 1389 000c 0000 41424344 "
#define UDP_FIELDS(offset)                                                                         \
	.source_port = 5000, .destination_port = 5001, .udp_length = 12,                           \
	.transport_offset = (offset)
#define ARP_REQUEST "0001 0800 06 04 0001 02f100000a00 0a000001 000000000000 0a000002 "
#define NO_PROTOCOL 0

static const struct packet_case over_ipv4[] = {
    {
	.name = "TCP with options, every kind of flag bit",
	.hex = IP4("003c", "4000", "06") "af8c 0050 11223344 55667788 a152 7210 0000 0000 "
					 "020405b4 0402080a 0102030405060708 01030307",
	.headers_len = 60,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_TCP,
		   IP4_FIELDS(60, 6),
		   .source_port = 44940,
		   .destination_port = 80,
		   .tcp_sequence = 0x11223344,
		   .tcp_ack = 0x55667788,
		   .tcp_flags = NFL_TCP_AE | NFL_TCP_ECE | NFL_TCP_ACK | NFL_TCP_SYN,
		   .tcp_window = 0x7210,
		   .transport_offset = 20},
    },
    {
	.name = "TCP with a data offset too small",
	.hex = IP4("0028", "4000", "06") "af8c 0050 11223344 55667788 10ff 0000 0000 0000",
	.headers_len = 40,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_TCP,
		   IP4_FIELDS(40, 6),
		   .source_port = 44940,
		   .destination_port = 80,
		   .tcp_sequence = 0x11223344,
		   .tcp_ack = 0x55667788,
		   .tcp_flags = 0xff,
		   .transport_offset = 20},
    },
    {
	.name = "UDP",
	.hex = IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(20)},
    },
    {
	.name = "UDP whose length is smaller than its header",
	.hex = IP4("001c", "0000", "11") "1388 1389 0003 0000",
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(28, 17),
		   .source_port = 5000,
		   .destination_port = 5001,
		   .udp_length = 3,
		   .transport_offset = 20},
    },
    {
	.name = "UDP-Lite, whose coverage is no length",
	.hex = IP4("0020", "0000", "88") "1388 1389 0008 0000 41424344",
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS,
		   IP4_FIELDS(32, 136),
		   .source_port = 5000,
		   .destination_port = 5001,
		   .transport_offset = 20},
    },
    {
	.name = "SCTP",
	.hex = IP4("0024", "0000", "84") "0b59 0b5a 00000001 deadbeef 01000004",
	.headers_len = 32,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS,
		   IP4_FIELDS(36, 132),
		   .source_port = 2905,
		   .destination_port = 2906,
		   .transport_offset = 20},
    },
    {
	.name = "ICMP destination unreachable",
	.hex = IP4("0020", "0000", "01") "0303 fcfc 00000000 45000020",
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_ICMP,
		   IP4_FIELDS(32, 1),
		   .icmp_type = 3,
		   .icmp_code = 3,
		   .transport_offset = 20},
    },
    {
	.name = "GRE with key",
	.hex = IP4("0020", "0000", "2f") "2000 6558 00000007 00000000",
	.headers_len = 24,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_GRE,
		   IP4_FIELDS(32, 47),
		   .gre_protocol = 0x6558,
		   .transport_offset = 20},
    },
    {
	.name = "ESP",
	.hex = IP4("0020", "0000", "32") "cafebabe 00000001 00000000",
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_SPI,
		   IP4_FIELDS(32, 50),
		   .spi = 0xcafebabe,
		   .transport_offset = 20},
    },
    {
	.name = "AH is the protocol of an IPv4 packet",
	.hex = IP4("002c", "0000", "33") "06 04 0000 cafebabe 00000001 "
					 "000102030405060708090a0b",
	.headers_len = 32,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_SPI,
		   IP4_FIELDS(44, 51),
		   .spi = 0xcafebabe,
		   .transport_offset = 20},
    },
    {
	.name = "protocol that is not looked into",
	.hex = IP4("0018", "0000", "59") "02010000",
	.headers_len = 20,
	.addresses = IP4_ADDRESSES,

	.expect = {.present = HAS_IPV4, IP4_FIELDS(24, 89), .transport_offset = 20},
    },
    {
	.name = "options",
	.hex = "47b8 0028 1234 0000 40 11 0000 0a000001 0a000002 94040000 01010100 " UDP_5000_5001,
	.headers_len = 36,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(40, 17),
		   UDP_FIELDS(28)},
    },
    {
	.name = "first fragment has ports",
	.hex = IP4("0020", "2000", "11") UDP_5000_5001,
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(20),
		   .more_fragments = true},
    },
    {
	.name = "later fragment has none",
	.hex = IP4("0020", "20b9", "11") UDP_5000_5001,
	.headers_len = 20,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4,
		   IP4_FIELDS(32, 17),
		   .more_fragments = true,
		   .fragment_offset = 1480},
    },
    {
	.name = "padding behind the packet is not its header",
	.hex = IP4("0018", "0000", "06") "1388 1389 0000 0000 0000 0000 5002 0000 0000 0000",
	.headers_len = 24,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS,
		   IP4_FIELDS(24, 6),
		   .source_port = 5000,
		   .destination_port = 5001,
		   .transport_offset = 20},
    },
    {
	.name = "length zero is a packet too long to tell",
	.hex = IP4("0000", "0000", "11") UDP_5000_5001,
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(0, 17),
		   UDP_FIELDS(20)},
    },
    {
	.name = "header length too small",
	.hex = "44b8 0020 1234 0000 40 11 0000 0a000001 0a000002 " UDP_5000_5001,
	.headers_len = 20,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4, IP4_FIELDS(32, 17)},
    },
    {
	.name = "version 6 where IPv4 was promised",
	.hex = IP6("000c", "11") UDP_5000_5001,
	.expect = {.present = 0},
    },
};

static const struct packet_case over_ipv6[] = {
    {
	.name = "UDP over IPv6",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("000c", "11") UDP_5000_5001,
	.headers_len = 48,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP6_FIELDS(52, 17),
		   UDP_FIELDS(40)},
    },
    {
	.name = "ICMPv6",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0008", "3a") "8000 0000 00010002",
	.headers_len = 44,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_ICMP,
		   IP6_FIELDS(48, 58),
		   .icmp_type = 128,
		   .transport_offset = 40},
    },
    {
	.name = "every extension header before TCP",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("006c", "00") "3c 00 0502 00000100 "              /* hop by hop */
				 "2b 00 01 04 00000000 "             /* destination */
				 "2c 02 00 00 00000000 "             /* routing */
				 "20010db8000000000000000000000003 " /* ... */
				 "33 00 0001 0abbccdd "              /* first fragment */
				 "8c 04 0000 cafebabe 00000001 "     /* AH */
				 "0102030405060708090a0b0c "
				 "3c 00 000000000000 "   /* shim6 */
				 "06 00 01 04 00000000 " /* destination */
				 "1388 1389 00000001 00000002 5018 0400 0000 0000",
	.headers_len = 148,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_FRAGMENT | NFL_HAS_IDENTIFICATION | NFL_HAS_SPI |
			      NFL_HAS_PORTS | NFL_HAS_TCP,
		   IP6_FIELDS(148, 6),
		   .more_fragments = true,
		   .identification = 0x0abbccdd,
		   .spi = 0xcafebabe,
		   .source_port = 5000,
		   .destination_port = 5001,
		   .tcp_sequence = 1,
		   .tcp_ack = 2,
		   .tcp_flags = NFL_TCP_PSH | NFL_TCP_ACK,
		   .tcp_window = 0x400,
		   .transport_offset = 128},
    },
    {
	.name = "later fragment has a protocol and no ports",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0014", "2c") "11 00 05a8 00000007 " UDP_5000_5001,
	.headers_len = 48,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_FRAGMENT | NFL_HAS_IDENTIFICATION,
		   IP6_FIELDS(60, 17),
		   .fragment_offset = 0x5a8,
		   .identification = 7},
    },
    {
	.name = "later fragment of a longer chain has no protocol",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0014", "2c") "3c 00 05a9 00000007 " UDP_5000_5001,
	.headers_len = 48,
	.addresses = IP6_ADDRESSES,
	.expect = {.present =
		       (HAS_IPV6 & ~NFL_HAS_PROTOCOL) | NFL_HAS_FRAGMENT | NFL_HAS_IDENTIFICATION,
		   IP6_FIELDS(60, NO_PROTOCOL),
		   .fragment_offset = 0x5a8,
		   .more_fragments = true,
		   .identification = 7},
    },
    {
	.name = "no next header",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0008", "3c") "3b 00 01 04 00000000",
	.headers_len = 48,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6, IP6_FIELDS(48, 59)},
    },
    {
	.name = "mobility header is the packet's purpose",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0008", "87") "3b 00 00 00 0000 0000",
	.headers_len = 48,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6, IP6_FIELDS(48, 135), .transport_offset = 40},
    },
    {
	.name = "jumbogram has its length in an option",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0000", "00") "11 00 c204 00011170 " UDP_5000_5001,
	.headers_len = 56,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP6_FIELDS(70040, 17),
		   UDP_FIELDS(48)},
    },
    {
	.name = "jumbo option too small is ignored",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("0000", "00") "11 00 c204 0000ffff " UDP_5000_5001,
	.headers_len = 56,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP6_FIELDS(0, 17),
		   UDP_FIELDS(48)},
    },
    {
	.name = "extension header longer than the packet",
	.family = NFL_FAMILY_IPV6,
	.hex = IP6("000c", "3c") "11 05 01 04 00000000 00000000",
	.headers_len = 52,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 & ~NFL_HAS_PROTOCOL, IP6_FIELDS(52, NO_PROTOCOL)},
    },
    {
	.name = "version 4 where IPv6 was promised",
	.family = NFL_FAMILY_IPV6,
	.hex = IP4("0020", "0000", "11") UDP_5000_5001,
	.expect = {.present = 0},
    },
};

static const struct packet_case behind_links[] = {
    {
	.name = "netdev ingress begins with the network header",
	.family = NFL_FAMILY_NETDEV,
	.hw_protocol = 0x0800,
	.hex = IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(20)},
    },
    {
	.name = "netdev egress begins with the Ethernet header",
	.family = NFL_FAMILY_NETDEV,
	.hook = 1,
	.hw_protocol = 0x0800,
	.hex = ETHERNET("0800") IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 42,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(34)},
    },
    {
	.name = "netdev egress of a frame without hw_protocol",
	.family = NFL_FAMILY_NETDEV,
	.hook = 1,
	.hex = ETHERNET("86dd") IP6("000c", "11") UDP_5000_5001,
	.headers_len = 62,
	.addresses = IP6_ADDRESSES,
	.expect = {.present = HAS_IPV6 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP6_FIELDS(52, 17),
		   UDP_FIELDS(54)},
    },
    {
	.name = "netdev egress with the tag in the frame",
	.family = NFL_FAMILY_NETDEV,
	.hook = 1,
	.hw_protocol = 0x8100,
	.hex = ETHERNET("8100") "0064 0800 " IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 46,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH | NFL_HAS_INNER_VLAN,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(38),
		   .inner_vlan_tci = 100},
    },
    {
	.name = "netdev egress of a device without link-layer header",
	.family = NFL_FAMILY_NETDEV,
	.hook = 1,
	.hw_protocol = 0x0800,
	.hex = IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(20)},
    },
    {
	.name = "QinQ begins with the inner tag",
	.family = NFL_FAMILY_BRIDGE,
	.hook = 2,
	.hw_protocol = 0x8100,
	.hex = "a064 0800 " IP4("0020", "0000", "11") UDP_5000_5001,
	.headers_len = 32,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = HAS_IPV4 | NFL_HAS_PORTS | NFL_HAS_UDP_LENGTH | NFL_HAS_INNER_VLAN,
		   IP4_FIELDS(32, 17),
		   UDP_FIELDS(24),
		   .inner_vlan_tci = 0xa064},
    },
    {
	.name = "QinQ with an inner tag of zero",
	.family = NFL_FAMILY_NETDEV,
	.hw_protocol = 0x8100,
	.hex = "0000 0806 " ARP_REQUEST,
	.headers_len = 32,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = NFL_HAS_INNER_VLAN | NFL_HAS_ARP | NFL_HAS_ADDRESSES,
		   .address_len = 4,
		   .arp_operation = 1},
    },
    {
	.name = "ARP input begins with ARP",
	.family = NFL_FAMILY_ARP,
	.hw_protocol = 0x0806,
	.hex = ARP_REQUEST "000000000000",
	.headers_len = 28,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = NFL_HAS_ARP | NFL_HAS_ADDRESSES,
		   .address_len = 4,
		   .arp_operation = 1},
    },
    {
	.name = "ARP output begins with the Ethernet header",
	.family = NFL_FAMILY_ARP,
	.hook = 1,
	.hw_protocol = 0x0806,
	.hex = ETHERNET("0806") ARP_REQUEST,
	.headers_len = 42,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = NFL_HAS_ARP | NFL_HAS_ADDRESSES,
		   .address_len = 4,
		   .arp_operation = 1},
    },
    {
	.name = "ARP with long hardware addresses",
	.family = NFL_FAMILY_ARP,
	.hw_protocol = 0x0806,
	.hex = "0020 0800 0a 04 0002 00010203040506070809 0a000001 "
	       "10111213141516171819 0a000002",
	.headers_len = 36,
	.addresses = IP4_ADDRESSES,
	.expect = {.present = NFL_HAS_ARP | NFL_HAS_ADDRESSES,
		   .address_len = 4,
		   .arp_operation = 2},
    },
    {
	.name = "ARP for another protocol has no addresses",
	.family = NFL_FAMILY_ARP,
	.hw_protocol = 0x0806,
	.hex = "0001 809b 06 03 0001 02f100000a00 0a0000 000000000000 0a0000",
	.headers_len = 26,
	.expect = {.present = NFL_HAS_ARP, .arp_operation = 1},
    },
    {
	.name = "ARP for IPv4 with addresses of no length has none",
	.family = NFL_FAMILY_ARP,
	.hw_protocol = 0x0806,
	.hex = "0001 0800 06 00 0001 02f100000a00 000000000000",
	.headers_len = 20,
	.expect = {.present = NFL_HAS_ARP, .arp_operation = 1},
    },
    {
	.name = "PPPoE is not looked into",
	.family = NFL_FAMILY_NETDEV,
	.hw_protocol = 0x8864,
	.hex = "1100 0001 0016 0021 " IP4("0014", "0000", "11"),
	.expect = {.present = 0},
    },
    {
	.name = "frame of a bridge without hw_protocol is not guessed at",
	.family = NFL_FAMILY_BRIDGE,
	.hex = IP4("0020", "0000", "11") UDP_5000_5001,
	.expect = {.present = 0},
    },
};

static void assert_each(const struct packet_case *packets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		packet_assert_decoded(&packets[i]);
		packet_assert_cuts(&packets[i]);
	}
}

static void packets_over_ipv4_decode_whole_and_cut(void **state)
{
	(void)state;
	assert_each(over_ipv4, sizeof(over_ipv4) / sizeof(over_ipv4[0]));
}

static void packets_over_ipv6_decode_whole_and_cut(void **state)
{
	(void)state;
	assert_each(over_ipv6, sizeof(over_ipv6) / sizeof(over_ipv6[0]));
}

static void packets_behind_each_link_decode_whole_and_cut(void **state)
{
	(void)state;
	assert_each(behind_links, sizeof(behind_links) / sizeof(behind_links[0]));
}

/* A frame full of tags ends at a limit, with the tag read last. */
static void more_tags_than_any_frame_has_end_the_search(void **state)
{
	static const struct packet_case packet = {
	    .name = "five tags",
	    .family = NFL_FAMILY_NETDEV,
	    .hw_protocol = 0x8100,
	    .hex = "0001 8100 0002 8100 0003 8100 0004 8100 0005 0800",
	    .expect = {.present = NFL_HAS_INNER_VLAN, .inner_vlan_tci = 4},
	};

	(void)state;
	packet_assert_decoded(&packet);
}

/* Sixteen extension headers are read, the seventeenth ends it. */
static void more_extension_headers_than_any_packet_has_end_the_search(void **state)
{
	char hex[PACKET_BYTES_MAX * 2 + 1] = IP6("0000", "3c");
	struct packet_case packet = {
	    .name = "chain",
	    .family = NFL_FAMILY_IPV6,
	    .hex = hex,
	    .addresses = IP6_ADDRESSES,
	    .expect = {.present = HAS_IPV6, IP6_FIELDS(0, 59)},
	};

	(void)state;
	for (int i = 0; i < 15; i++)
		strcat(hex, "3c00010400000000");
	strcat(hex, "3b00010400000000");
	packet_assert_decoded(&packet);

	memcpy(strrchr(hex, 'b') - 1, "3c", 2);
	strcat(hex, "3b00010400000000");
	packet.expect.present &= ~NFL_HAS_PROTOCOL;
	packet.expect.protocol = NO_PROTOCOL;
	packet_assert_decoded(&packet);
}

static void payload_absent_or_empty_decodes_to_nothing(void **state)
{
	struct nfl_record record = {.family = NFL_FAMILY_IPV4, .payload = {NULL, 20}};
	const struct nfl_decoded nothing = {.present = 0};
	struct nfl_decoded decoded;

	(void)state;
	memset(&decoded, 0xa5, sizeof(decoded));
	nfl_decode_payload(&record, &decoded);
	assert_memory_equal(&decoded, &nothing, sizeof(nothing));

	record.present = NFL_HAS_PAYLOAD;
	record.payload.len = 0;
	memset(&decoded, 0xa5, sizeof(decoded));
	nfl_decode_payload(&record, &decoded);
	assert_memory_equal(&decoded, &nothing, sizeof(nothing));
}

static void corrupt_every_byte(const struct packet_case *packet)
{
	static const uint8_t values[] = {0x00, 0x01, 0x06, 0x2c, 0x33, 0x3c, 0x45,
					 0x4f, 0x60, 0x7f, 0x80, 0xfe, 0xff};
	uint8_t bytes[PACKET_BYTES_MAX], addresses[2][16];
	uint32_t len = packet_bytes(packet->hex, bytes);

	for (uint32_t at = 0; at < len; at++) {
		uint8_t before = bytes[at];

		for (size_t v = 0; v < sizeof(values); v++) {
			bytes[at] = values[v];
			(void)packet_decode(packet, bytes, len, addresses);
		}
		bytes[at] = before;
	}
}

static void packet_with_any_byte_changed_stays_within_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(over_ipv4) / sizeof(over_ipv4[0]); i++)
		corrupt_every_byte(&over_ipv4[i]);
	for (size_t i = 0; i < sizeof(over_ipv6) / sizeof(over_ipv6[0]); i++)
		corrupt_every_byte(&over_ipv6[i]);
	for (size_t i = 0; i < sizeof(behind_links) / sizeof(behind_links[0]); i++)
		corrupt_every_byte(&behind_links[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_over_ipv4_decode_whole_and_cut),
	    cmocka_unit_test(packets_over_ipv6_decode_whole_and_cut),
	    cmocka_unit_test(packets_behind_each_link_decode_whole_and_cut),
	    cmocka_unit_test(more_tags_than_any_frame_has_end_the_search),
	    cmocka_unit_test(more_extension_headers_than_any_packet_has_end_the_search),
	    cmocka_unit_test(payload_absent_or_empty_decodes_to_nothing),
	    cmocka_unit_test(packet_with_any_byte_changed_stays_within_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
