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
#include "nlattr.h"

#define PACKET_TYPE       ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET)
#define ATTRIBUTES_OFFSET (sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))
#define HW_ADDRESS_MAX    8
#define ANY_LEN           UINT8_MAX

/* How a value is read; KIND_UNKNOWN is an attribute newer than this library. */
enum kind {
	KIND_UNKNOWN,
	KIND_BE16,
	KIND_BE32,
	KIND_BYTES,
	KIND_PACKET_HEADER,
	KIND_TIMESTAMP,
	KIND_HW_ADDRESS,
	KIND_PREFIX,
	KIND_VLAN,
};

/* Where an attribute goes: its bit of nfl_record.present and its place in the record. */
struct field {
	uint32_t bit;
	uint16_t offset;
	uint8_t kind;
	uint8_t len; /* the only right length of the value, or ANY_LEN */
};

#define FIELD(kind, len, bit, member)                                                              \
	{                                                                                          \
		(uint32_t)(bit), offsetof(struct nfl_record, member), kind, len                    \
	}
#define FIELD_BE16(bit, member)  FIELD(KIND_BE16, 2, bit, member)
#define FIELD_BE32(bit, member)  FIELD(KIND_BE32, 4, bit, member)
#define FIELD_BYTES(bit, member) FIELD(KIND_BYTES, ANY_LEN, bit, member)

static const struct field fields[NFULA_MAX + 1] = {
    [NFULA_PACKET_HDR] =
	FIELD(KIND_PACKET_HEADER, sizeof(struct nfulnl_msg_packet_hdr), 0, hook_number),
    [NFULA_MARK] = FIELD_BE32(NFL_HAS_MARK, mark),
    [NFULA_TIMESTAMP] = FIELD(KIND_TIMESTAMP, sizeof(struct nfulnl_msg_packet_timestamp),
			      NFL_HAS_PACKET_TIME, packet_time_ns),
    [NFULA_IFINDEX_INDEV] = FIELD_BE32(NFL_HAS_INDEV, indev),
    [NFULA_IFINDEX_OUTDEV] = FIELD_BE32(NFL_HAS_OUTDEV, outdev),
    [NFULA_IFINDEX_PHYSINDEV] = FIELD_BE32(NFL_HAS_PHYSINDEV, physindev),
    [NFULA_IFINDEX_PHYSOUTDEV] = FIELD_BE32(NFL_HAS_PHYSOUTDEV, physoutdev),
    [NFULA_HWADDR] =
	FIELD(KIND_HW_ADDRESS, sizeof(struct nfulnl_msg_packet_hw), NFL_HAS_HW_ADDRESS, hw_address),
    [NFULA_PAYLOAD] = FIELD_BYTES(NFL_HAS_PAYLOAD, payload),
    [NFULA_PREFIX] = FIELD(KIND_PREFIX, ANY_LEN, NFL_HAS_PREFIX, prefix),
    [NFULA_UID] = FIELD_BE32(NFL_HAS_UID, uid),
    [NFULA_SEQ] = FIELD_BE32(NFL_HAS_SEQ, seq),
    [NFULA_SEQ_GLOBAL] = FIELD_BE32(NFL_HAS_SEQ_GLOBAL, seq_global),
    [NFULA_GID] = FIELD_BE32(NFL_HAS_GID, gid),
    [NFULA_HWTYPE] = FIELD_BE16(NFL_HAS_HW_TYPE, hw_type),
    [NFULA_HWHEADER] = FIELD_BYTES(NFL_HAS_HW_HEADER, hw_header),
    [NFULA_HWLEN] = FIELD_BE16(NFL_HAS_HW_LENGTH, hw_length),
    [NFULA_CT] = FIELD_BYTES(NFL_HAS_CT, ct),
    [NFULA_CT_INFO] = FIELD_BE32(NFL_HAS_CT_INFO, ct_info),
    [NFULA_VLAN] = FIELD(KIND_VLAN, ANY_LEN, 0, vlan_tci), /* sets a bit for each of two */
    [NFULA_L2HDR] = FIELD_BYTES(NFL_HAS_L2_HEADER, l2_header),
};

static void store_be16(void *to, const uint8_t *data)
{
	uint16_t value = read_be16(data);

	memcpy(to, &value, sizeof(value));
}

static void store_be32(void *to, const uint8_t *data)
{
	uint32_t value = read_be32(data);

	memcpy(to, &value, sizeof(value));
}

static void store_bytes(void *to, const uint8_t *data, uint32_t len)
{
	struct nfl_bytes bytes = {data, len};

	memcpy(to, &bytes, sizeof(bytes));
}

static void read_packet_header(const uint8_t *data, struct nfl_record *ret)
{
	ret->hw_protocol = read_be16(data + offsetof(struct nfulnl_msg_packet_hdr, hw_protocol));
	ret->hook_number = data[offsetof(struct nfulnl_msg_packet_hdr, hook)];
}

/* Wraps rather than overflows on a time that no clock can have. */
static int64_t read_timestamp(const uint8_t *data)
{
	uint64_t sec = read_be64(data + offsetof(struct nfulnl_msg_packet_timestamp, sec));
	uint64_t usec = read_be64(data + offsetof(struct nfulnl_msg_packet_timestamp, usec));

	return (int64_t)(sec * UINT64_C(1000000000) + usec * UINT64_C(1000));
}

static int read_hw_address(const uint8_t *data, struct nfl_bytes *ret)
{
	uint16_t len = read_be16(data + offsetof(struct nfulnl_msg_packet_hw, hw_addrlen));

	if (len > HW_ADDRESS_MAX)
		return -EBADMSG;
	*ret = (struct nfl_bytes){data + offsetof(struct nfulnl_msg_packet_hw, hw_addr), len};
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
static struct nfl_bytes prefix_bytes(const struct nlattr_view *attr)
{
	uint32_t len = attr->len;

	if (len && attr->data[len - 1] == '\0')
		len--;
	return (struct nfl_bytes){attr->data, len};
}

static void keep_unknown(const struct nlattr_view *attr, struct nfl_record *ret)
{
	if (ret->unknown_count == NFL_UNKNOWN_MAX)
		return;
	ret->unknown[ret->unknown_count++] = (struct nfl_bytes){
	    attr->data - NLATTR_HEADER_BYTES,
	    attr->len + NLATTR_HEADER_BYTES,
	};
}

static int read_attribute(const struct nlattr_view *attr, struct nfl_record *ret)
{
	const struct field *field = attr->type <= NFULA_MAX ? &fields[attr->type] : &fields[0];
	uint8_t *to = (uint8_t *)ret + field->offset;

	if (field->kind != KIND_UNKNOWN && field->len != ANY_LEN && attr->len != field->len)
		return -EBADMSG;
	ret->present |= field->bit;

	switch ((enum kind)field->kind) {
	case KIND_BE16:
		store_be16(to, attr->data);
		return 0;
	case KIND_BE32:
		store_be32(to, attr->data);
		return 0;
	case KIND_BYTES:
		store_bytes(to, attr->data, attr->len);
		return 0;
	case KIND_PACKET_HEADER:
		read_packet_header(attr->data, ret);
		return 0;
	case KIND_TIMESTAMP:
		ret->packet_time_ns = read_timestamp(attr->data);
		return 0;
	case KIND_HW_ADDRESS:
		return read_hw_address(attr->data, &ret->hw_address);
	case KIND_PREFIX:
		ret->prefix = prefix_bytes(attr);
		return 0;
	case KIND_VLAN:
		return read_vlan(attr, ret);
	case KIND_UNKNOWN:
		keep_unknown(attr, ret);
		return 0;
	}
	return -EBADMSG;
}

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

int nfl_decode_message(const void *message, size_t len, struct nfl_record *ret)
{
	const uint8_t *bytes = message;
	const uint8_t *genmsg = bytes + sizeof(struct nlmsghdr);
	bool has_packet_header = false;
	struct nlattr_walk walk;
	struct nlattr_view attr;
	int r;

	r = attributes_len(bytes, len);
	if (r < 0)
		return r;
	/* Absent fields are zero for those who forget to look; unknown[] has a count of its own. */
	memset(ret, 0, offsetof(struct nfl_record, unknown));
	ret->family = genmsg[offsetof(struct nfgenmsg, nfgen_family)];
	ret->group = read_be16(genmsg + offsetof(struct nfgenmsg, res_id));

	walk = nlattr_walk_in(bytes + ATTRIBUTES_OFFSET, (size_t)r);
	while ((r = nlattr_next(&walk, &attr)) > 0) {
		has_packet_header |= attr.type == NFULA_PACKET_HDR;
		r = read_attribute(&attr, ret);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	/* The kernel always sends it, and hook and hw_protocol have no way to be absent. */
	return has_packet_header ? 0 : -EBADMSG;
}
