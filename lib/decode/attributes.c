/* SPDX-License-Identifier: MIT */
/*
 * attributes.c - one NFULNL_MSG_PACKET message to a struct nfl_record
 *
 * In comes a netlink message as the kernel sent it, out goes a view of it: numbers are converted,
 * bytes are pointed to, nothing is copied or allocated. The listener calls it once for each packet,
 * so it makes a single pass over the attributes. Nothing is assumed about their order, and nothing
 * about their lengths: a message too long for its buffer reaches us cut off or overwritten.
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include <nfl/decode.h>

#include "bytes.h"
#include "memo.h"
#include "nlattr.h"

#define PACKET_TYPE       ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET)
#define ATTRIBUTES_OFFSET (sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))
#define HW_ADDRESS_MAX    8

static int read_u16(const struct nlattr_view *attr, uint64_t bit, uint16_t *to, uint64_t *present)
{
	if (attr->len != sizeof(*to))
		return -EBADMSG;
	*to = read_be16(attr->data);
	*present |= bit;
	return 0;
}

static int read_u32(const struct nlattr_view *attr, uint64_t bit, uint32_t *to, uint64_t *present)
{
	if (attr->len != sizeof(*to))
		return -EBADMSG;
	*to = read_be32(attr->data);
	*present |= bit;
	return 0;
}

static int read_bytes(const struct nlattr_view *attr, uint64_t bit, struct nfl_bytes *to,
		      uint64_t *present)
{
	to->data = attr->data;
	to->len = attr->len;
	*present |= bit;
	return 0;
}

static int read_packet_header(const struct nlattr_view *attr, struct nfl_record *ret)
{
	if (attr->len != sizeof(struct nfulnl_msg_packet_hdr))
		return -EBADMSG;
	ret->hw_protocol =
	    read_be16(attr->data + offsetof(struct nfulnl_msg_packet_hdr, hw_protocol));
	ret->hook_number = attr->data[offsetof(struct nfulnl_msg_packet_hdr, hook)];
	return 0;
}

/* Wraps rather than overflows on a time that no clock can have. */
static int read_timestamp(const struct nlattr_view *attr, struct nfl_record *ret)
{
	uint64_t sec, usec;

	if (attr->len != sizeof(struct nfulnl_msg_packet_timestamp))
		return -EBADMSG;
	sec = read_be64(attr->data + offsetof(struct nfulnl_msg_packet_timestamp, sec));
	usec = read_be64(attr->data + offsetof(struct nfulnl_msg_packet_timestamp, usec));
	ret->packet_time_ns = (int64_t)(sec * UINT64_C(1000000000) + usec * UINT64_C(1000));
	ret->present |= NFL_HAS_PACKET_TIME;
	return 0;
}

static int read_hw_address(const struct nlattr_view *attr, struct nfl_record *ret)
{
	uint16_t len;

	if (attr->len != sizeof(struct nfulnl_msg_packet_hw))
		return -EBADMSG;
	len = read_be16(attr->data + offsetof(struct nfulnl_msg_packet_hw, hw_addrlen));
	if (len > HW_ADDRESS_MAX)
		return -EBADMSG;
	ret->hw_address =
	    (struct nfl_bytes){attr->data + offsetof(struct nfulnl_msg_packet_hw, hw_addr), len};
	ret->present |= NFL_HAS_HW_ADDRESS;
	return 0;
}

static int read_vlan(const struct nlattr_view *vlan, struct nfl_record *ret)
{
	struct nlattr_walk walk = nlattr_walk_in(vlan->data, vlan->len);
	struct nlattr_view attr;
	int r;

	while ((r = nlattr_next(&walk, &attr)) > 0) {
		if (attr.type != NFULA_VLAN_PROTO && attr.type != NFULA_VLAN_TCI)
			continue;
		if (attr.len != sizeof(uint16_t))
			return -EBADMSG;
		if (attr.type == NFULA_VLAN_PROTO) {
			ret->vlan_proto = read_be16(attr.data);
			ret->present |= NFL_HAS_VLAN_PROTO;
		} else {
			ret->vlan_tci = read_be16(attr.data);
			ret->present |= NFL_HAS_VLAN_TCI;
		}
	}
	return r;
}

/* The text ends with one NUL, which is not part of it; what a rule put before that stays. */
static int read_prefix(const struct nlattr_view *attr, struct nfl_record *ret)
{
	uint32_t len = attr->len;

	if (len && attr->data[len - 1] == '\0')
		len--;
	ret->prefix = (struct nfl_bytes){attr->data, len};
	ret->present |= NFL_HAS_PREFIX;
	return 0;
}

static int keep_unknown(const struct nlattr_view *attr, struct nfl_record *ret)
{
	if (ret->unknown_count == NFL_UNKNOWN_MAX)
		return 0;
	ret->unknown[ret->unknown_count++] = (struct nfl_bytes){
	    attr->data - NLATTR_HEADER_BYTES,
	    attr->len + NLATTR_HEADER_BYTES,
	};
	return 0;
}

/* --- the head: what the rule and the devices decide ---------------------------------------- */

#define HEAD_TYPES                                                                                 \
	(1u << NFULA_PACKET_HDR | 1u << NFULA_PREFIX | 1u << NFULA_MARK |                          \
	 1u << NFULA_IFINDEX_INDEV | 1u << NFULA_IFINDEX_OUTDEV | 1u << NFULA_IFINDEX_PHYSINDEV |  \
	 1u << NFULA_IFINDEX_PHYSOUTDEV | 1u << NFULA_HWADDR | 1u << NFULA_HWTYPE |                \
	 1u << NFULA_HWLEN | 1u << NFULA_HWHEADER)

static bool is_of_head(uint16_t type)
{
	return type < 32 && HEAD_TYPES >> type & 1;
}

static int read_head_attribute(const struct nlattr_view *attr, struct nfl_record *ret)
{
	uint64_t *present = &ret->present;

	switch (attr->type) {
	case NFULA_PACKET_HDR:
		return read_packet_header(attr, ret);
	case NFULA_PREFIX:
		return read_prefix(attr, ret);
	case NFULA_MARK:
		return read_u32(attr, NFL_HAS_MARK, &ret->mark, present);
	case NFULA_IFINDEX_INDEV:
		return read_u32(attr, NFL_HAS_INDEV, &ret->indev, present);
	case NFULA_IFINDEX_OUTDEV:
		return read_u32(attr, NFL_HAS_OUTDEV, &ret->outdev, present);
	case NFULA_IFINDEX_PHYSINDEV:
		return read_u32(attr, NFL_HAS_PHYSINDEV, &ret->physindev, present);
	case NFULA_IFINDEX_PHYSOUTDEV:
		return read_u32(attr, NFL_HAS_PHYSOUTDEV, &ret->physoutdev, present);
	case NFULA_HWADDR:
		return read_hw_address(attr, ret);
	case NFULA_HWTYPE:
		return read_u16(attr, NFL_HAS_HW_TYPE, &ret->hw_type, present);
	case NFULA_HWLEN:
		return read_u16(attr, NFL_HAS_HW_LENGTH, &ret->hw_length, present);
	case NFULA_HWHEADER:
		return read_bytes(attr, NFL_HAS_HW_HEADER, &ret->hw_header, present);
	default:
		return -EBADMSG;
	}
}

/* What may be another in each packet; what is newer than this library is kept as it is. */
static int read_packet_attribute(const struct nlattr_view *attr, struct nfl_record *ret)
{
	uint64_t *present = &ret->present;

	switch (attr->type) {
	case NFULA_PAYLOAD:
		return read_bytes(attr, NFL_HAS_PAYLOAD, &ret->payload, present);
	case NFULA_TIMESTAMP:
		return read_timestamp(attr, ret);
	case NFULA_UID:
		return read_u32(attr, NFL_HAS_UID, &ret->uid, present);
	case NFULA_GID:
		return read_u32(attr, NFL_HAS_GID, &ret->gid, present);
	case NFULA_SEQ:
		return read_u32(attr, NFL_HAS_SEQ, &ret->seq, present);
	case NFULA_SEQ_GLOBAL:
		return read_u32(attr, NFL_HAS_SEQ_GLOBAL, &ret->seq_global, present);
	case NFULA_CT:
		return read_bytes(attr, NFL_HAS_CT, &ret->ct, present);
	case NFULA_CT_INFO:
		return read_u32(attr, NFL_HAS_CT_INFO, &ret->ct_info, present);
	case NFULA_VLAN:
		return read_vlan(attr, ret);
	case NFULA_L2HDR:
		return read_bytes(attr, NFL_HAS_L2_HEADER, &ret->l2_header, present);
	default:
		return keep_unknown(attr, ret);
	}
}

/* --- messages -------------------------------------------------------------------------------- */

/* Returns the bytes of the message's attributes, or -EBADMSG when it is no whole packet message. */
static int attributes_len(const uint8_t *message, size_t len)
{
	struct nlmsghdr header;

	if (len < ATTRIBUTES_OFFSET)
		return -EBADMSG;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != PACKET_TYPE || header.nlmsg_len < ATTRIBUTES_OFFSET ||
	    header.nlmsg_len > len || header.nlmsg_len > INT32_MAX)
		return -EBADMSG;
	return (int)(header.nlmsg_len - ATTRIBUTES_OFFSET);
}

/* Reads attributes up to the first that is not of the head. */
static int read_head(struct nlattr_walk *walk, bool *has_packet_header, struct nfl_record *ret)
{
	struct nlattr_walk next = *walk;
	struct nlattr_view attr;
	int r;

	while ((r = nlattr_next(&next, &attr)) > 0 && is_of_head(attr.type)) {
		*has_packet_header |= attr.type == NFULA_PACKET_HDR;
		r = read_head_attribute(&attr, ret);
		if (r < 0)
			return r;
		*walk = next;
	}
	return r < 0 ? r : 0;
}

static int read_rest(struct nlattr_walk *walk, bool *has_packet_header, struct nfl_record *ret)
{
	struct nlattr_view attr;
	int r;

	while ((r = nlattr_next(walk, &attr)) > 0) {
		if (is_of_head(attr.type)) {
			*has_packet_header |= attr.type == NFULA_PACKET_HDR;
			ret->head = 0; /* not where the kernel puts it: one more thing to go by */
			r = read_head_attribute(&attr, ret);
		} else {
			r = read_packet_attribute(&attr, ret);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int decode_attributes(struct nlattr_walk walk, uint8_t family, uint16_t group,
			     struct memo *memo, struct nfl_record *ret)
{
	const struct nlattr_walk all = walk;
	bool has_packet_header = false;
	size_t known = memo ? memo_find(memo, &all, family, group, ret) : 0;
	int r;

	if (known) {
		walk.at += known;
		walk.left -= known;
		has_packet_header = true;
	} else {
		/* Absent fields are zero for those who forget to look; unknown[] has a count. */
		memset(ret, 0, offsetof(struct nfl_record, unknown));
		ret->family = family;
		ret->group = group;
		r = read_head(&walk, &has_packet_header, ret);
		if (r < 0)
			return r;
		if (memo && has_packet_header)
			memo_keep(memo, &all, (size_t)(walk.at - all.at), ret);
	}
	r = read_rest(&walk, &has_packet_header, ret);
	if (r < 0)
		return r;
	/* The kernel always sends it, and hook and hw_protocol have no way to be absent. */
	return has_packet_header ? 0 : -EBADMSG;
}

int memo_decode(const void *message, size_t len, struct memo *memo, struct nfl_record *ret)
{
	const uint8_t *bytes = message;
	const uint8_t *genmsg = bytes + sizeof(struct nlmsghdr);
	int r = attributes_len(bytes, len);

	if (r < 0)
		return r;
	return decode_attributes(nlattr_walk_in(bytes + ATTRIBUTES_OFFSET, (size_t)r),
				 genmsg[offsetof(struct nfgenmsg, nfgen_family)],
				 read_be16(genmsg + offsetof(struct nfgenmsg, res_id)), memo, ret);
}

int nfl_decode_message(const void *message, size_t len, struct nfl_record *ret)
{
	return memo_decode(message, len, NULL, ret);
}
