/* SPDX-License-Identifier: MIT */
/*
 * nfl/render.h - packets as text
 *
 * Every function writes at most `cap` bytes including a final NUL and returns the length without
 * the NUL that the whole text needs or has (as snprintf does): a result of cap or more was cut, behind
 * a whole character.
 * NFL_RENDER_MAX is enough for compact text; JSON needs nfl_render_json_bound(). Any thread, never
 * allocates; independent of the locale. Local times follow TZ as localtime_r(3) does.
 */
#ifndef NFL_RENDER_H
#define NFL_RENDER_H

#include <nfl/record.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFL_RENDER_MAX ((size_t)4096)

#define NFL_RENDER_COLOR UINT32_C(1) /* ANSI colours */
#define NFL_RENDER_UTC   UINT32_C(2) /* times in UTC instead of local time */
/* Of compact lines and tables: */
#define NFL_RENDER_DATE    UINT32_C(4)  /* the date in front of the time */
#define NFL_RENDER_NUMERIC UINT32_C(8)  /* numbers of protocols, hooks, interfaces, states */
#define NFL_RENDER_RFC3339 UINT32_C(16) /* times as in JSON */
#define NFL_RENDER_EPOCH   UINT32_C(32) /* times in seconds since 1970 */
#define NFL_RENDER_NO_TIME UINT32_C(64) /* no times */

/* Where a packet came from; netns is NUL-terminated, borrowed. */
struct nfl_render_source {
	const char *netns;
	uint16_t group;
};

/**
 * nfl_render_compact - one line without the newline
 * @source: the namespace's name and the group; NULL: the record's group alone
 *
 * 12:00:00.123456 red/100 FORWARD veth12>eth0 10.0.1.60:44916 > 10.0.1.5:80 TCP SYN len 60 ttl 63
 * mark 0x100 "fw-drop: "
 *
 * The kernel's time where it gave one, else the time of receipt. An interface is its name, or "if2"
 * when the name is not known; a bridge's port follows in parentheses: br0(veth1)>br0(veth2). What
 * does not apply is left out. The prefix is last, in double quotes, escaped by nfl_escape_text().
 */
NFL_API size_t nfl_render_compact(char *buf, size_t cap, const struct nfl_packet *packet,
				  const struct nfl_render_source *source, uint32_t flags);

#define NFL_RENDER_COLUMNS 11

/* The widths of a table's columns, which only grow; zero-initialised: none yet. */
struct nfl_render_table {
	uint8_t widths[NFL_RENDER_COLUMNS];
};

/* The heads of the columns, and a row below them: time, namespace, group, hook, interfaces, addresses,
 * protocol, length and prefix; what is not known is empty. Without the newline. */
NFL_API size_t nfl_render_table_head(char *buf, size_t cap, struct nfl_render_table *table,
				     uint32_t flags);
NFL_API size_t nfl_render_table_row(char *buf, size_t cap, struct nfl_render_table *table,
				    const struct nfl_packet *packet,
				    const struct nfl_render_source *source, uint32_t flags);

/**
 * nfl_render_hex - bytes as tcpdump -X shows them, in lines of sixteen; without the last newline
 *
 *	0x0000:  4500 0030 1234 4000 4011 0000 0a00 013c  E..0.4@.@......<
 */
NFL_API size_t nfl_render_hex(char *buf, size_t cap, const void *bytes, size_t len);
/* A cap that is enough for so many bytes. */
NFL_API size_t nfl_render_hex_bound(size_t len);

/**
 * nfl_render_json - one JSON object on one line, without the newline; always valid UTF-8
 * @source: the namespace's name and the group; NULL: the record's group alone
 * @flags: NFL_RENDER_UTC
 *
 * A key is there when its value is known: absent is not zero. In this order:
 *
 *	key                     value
 *	time                    string: packet_time where there is one, else receive_time;
 *	                        RFC 3339 with nanoseconds
 *	packet_time             string: the kernel's time stamp; not on every hook
 *	receive_time            string: when nflogd or the listener read it
 *	netns                   string: network namespace
 *	group                   number: NFLOG group
 *	source_id               number: nflogd's number of (netns, group)
 *	sequence                number: nflogd's, for each source, from 1, without gaps
 *	family                  string: ip, ip6, arp, bridge, netdev, inet
 *	hook                    string: PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING, INGRESS,
 *	                        EGRESS, BROUTING
 *	hook_number             number: the kernel's number, read with family; always
 *	prefix                  string: of the rule; always, "" where it has none
 *	prefix_raw              string, hex: its bytes, only where they are not UTF-8
 *	input, output           object: interface {"index": number, "name": string}
 *	physical_input,
 *	physical_output         object: the bridge's ports, as above
 *	ip_version              number: 4 or 6
 *	src, dst                string: addresses; of ARP the sender's and target's
 *	protocol                number: upper layer, IANA
 *	protocol_name           string: TCP, UDP, ICMP, ...
 *	ttl                     number: hop limit
 *	traffic_class           number: TOS byte
 *	flow_label              number: IPv6
 *	identification          number: IPv4, and IPv6 fragments
 *	fragment_offset         number: in bytes, of fragments only
 *	more_fragments          true: a fragment that is not the last
 *	sport, dport            number: TCP, UDP, UDP-Lite, SCTP
 *	tcp_flags               array of FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE
 *	tcp_sequence, tcp_ack,
 *	tcp_window              number
 *	udp_length              number: of the UDP header
 *	icmp_type, icmp_code    number: ICMP or ICMPv6
 *	icmp_name               string: echo request, port unreachable, ...
 *	arp_operation           number: 1 request, 2 reply
 *	gre_protocol            number: EtherType
 *	spi                     number: ESP, AH
 *	inner_vlan_id           number: second VLAN tag, found in the payload
 *	truncated               true: too few bytes were captured to read all headers
 *	length                  number: bytes of the packet before any cut
 *	mark, uid, gid          number: absent where the kernel tells none; mark 0 is absent
 *	kernel_sequence,
 *	kernel_global_sequence  number: NFULA_SEQ, NFULA_SEQ_GLOBAL
 *	hw_protocol             number: EtherType
 *	hw_type                 number: ARPHRD_*
 *	hw_address              string: source MAC, 02:f1:00:00:0b:00
 *	hw_header_length        number
 *	hw_header               string, hex
 *	vlan                    object: {"protocol": number, "tci": number, "id": number}
 *	l2_header               string, hex
 *	conntrack               object: info (number), state (NEW, ESTABLISHED, ...), id, status,
 *	                        mark, zone (numbers), original and reply {src, dst, protocol,
 *	                        protocol_name, sport, dport}
 *	payload                 string, hex: the captured bytes
 *	unknown_attributes      array of strings, hex: attributes newer than this library
 */
NFL_API size_t nfl_render_json(char *buf, size_t cap, const struct nfl_packet *packet,
			       const struct nfl_render_source *source, uint32_t flags);
/* A cap that is enough for this packet. */
NFL_API size_t nfl_render_json_bound(const struct nfl_packet *packet,
				     const struct nfl_render_source *source);

/**
 * nfl_escape_text - bytes of unknown origin made safe for a terminal or a log
 *
 * C0 controls, DEL and bytes that are no UTF-8 become \xNN; C1 controls and characters that are
 * invisible or turn the text's direction become \u{NNNN}; backslash and double quote get a
 * backslash. Everything else stays. What comes out is printable UTF-8.
 */
NFL_API size_t nfl_escape_text(char *buf, size_t cap, const void *bytes, size_t len);

/* The same for texts that no quotes surround: a double quote stays as it is. */
NFL_API size_t nfl_escape_line(char *buf, size_t cap, const void *bytes, size_t len);

/* The same bytes as the inside of a JSON string: what nfl_escape_text() escapes becomes \uNNNN, and
 * each byte that is no UTF-8 becomes U+FFFD. At most 6 bytes for each. */
NFL_API size_t nfl_escape_json(char *buf, size_t cap, const void *bytes, size_t len);

/* RFC 3339 with nanoseconds, "2026-11-23T12:00:00.123456789Z" (UTC) or with an offset (local). */
NFL_API size_t nfl_render_time(char *buf, size_t cap, int64_t time_ns, uint32_t flags);

/* "10.0.0.1", "2001:db8::1" (RFC 5952); len is 4 or 16, else an empty text. */
NFL_API size_t nfl_render_address(char *buf, size_t cap, const uint8_t *address, size_t len);

#ifdef __cplusplus
}
#endif
#endif
