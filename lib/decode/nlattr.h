/* SPDX-License-Identifier: MIT */
/*
 * decode/nlattr.h - walk over netlink attributes, by hand
 *
 * Inline because it is the innermost loop of the daemon: some fifteen attributes for each packet.
 * Every step checks that the attribute lies inside what encloses it; a reader checks the length of
 * what it reads.
 */
#ifndef DECODE_NLATTR_H
#define DECODE_NLATTR_H

#include <errno.h>
#include <string.h>

#include <nfl/record.h>

#define NLATTR_HEADER_BYTES 4
/* Without NLA_F_NESTED and NLA_F_NET_BYTEORDER, which the kernel sets on some and not on others. */
#define NLATTR_TYPE_MASK 0x3fff

/* What is left to walk over, borrowed. */
struct nlattr_walk {
	const uint8_t *at;
	size_t left;
};

struct nlattr_view {
	uint16_t type;
	uint32_t len; /* of data */
	const uint8_t *data;
};

static inline struct nlattr_walk nlattr_walk_in(const uint8_t *bytes, size_t len)
{
	return (struct nlattr_walk){.at = bytes, .left = len};
}

/* Returns 1 with @ret set, 0 at the end, -EBADMSG when no whole attribute is left. */
static inline int nlattr_next(struct nlattr_walk *walk, struct nlattr_view *ret)
{
	uint16_t len, type;
	size_t padded;

	if (!walk->left)
		return 0;
	if (walk->left < NLATTR_HEADER_BYTES)
		return -EBADMSG;
	memcpy(&len, walk->at, sizeof(len)); /* headers are in host order, values are not */
	memcpy(&type, walk->at + sizeof(len), sizeof(type));
	if (len < NLATTR_HEADER_BYTES || len > walk->left)
		return -EBADMSG;
	ret->type = type & NLATTR_TYPE_MASK;
	ret->len = (uint32_t)len - NLATTR_HEADER_BYTES;
	ret->data = walk->at + NLATTR_HEADER_BYTES;

	padded = ((size_t)len + 3) & ~(size_t)3;
	if (padded > walk->left) /* the last one need not be padded */
		padded = walk->left;
	walk->at += padded;
	walk->left -= padded;
	return 1;
}

#endif
