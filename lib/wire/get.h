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

/* Returns where the next value begins, NULL when it is cut short or longer than ten bytes. Unrolled
 * for the same reason as put_varint(). */
static inline const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
	uint64_t value = 0;

#pragma GCC unroll 5
	for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
		uint64_t byte = *p++;

		value |= (byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return p;
		}
	}
	return NULL;
}

static inline const uint8_t *get_skip(const uint8_t *p, const uint8_t *end, uint64_t len)
{
	return len <= (uint64_t)(end - p) ? p + len : NULL;
}

/* The value of a field whose tag is known; NULL when it is malformed. */
static inline const uint8_t *get_value(const uint8_t *p, const uint8_t *end, struct field *ret)
{
	switch (ret->tag & 7) {
	case WIRE_VARINT:
		return get_varint(p, end, &ret->number);
	case WIRE_LEN:
		p = get_varint(p, end, &ret->number);
		ret->bytes = (struct nfl_bytes){p, (uint32_t)ret->number};
		return p ? get_skip(p, end, ret->number) : NULL;
	case WIRE_I64:
		return get_skip(p, end, sizeof(uint64_t));
	case WIRE_I32:
		return get_skip(p, end, sizeof(uint32_t));
	default:
		return NULL;
	}
}

/* Returns 1 with @ret filled, 0 at the end of the message, -EBADMSG. Inlined by force: with the
 * field in registers a packet is read in two thirds of the time. */
static inline __attribute__((always_inline)) int get_field(struct get *g, struct field *ret)
{
	const uint8_t *p = g->p;
	uint64_t tag;

	if (p == g->end)
		return 0;
	p = get_varint(p, g->end, &tag);
	if (!p || tag > UINT32_MAX || tag < 1U << 3)
		return -EBADMSG;
	*ret = (struct field){.tag = (uint32_t)tag};
	g->p = get_value(p, g->end, ret);
	return g->p ? 1 : -EBADMSG;
}

#endif
