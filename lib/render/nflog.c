/* SPDX-License-Identifier: MIT */
/*
 * LINKTYPE_NFLOG: what the kernel sent, put together again from what was decoded. Lengths and types
 * are in host order, values in network order, as in the kernel's message.
 */
#include "nflog.h"

#include <endian.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include "clock.h"

#define HEADER_BYTES sizeof(struct nlattr)
/* All attributes of a fixed length together, with their headers: less than half of this. */
#define FIXED_BOUND    512
#define VALUE_MAX      ((uint32_t)(UINT16_MAX - HEADER_BYTES))
#define HW_ADDRESS_MAX 8

/* Room for the value behind the attribute's header; a value of another length is padded. */
static uint8_t *put_header(struct block *b, uint16_t type, size_t len)
{
	const struct nlattr header = {.nla_len = (uint16_t)(HEADER_BYTES + len), .nla_type = type};
	uint8_t *at = block_take(b, HEADER_BYTES + BLOCK_PAD(len));

	if (!at)
		return NULL;
	memcpy(at, &header, sizeof(header));
	if (len % 4)
		memset(at + HEADER_BYTES + BLOCK_PAD(len) - 4, 0, 4);
	return at + HEADER_BYTES;
}

/* A longer value than an attribute can hold is cut. */
static void put_bytes(struct block *b, uint16_t type, struct nfl_bytes bytes)
{
	size_t len = bytes.len < VALUE_MAX ? bytes.len : VALUE_MAX;
	uint8_t *at = put_header(b, type, len);

	if (at && len)
		memcpy(at, bytes.data, len);
}

static void put_u16(struct block *b, uint16_t type, uint16_t value)
{
	uint16_t be = htobe16(value);
	uint8_t *at = put_header(b, type, sizeof(be));

	if (at)
		memcpy(at, &be, sizeof(be));
}

static void put_u32(struct block *b, uint16_t type, uint32_t value)
{
	uint32_t be = htobe32(value);
	uint8_t *at = put_header(b, type, sizeof(be));

	if (at)
		memcpy(at, &be, sizeof(be));
}

static void put_u32_if(struct block *b, const struct nfl_record *r, uint64_t bit, uint16_t type,
		       uint32_t value)
{
	if (r->present & bit)
		put_u32(b, type, value);
}

/* With the NUL that the kernel sends. */
static void put_prefix(struct block *b, const struct nfl_packet *p)
{
	struct nfl_bytes prefix = p->prefix_raw.len ? p->prefix_raw : p->record.prefix;
	size_t len = prefix.len < VALUE_MAX ? prefix.len : VALUE_MAX - 1;
	uint8_t *at;

	if (!(p->record.present & NFL_HAS_PREFIX))
		return;
	at = put_header(b, NFULA_PREFIX, len + 1);
	if (!at)
		return;
	if (len)
		memcpy(at, prefix.data, len);
	at[len] = '\0';
}

static void put_packet_header(struct block *b, const struct nfl_record *r)
{
	const struct nfulnl_msg_packet_hdr header = {
	    .hw_protocol = htobe16(r->hw_protocol),
	    .hook = r->hook_number,
	};

	put_bytes(b, NFULA_PACKET_HDR,
		  (struct nfl_bytes){(const uint8_t *)&header, sizeof(header)});
}

static void put_devices(struct block *b, const struct nfl_record *r)
{
	put_u32_if(b, r, NFL_HAS_INDEV, NFULA_IFINDEX_INDEV, r->indev);
	put_u32_if(b, r, NFL_HAS_PHYSINDEV, NFULA_IFINDEX_PHYSINDEV, r->physindev);
	put_u32_if(b, r, NFL_HAS_OUTDEV, NFULA_IFINDEX_OUTDEV, r->outdev);
	put_u32_if(b, r, NFL_HAS_PHYSOUTDEV, NFULA_IFINDEX_PHYSOUTDEV, r->physoutdev);
}

static void put_hw_address(struct block *b, const struct nfl_record *r)
{
	struct nfulnl_msg_packet_hw hw = {0};
	uint32_t len = r->hw_address.len;

	if (!(r->present & NFL_HAS_HW_ADDRESS) || len > HW_ADDRESS_MAX)
		return;
	hw.hw_addrlen = htobe16((uint16_t)len);
	if (len)
		memcpy(hw.hw_addr, r->hw_address.data, len);
	put_bytes(b, NFULA_HWADDR, (struct nfl_bytes){(const uint8_t *)&hw, sizeof(hw)});
}

static void put_vlan(struct block *b, const struct nfl_record *r)
{
	size_t start = b->len;
	uint16_t len;

	if (!(r->present & (NFL_HAS_VLAN_PROTO | NFL_HAS_VLAN_TCI)))
		return;
	(void)put_header(b, NFULA_VLAN | NLA_F_NESTED, 0);
	if (r->present & NFL_HAS_VLAN_PROTO)
		put_u16(b, NFULA_VLAN_PROTO, r->vlan_proto);
	if (r->present & NFL_HAS_VLAN_TCI)
		put_u16(b, NFULA_VLAN_TCI, r->vlan_tci);
	len = (uint16_t)(b->len - start);
	if (!b->full)
		memcpy(b->buf + start, &len, sizeof(len));
}

static void put_link_layer(struct block *b, const struct nfl_record *r)
{
	put_hw_address(b, r);
	if (r->present & NFL_HAS_HW_TYPE)
		put_u16(b, NFULA_HWTYPE, r->hw_type);
	if (r->present & NFL_HAS_HW_LENGTH)
		put_u16(b, NFULA_HWLEN, r->hw_length);
	if (r->present & NFL_HAS_HW_HEADER)
		put_bytes(b, NFULA_HWHEADER, r->hw_header);
	put_vlan(b, r);
	if (r->present & NFL_HAS_L2_HEADER)
		put_bytes(b, NFULA_L2HDR, r->l2_header);
}

static void put_timestamp(struct block *b, const struct nfl_record *r)
{
	struct nfulnl_msg_packet_timestamp stamp;
	uint64_t ns = (uint64_t)r->packet_time_ns;

	if (!(r->present & NFL_HAS_PACKET_TIME))
		return;
	stamp.sec = htobe64(ns / NS_PER_S);
	stamp.usec = htobe64(ns % NS_PER_S / NS_PER_US);
	put_bytes(b, NFULA_TIMESTAMP, (struct nfl_bytes){(const uint8_t *)&stamp, sizeof(stamp)});
}

static void put_conntrack(struct block *b, const struct nfl_record *r)
{
	if (r->present & NFL_HAS_CT)
		put_bytes(b, NFULA_CT | NLA_F_NESTED, r->ct);
	put_u32_if(b, r, NFL_HAS_CT_INFO, NFULA_CT_INFO, r->ct_info);
}

/* They have their headers; one of a lying length would hide what follows. */
static void put_unknown(struct block *b, const struct nfl_record *r)
{
	for (size_t i = 0; i < r->unknown_count; i++) {
		struct nlattr header;

		if (r->unknown[i].len < sizeof(header))
			continue;
		memcpy(&header, r->unknown[i].data, sizeof(header));
		if (header.nla_len == r->unknown[i].len)
			block_bytes(b, r->unknown[i].data, r->unknown[i].len);
	}
}

void nflog_put(struct block *b, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;
	const struct nfgenmsg header = {.nfgen_family = r->family, .res_id = htobe16(r->group)};

	block_bytes(b, &header, sizeof(header));
	put_packet_header(b, r);
	put_prefix(b, packet);
	put_devices(b, r);
	put_u32_if(b, r, NFL_HAS_MARK, NFULA_MARK, r->mark);
	put_link_layer(b, r);
	put_timestamp(b, r);
	put_u32_if(b, r, NFL_HAS_UID, NFULA_UID, r->uid);
	put_u32_if(b, r, NFL_HAS_GID, NFULA_GID, r->gid);
	put_u32_if(b, r, NFL_HAS_SEQ, NFULA_SEQ, r->seq);
	put_u32_if(b, r, NFL_HAS_SEQ_GLOBAL, NFULA_SEQ_GLOBAL, r->seq_global);
	put_conntrack(b, r);
	put_unknown(b, r);
	if (r->present & NFL_HAS_PAYLOAD)
		put_bytes(b, NFULA_PAYLOAD, r->payload);
}

static size_t attribute_bound(const struct nfl_record *r, uint64_t bit, struct nfl_bytes bytes)
{
	return r->present & bit ? BLOCK_PAD((size_t)bytes.len) : 0;
}

size_t nflog_bound(const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;
	size_t bound = FIXED_BOUND + BLOCK_PAD((size_t)packet->prefix_raw.len);

	bound += attribute_bound(r, NFL_HAS_PREFIX, r->prefix);
	bound += attribute_bound(r, NFL_HAS_PAYLOAD, r->payload);
	bound += attribute_bound(r, NFL_HAS_HW_HEADER, r->hw_header);
	bound += attribute_bound(r, NFL_HAS_L2_HEADER, r->l2_header);
	bound += attribute_bound(r, NFL_HAS_CT, r->ct);
	for (size_t i = 0; i < r->unknown_count; i++)
		bound += BLOCK_PAD((size_t)r->unknown[i].len);
	return bound;
}
