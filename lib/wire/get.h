/* SPDX-License-Identifier: MIT */
/*
 * wire/get.h - take protobuf fields off a message, one by one
 *
 * The bytes are a peer's: nothing is believed. A field that is cut short, a number of more than ten
 * bytes, field number 0 and groups (proto3 has none) are malformed.
 */
#ifndef WIRE_GET_H
#define WIRE_GET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

#include "fields.h"

/* What is left of a message. */
struct get {
	const uint8_t *p;
	const uint8_t *end;
};

/* One field. A tag that a reader does not know, also a known number with another wire type, is
 * skipped by not having a case. */
struct field {
	uint32_t tag;
	uint64_t number;        /* WIRE_VARINT */
	struct nfl_bytes bytes; /* WIRE_LEN, borrowed */
};

static inline struct get get_start(struct nfl_bytes message)
{
	/* An empty message may have no address, to which nothing must be added. */
	return (struct get){message.data, message.len ? message.data + message.len : message.data};
}

static inline bool get_varint_long(struct get *g, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && g->p < g->end; shift += 7) {
		uint8_t byte = *g->p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static inline bool get_varint(struct get *g, uint64_t *ret)
{
	if (g->p < g->end && *g->p < 0x80) {
		*ret = *g->p++;
		return true;
	}
	return get_varint_long(g, ret);
}

static inline bool get_skip(struct get *g, uint64_t len)
{
	if (len > (uint64_t)(g->end - g->p))
		return false;
	g->p += len;
	return true;
}

/* Returns 1 with @ret filled, 0 at the end of the message, -EBADMSG. */
static inline int get_field(struct get *g, struct field *ret)
{
	uint64_t tag;
	bool ok;

	if (g->p == g->end)
		return 0;
	if (!get_varint(g, &tag) || tag > UINT32_MAX || tag < 1U << 3)
		return -EBADMSG;
	ret->tag = (uint32_t)tag;
	switch (tag & 7) {
	case WIRE_VARINT:
		ok = get_varint(g, &ret->number);
		break;
	case WIRE_LEN:
		ok = get_varint(g, &ret->number);
		ret->bytes.data = g->p;
		ok = ok && get_skip(g, ret->number);
		ret->bytes.len = (uint32_t)(g->p - ret->bytes.data);
		break;
	case WIRE_I64:
		ok = get_skip(g, sizeof(uint64_t));
		break;
	case WIRE_I32:
		ok = get_skip(g, sizeof(uint32_t));
		break;
	default:
		ok = false;
	}
	return ok ? 1 : -EBADMSG;
}

#endif
