/* SPDX-License-Identifier: MIT */
/*
 * nfl/record.h - one logged packet, as the kernel told it and as its headers say
 *
 * Three views that point into the same bytes: struct nfl_record is what NFLOG told (attributes of
 * one nfnetlink_log message), struct nfl_decoded is what the packet's own headers say, struct
 * nfl_conntrack is the connection that conntrack attached. struct nfl_packet is the three of them
 * with what nflogd adds (sequence, source, device names).
 *
 * Absent is not zero: uid 0, conntrack info 0 and a VLAN TCI of 0 are values. Each struct has
 * `present`, a set of bits that tells which fields hold something; the others are undefined.
 *
 * Ownership: every pointer is borrowed from the datagram or message that was decoded and is valid
 * as long as those bytes are, at most until the callback returns. The library makes these structs;
 * later versions only append fields.
 */
#ifndef NFL_RECORD_H
#define NFL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NFL_API
#define NFL_API __attribute__((visibility("default")))
#endif

/* Borrowed bytes; data may be NULL when len is 0. */
struct nfl_bytes {
	const uint8_t *data;
	uint32_t len;
};

/* nfgen_family of the message. `inet` tables report IPV4 or IPV6. */
enum nfl_family {
	NFL_FAMILY_UNSPECIFIED = 0,
	NFL_FAMILY_INET = 1,
	NFL_FAMILY_IPV4 = 2,
	NFL_FAMILY_ARP = 3,
	NFL_FAMILY_NETDEV = 5,
	NFL_FAMILY_BRIDGE = 7,
	NFL_FAMILY_IPV6 = 10,
};

/* The hook by name; the kernel's number means different hooks in different families. */
enum nfl_hook {
	NFL_HOOK_UNSPECIFIED = 0,
	NFL_HOOK_PREROUTING = 1,
	NFL_HOOK_INPUT = 2,
	NFL_HOOK_FORWARD = 3,
	NFL_HOOK_OUTPUT = 4,
	NFL_HOOK_POSTROUTING = 5,
	NFL_HOOK_INGRESS = 6,
	NFL_HOOK_EGRESS = 7,
	NFL_HOOK_BROUTING = 8,
};

/* Bits of nfl_record.present: fields that may be absent. family, group, hook_number, hw_protocol
 * and receive_time_ns are always there. */
#define NFL_HAS_MARK        (UINT64_C(1) << 0)
#define NFL_HAS_PACKET_TIME (UINT64_C(1) << 1)
#define NFL_HAS_INDEV       (UINT64_C(1) << 2)
#define NFL_HAS_OUTDEV      (UINT64_C(1) << 3)
#define NFL_HAS_PHYSINDEV   (UINT64_C(1) << 4)
#define NFL_HAS_PHYSOUTDEV  (UINT64_C(1) << 5)
#define NFL_HAS_HW_ADDRESS  (UINT64_C(1) << 6)
#define NFL_HAS_PAYLOAD     (UINT64_C(1) << 7)
#define NFL_HAS_PREFIX      (UINT64_C(1) << 8)
#define NFL_HAS_UID         (UINT64_C(1) << 9)
#define NFL_HAS_GID         (UINT64_C(1) << 10)
#define NFL_HAS_SEQ         (UINT64_C(1) << 11)
#define NFL_HAS_SEQ_GLOBAL  (UINT64_C(1) << 12)
#define NFL_HAS_HW_TYPE     (UINT64_C(1) << 13)
#define NFL_HAS_HW_HEADER   (UINT64_C(1) << 14)
#define NFL_HAS_HW_LENGTH   (UINT64_C(1) << 15)
#define NFL_HAS_CT          (UINT64_C(1) << 16)
#define NFL_HAS_CT_INFO     (UINT64_C(1) << 17)
#define NFL_HAS_VLAN_TCI    (UINT64_C(1) << 18)
#define NFL_HAS_VLAN_PROTO  (UINT64_C(1) << 19)
#define NFL_HAS_L2_HEADER   (UINT64_C(1) << 20)

#define NFL_UNKNOWN_MAX                                                                            \
	16 /* unknown attributes kept of one message; the kernel adds about one a year */

/* Rules and devices of a listener that are told apart at once; a power of two. */
#define NFL_HEADS 32

/**
 * struct nfl_record - one NFULNL_MSG_PACKET message
 * @present: NFL_HAS_* bits
 * @receive_time_ns: CLOCK_REALTIME when the datagram was read, ns since the epoch
 * @packet_time_ns: NFULA_TIMESTAMP in ns (the kernel gives microseconds); not on every hook
 * @family: nfgenmsg.nfgen_family, enum nfl_family or a number newer than this library
 * @hook_number: NFULA_PACKET_HDR.hook as sent; nfl_record_hook() names it
 * @group: NFLOG group the message was sent to
 * @hw_protocol: NFULA_PACKET_HDR.hw_protocol, EtherType in host order; 0 where the kernel has none
 * @indev..@physoutdev: interface indexes, which mean something only in the packet's namespace
 * @hw_address: NFULA_HWADDR without its padding, at most 8 bytes (source MAC)
 * @payload: NFULA_PAYLOAD; begins at the network header, except with the Ethernet header on
 *           netdev egress and ARP output
 * @prefix: NFULA_PREFIX without the NUL; arbitrary bytes, not text
 * @uid, @gid: of the socket's opener, as the binder's user namespace sees them
 * @seq: NFULA_SEQ, per bind, from 0, wraps; @seq_global: per namespace over all groups, from 1
 * @hw_type: ARPHRD_*; @hw_header: link-layer header; @hw_length: NFULA_HWLEN
 * @ct: NFULA_CT, the nested CTA_* attributes; @ct_info: enum ip_conntrack_info
 * @vlan_tci, @vlan_proto: outer VLAN tag, host order
 * @l2_header: NFULA_L2HDR, without the tag
 * @unknown: attributes newer than this library, each with its struct nlattr; @unknown_count kept
 * @lost_kernel: packets the kernel dropped between the previous record and this one, by NFULA_SEQ
 * @lost_decode: the same for packets in datagrams that were cut short or malformed
 * @head: for who keeps what he made of a record. Records of one listener with the same @head, which
 *        is not 0, have the same family, group, hook_number, hw_protocol, prefix, devices, mark,
 *        hw_address, hw_type, hw_length and hw_header. @head modulo NFL_HEADS is a place to keep it: of two
 *        with the same place the older does not come again. 0: nothing is known
 */
struct nfl_record {
	uint64_t present;
	int64_t receive_time_ns;
	int64_t packet_time_ns;
	uint8_t family;
	uint8_t hook_number;
	uint16_t group;
	uint16_t hw_protocol;
	uint16_t hw_type;
	uint16_t hw_length;
	uint16_t vlan_tci;
	uint16_t vlan_proto;
	uint16_t unknown_count;
	uint32_t mark;
	uint32_t indev;
	uint32_t outdev;
	uint32_t physindev;
	uint32_t physoutdev;
	uint32_t uid;
	uint32_t gid;
	uint32_t seq;
	uint32_t seq_global;
	uint32_t ct_info;
	uint32_t lost_kernel;
	uint32_t lost_decode;
	uint32_t head;
	struct nfl_bytes hw_address;
	struct nfl_bytes payload;
	struct nfl_bytes prefix;
	struct nfl_bytes hw_header;
	struct nfl_bytes ct;
	struct nfl_bytes l2_header;
	struct nfl_bytes unknown[NFL_UNKNOWN_MAX];
};

/* Bits of nfl_decoded.present. */
#define NFL_HAS_IP             (UINT32_C(1) << 0) /* version, total length, ttl, class */
#define NFL_HAS_PROTOCOL       (UINT32_C(1) << 1)
#define NFL_HAS_PORTS          (UINT32_C(1) << 2)
#define NFL_HAS_TCP            (UINT32_C(1) << 3) /* flags, sequence, ack, window */
#define NFL_HAS_ICMP           (UINT32_C(1) << 4) /* type and code, ICMP or ICMPv6 */
#define NFL_HAS_FRAGMENT       (UINT32_C(1) << 5) /* IPv6: fragment header seen; IPv4: always */
#define NFL_HAS_FLOW_LABEL     (UINT32_C(1) << 6)
#define NFL_HAS_ARP            (UINT32_C(1) << 7) /* arp_operation; addresses when IPv4 */
#define NFL_HAS_SPI            (UINT32_C(1) << 8) /* ESP or AH */
#define NFL_HAS_GRE            (UINT32_C(1) << 9) /* gre_protocol */
#define NFL_HAS_IDENTIFICATION (UINT32_C(1) << 10)
#define NFL_HAS_ADDRESSES      (UINT32_C(1) << 11)
#define NFL_HAS_UDP_LENGTH     (UINT32_C(1) << 12)
#define NFL_HAS_INNER_VLAN     (UINT32_C(1) << 13)

/* Bits of nfl_decoded.tcp_flags. */
#define NFL_TCP_FIN UINT16_C(0x001)
#define NFL_TCP_SYN UINT16_C(0x002)
#define NFL_TCP_RST UINT16_C(0x004)
#define NFL_TCP_PSH UINT16_C(0x008)
#define NFL_TCP_ACK UINT16_C(0x010)
#define NFL_TCP_URG UINT16_C(0x020)
#define NFL_TCP_ECE UINT16_C(0x040)
#define NFL_TCP_CWR UINT16_C(0x080)
#define NFL_TCP_AE  UINT16_C(0x100)

/**
 * struct nfl_decoded - what the captured headers say
 * @present: NFL_HAS_* bits above
 * @truncated: the capture ended before the headers did; what was there is decoded
 * @more_fragments: MF bit (IPv4) or M flag (IPv6)
 * @ip_version: 4 or 6; 0 for ARP and packets that are no IP
 * @address_len: bytes at each address: 4 or 16
 * @source, @destination: borrowed, network order; ARP: sender and target protocol address
 * @protocol: upper layer after IPv6 extension headers, IANA number
 * @source_port, @destination_port: TCP, UDP, UDP-Lite, SCTP
 * @total_length: length of the IP packet by its header, in bytes; 0 where the header cannot tell,
 *     as in packets of more than 65535 bytes (BIG TCP)
 * @fragment_offset: in bytes
 * @inner_vlan_tci: tag met inside the payload (QinQ), the innermost when there are several
 * @transport_offset: of the upper layer's header in the payload, in bytes; 0 when not reached
 */
struct nfl_decoded {
	uint32_t present;
	bool truncated;
	bool more_fragments;
	uint8_t ip_version;
	uint8_t address_len;
	uint8_t protocol;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t ttl;
	uint8_t traffic_class;
	uint16_t tcp_flags;
	uint16_t tcp_window;
	uint16_t source_port;
	uint16_t destination_port;
	uint16_t arp_operation;
	uint16_t gre_protocol;
	uint16_t udp_length;
	uint16_t inner_vlan_tci;
	uint32_t total_length;
	uint32_t flow_label;
	uint32_t identification;
	uint32_t fragment_offset;
	uint32_t tcp_sequence;
	uint32_t tcp_ack;
	uint32_t spi;
	uint32_t transport_offset;
	const uint8_t *source;
	const uint8_t *destination;
};

/* Bits of nfl_conntrack.present. */
#define NFL_HAS_CT_ID       (UINT32_C(1) << 0)
#define NFL_HAS_CT_STATUS   (UINT32_C(1) << 1)
#define NFL_HAS_CT_MARK     (UINT32_C(1) << 2)
#define NFL_HAS_CT_ZONE     (UINT32_C(1) << 3)
#define NFL_HAS_CT_ORIGINAL (UINT32_C(1) << 4)
#define NFL_HAS_CT_REPLY    (UINT32_C(1) << 5)

/* One direction of a connection; addresses borrowed, network order, address_len 4 or 16. */
struct nfl_tuple {
	uint8_t address_len;
	uint8_t protocol;
	uint16_t source_port;
	uint16_t destination_port;
	const uint8_t *source;
	const uint8_t *destination;
};

/* What NFULA_CT says. @zone is also taken from a tuple when the zone is of one direction only. */
struct nfl_conntrack {
	uint32_t present;
	uint32_t id;
	uint32_t status; /* IPS_* bits of linux/netfilter/nf_conntrack_common.h */
	uint32_t mark;
	uint16_t zone;
	struct nfl_tuple original;
	struct nfl_tuple reply;
};

/**
 * struct nfl_packet - a record with everything known about it
 * @sequence: nflogd's number, per source, from 1, without gaps; 0 outside nflogd
 * @source_id: names the (namespace, group) in one daemon epoch; 0 outside nflogd
 * @original_length: bytes before any cut: the IP total length when known, else the payload's
 * @indev_name..@physoutdev_name: interface names in the packet's namespace; len 0 when not known
 * @prefix_raw: the prefix's bytes where `record.prefix` is a repaired copy; len 0 otherwise
 */
struct nfl_packet {
	uint64_t sequence;
	uint32_t source_id;
	uint32_t original_length;
	struct nfl_record record;
	struct nfl_decoded decoded;
	struct nfl_conntrack conntrack;
	struct nfl_bytes indev_name;
	struct nfl_bytes outdev_name;
	struct nfl_bytes physindev_name;
	struct nfl_bytes physoutdev_name;
	struct nfl_bytes prefix_raw;
};

/**
 * nfl_record_hook - the hook of a record by name, from family and hook number
 * Returns NFL_HOOK_UNSPECIFIED for a pair that no kernel header defines. Any thread.
 */
NFL_API enum nfl_hook nfl_record_hook(const struct nfl_record *record);

/* Names as users of nft write them, in upper case for hooks ("FORWARD") and lower case for
 * families ("ip", "ip6", "arp", "netdev", "bridge", "inet"); static text, "?" when unknown. */
NFL_API const char *nfl_hook_name(enum nfl_hook hook);
NFL_API const char *nfl_family_name(unsigned family);
/* "TCP", "UDP", ...; NULL for a number this library has no name for. */
NFL_API const char *nfl_protocol_name(uint8_t protocol);
/* "NEW", "ESTABLISHED", ...; "?" when unknown. info is enum ip_conntrack_info. */
NFL_API const char *nfl_ct_info_name(uint32_t info);

#ifdef __cplusplus
}
#endif
#endif
