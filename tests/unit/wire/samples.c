/* SPDX-License-Identifier: MIT */
/* samples.c: packets with invented values, so that no field has the value of another. */
#include <string.h>

#include <linux/if_arp.h>

#include "message.h"

static const uint8_t address4[2][4] = {{10, 0, 1, 60}, {10, 0, 1, 5}};
static const uint8_t address6[2][16] = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1},
					{0x20, 0x01, 0x0d, 0xb8, [15] = 2}};
static const uint8_t mac[8] = {0x02, 0xf1, 0, 0, 0x0b, 0, 0, 0};
static const uint8_t ethernet[14] = {2, 0xf1, 0, 0, 0x0a, 0, 2, 0xf1, 0, 0, 0x0b, 0, 8, 0};
static uint8_t payload[128];
static uint8_t attributes[200];

static struct nfl_bytes text(const char *s)
{
	return (struct nfl_bytes){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static struct nfl_bytes some(const uint8_t *data, uint32_t len)
{
	return (struct nfl_bytes){data, len};
}

void packet_empty(struct nfl_packet *ret)
{
	*ret = (struct nfl_packet){0};
}

static void full_record(struct nfl_packet *ret)
{
	struct nfl_record *r = &ret->record;

	*r = (struct nfl_record){
	    .present = ~UINT64_C(0),
	    .receive_time_ns = INT64_C(1795410156616271001),
	    .packet_time_ns = INT64_C(1795410156616270000),
	    .family = NFL_FAMILY_BRIDGE,
	    .hook_number = 4,
	    .hw_protocol = 0x86dd,
	    .hw_type = ARPHRD_ETHER,
	    .hw_length = 14,
	    .vlan_tci = 0x2064,
	    .vlan_proto = 0x88a8,
	    .mark = 0xdeadbeef,
	    .indev = 2,
	    .outdev = 300,
	    .physindev = 70000,
	    .physoutdev = 4000000000U,
	    .uid = 1000,
	    .gid = 65534,
	    .seq = UINT32_MAX,
	    .seq_global = 77,
	    .ct_info = 2,
	    .hw_address = some(mac, 6),
	    .payload = some(payload, sizeof(payload)),
	    .prefix = text("fw-drop: "),
	    .hw_header = some(ethernet, sizeof(ethernet)),
	    .ct = some(attributes, sizeof(attributes)),
	    .l2_header = some(ethernet, 12),
	    .unknown_count = 3,
	    .unknown = {some(attributes, 8), some(attributes, 0), some(attributes + 8, 150)},
	};
	ret->indev_name = text("veth12");
	ret->outdev_name = text("eth0");
	ret->physindev_name = text("br0p1");
	ret->physoutdev_name = text("averylongname15");
}

static void full_decoded(struct nfl_decoded *d)
{
	*d = (struct nfl_decoded){
	    .present = UINT32_MAX,
	    .truncated = true,
	    .more_fragments = true,
	    .ip_version = 6,
	    .address_len = 16,
	    .protocol = 6,
	    .icmp_type = 135,
	    .icmp_code = 4,
	    .ttl = 255,
	    .traffic_class = 0xb9,
	    .tcp_flags = NFL_TCP_AE | NFL_TCP_SYN,
	    .tcp_window = 65535,
	    .source_port = 44916,
	    .destination_port = 80,
	    .arp_operation = 2,
	    .gre_protocol = 0x6558,
	    .udp_length = 65000,
	    .inner_vlan_tci = 0xffff,
	    .total_length = 65575,
	    .flow_label = 0xfffff,
	    .identification = 0xcafebabe,
	    .fragment_offset = 65528,
	    .tcp_sequence = 0x80000001,
	    .tcp_ack = 0xfffffffe,
	    .spi = 0x90000000,
	    .source = address6[0],
	    .destination = address6[1],
	};
}

void packet_full(struct nfl_packet *ret)
{
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 3 + 1);
	for (unsigned i = 0; i < sizeof(attributes); i++)
		attributes[i] = (uint8_t)(i * 5 + 2);
	*ret = (struct nfl_packet){
	    .sequence = UINT64_MAX,
	    .source_id = 4711,
	    .original_length = 1500,
	    .prefix_raw = some(attributes, 9),
	    .conntrack =
		{
		    .present = UINT32_MAX,
		    .id = 0xa1b2c3d4,
		    .status = 0x18e,
		    .mark = 0x100,
		    .zone = 65535,
		    .original = {4, 17, 1234, 53, address4[0], address4[1]},
		    .reply = {16, 58, 65535, 1, address6[1], address6[0]},
		},
	};
	full_record(ret);
	full_decoded(&ret->decoded);
}

void packet_zeros(struct nfl_packet *ret)
{
	static const uint8_t zeros[16];

	*ret = (struct nfl_packet){
	    .record.present = NFL_HAS_PACKET_TIME | NFL_HAS_INDEV | NFL_HAS_OUTDEV |
			      NFL_HAS_PHYSINDEV | NFL_HAS_PHYSOUTDEV | NFL_HAS_UID | NFL_HAS_GID |
			      NFL_HAS_SEQ | NFL_HAS_SEQ_GLOBAL | NFL_HAS_HW_TYPE |
			      NFL_HAS_HW_LENGTH | NFL_HAS_CT_INFO | NFL_HAS_VLAN_TCI,
	    .decoded = {.present = UINT32_MAX & ~NFL_HAS_FLOW_LABEL,
			.ip_version = 4,
			.address_len = 4,
			.source = zeros,
			.destination = zeros},
	    .conntrack = {.present = UINT32_MAX,
			  .original = {4, 0, 0, 0, zeros, zeros},
			  .reply = {16, 0, 0, 0, zeros, zeros}},
	};
}

void packet_tcp(struct nfl_packet *ret)
{
	packet_full(ret);
	ret->sequence = 123456;
	ret->source_id = 3;
	ret->prefix_raw.len = 0;
	ret->record.family = NFL_FAMILY_IPV4;
	ret->record.hook_number = 2;
	ret->record.hw_protocol = 0x0800;
	ret->record.unknown_count = 0;
	ret->record.present = NFL_HAS_MARK | NFL_HAS_PACKET_TIME | NFL_HAS_INDEV | NFL_HAS_OUTDEV |
			      NFL_HAS_HW_ADDRESS | NFL_HAS_PAYLOAD | NFL_HAS_PREFIX | NFL_HAS_SEQ |
			      NFL_HAS_HW_TYPE | NFL_HAS_HW_HEADER | NFL_HAS_HW_LENGTH;
	ret->decoded.present = NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_PORTS |
			       NFL_HAS_TCP | NFL_HAS_IDENTIFICATION | NFL_HAS_FRAGMENT;
	ret->decoded.ip_version = 4;
	ret->decoded.address_len = 4;
	ret->decoded.source = address4[0];
	ret->decoded.destination = address4[1];
	ret->decoded.total_length = sizeof(payload);
	ret->decoded.traffic_class = 0;
	ret->decoded.fragment_offset = 0;
	ret->decoded.more_fragments = false;
	ret->decoded.truncated = false;
}
