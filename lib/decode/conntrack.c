/* SPDX-License-Identifier: MIT */
/*
 * conntrack.c - NFULA_CT to a struct nfl_conntrack
 *
 * The connection as ctnetlink writes it: attributes inside attributes. What cannot be read is left
 * absent, for the raw attributes travel with the record anyway.
 */
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <nfl/decode.h>

#include "bytes.h"
#include "nlattr.h"

#define IPV4_BYTES 4
#define IPV6_BYTES 16

static bool read_be16_attribute(const struct nlattr_view *attr, uint16_t *ret)
{
	if (attr->len != sizeof(*ret))
		return false;
	*ret = read_be16(attr->data);
	return true;
}

static bool read_be32_attribute(const struct nlattr_view *attr, uint32_t *ret)
{
	if (attr->len != sizeof(*ret))
		return false;
	*ret = read_be32(attr->data);
	return true;
}

static bool is_address(const struct nlattr_view *attr)
{
	switch (attr->type) {
	case CTA_IP_V4_SRC:
	case CTA_IP_V4_DST:
		return attr->len == IPV4_BYTES;
	case CTA_IP_V6_SRC:
	case CTA_IP_V6_DST:
		return attr->len == IPV6_BYTES;
	default:
		return false;
	}
}

/* Returns true when both addresses are there and of one kind. */
static bool read_addresses(const struct nlattr_view *nest, struct nfl_tuple *ret)
{
	struct nlattr_walk walk = nlattr_walk_in(nest->data, nest->len);
	uint32_t source_len = 0, destination_len = 0;
	struct nlattr_view attr;

	while (nlattr_next(&walk, &attr) > 0) {
		if (!is_address(&attr))
			continue;
		if (attr.type == CTA_IP_V4_SRC || attr.type == CTA_IP_V6_SRC) {
			ret->source = attr.data;
			source_len = attr.len;
		} else {
			ret->destination = attr.data;
			destination_len = attr.len;
		}
	}
	ret->address_len = (uint8_t)source_len;
	return source_len && source_len == destination_len;
}

/* Returns true when the protocol is there; the kernel leaves ports out where there are none. */
static bool read_protocol(const struct nlattr_view *nest, struct nfl_tuple *ret)
{
	struct nlattr_walk walk = nlattr_walk_in(nest->data, nest->len);
	struct nlattr_view attr;
	bool has_protocol = false;

	while (nlattr_next(&walk, &attr) > 0) {
		switch (attr.type) {
		case CTA_PROTO_NUM:
			has_protocol = attr.len == sizeof(uint8_t);
			ret->protocol = has_protocol ? attr.data[0] : 0;
			break;
		case CTA_PROTO_SRC_PORT:
			(void)read_be16_attribute(&attr, &ret->source_port);
			break;
		case CTA_PROTO_DST_PORT:
			(void)read_be16_attribute(&attr, &ret->destination_port);
			break;
		default: /* ICMP type, code and id */
			break;
		}
	}
	return has_protocol;
}

/* Returns true when the tuple is whole; its own zone, if any, goes to @connection. */
static bool read_tuple(const struct nlattr_view *nest, struct nfl_tuple *ret,
		       struct nfl_conntrack *connection)
{
	struct nlattr_walk walk = nlattr_walk_in(nest->data, nest->len);
	bool has_addresses = false, has_protocol = false;
	struct nfl_tuple tuple = {0};
	struct nlattr_view attr;

	while (nlattr_next(&walk, &attr) > 0) {
		switch (attr.type) {
		case CTA_TUPLE_IP:
			has_addresses = read_addresses(&attr, &tuple);
			break;
		case CTA_TUPLE_PROTO:
			has_protocol = read_protocol(&attr, &tuple);
			break;
		case CTA_TUPLE_ZONE:
			if (read_be16_attribute(&attr, &connection->zone))
				connection->present |= NFL_HAS_CT_ZONE;
			break;
		default:
			break;
		}
	}
	if (!has_addresses || !has_protocol)
		return false;
	*ret = tuple;
	return true;
}

/* Returns the bit of what was read, 0 when it is of no interest or broken. */
static uint32_t read_attribute(const struct nlattr_view *attr, struct nfl_conntrack *ret)
{
	switch (attr->type) {
	case CTA_TUPLE_ORIG:
		return read_tuple(attr, &ret->original, ret) ? NFL_HAS_CT_ORIGINAL : 0;
	case CTA_TUPLE_REPLY:
		return read_tuple(attr, &ret->reply, ret) ? NFL_HAS_CT_REPLY : 0;
	case CTA_ID:
		return read_be32_attribute(attr, &ret->id) ? NFL_HAS_CT_ID : 0;
	case CTA_STATUS:
		return read_be32_attribute(attr, &ret->status) ? NFL_HAS_CT_STATUS : 0;
	case CTA_MARK:
		return read_be32_attribute(attr, &ret->mark) ? NFL_HAS_CT_MARK : 0;
	case CTA_ZONE:
		return read_be16_attribute(attr, &ret->zone) ? NFL_HAS_CT_ZONE : 0;
	default:
		return 0;
	}
}

void nfl_decode_conntrack(const struct nfl_record *record, struct nfl_conntrack *ret)
{
	struct nlattr_walk walk;
	struct nlattr_view attr;

	memset(ret, 0, sizeof(*ret));
	if (!(record->present & NFL_HAS_CT))
		return;
	walk = nlattr_walk_in(record->ct.data, record->ct.len);
	while (nlattr_next(&walk, &attr) > 0)
		ret->present |= read_attribute(&attr, ret);
}
