/* SPDX-License-Identifier: MIT */
/*
 * wire/read_parts.h - the messages inside a Packet
 *
 * Each adds to what @ret holds: a message that comes in two parts is merged, as protobuf has it. A
 * number too large for its place and an address that is neither 4 nor 16 bytes long are as absent.
 * All return 0 or -EBADMSG.
 */
#ifndef WIRE_READ_PARTS_H
#define WIRE_READ_PARTS_H

#include <nfl/record.h>

#include "get.h"

/* google.protobuf.Timestamp before it becomes nanoseconds. */
struct wire_time {
	int64_t seconds;
	int64_t nanos;
};

/* The field's number where it fits; false, @ret untouched, where not. */
static inline bool take_u8(const struct field *f, uint8_t *ret)
{
	if (f->number > UINT8_MAX)
		return false;
	*ret = (uint8_t)f->number;
	return true;
}

static inline bool take_u16(const struct field *f, uint16_t *ret)
{
	if (f->number > UINT16_MAX)
		return false;
	*ret = (uint16_t)f->number;
	return true;
}

/* protobuf's rule for uint32: the low 32 bits. */
static inline bool take_u32(const struct field *f, uint32_t *ret)
{
	*ret = (uint32_t)f->number;
	return true;
}

int read_time(struct nfl_bytes message, struct wire_time *ret);
int read_device(struct nfl_bytes message, uint32_t *ret_index, struct nfl_bytes *ret_name);
int read_vlan(struct nfl_bytes message, struct nfl_record *ret);
int read_decoded(struct nfl_bytes message, struct nfl_decoded *ret);
/* Also the record's ct and ct_info. */
int read_conntrack(struct nfl_bytes message, struct nfl_packet *ret);

#endif
