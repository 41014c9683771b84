/* SPDX-License-Identifier: MIT */
/*
 * wire/put.h - append one protobuf field; each returns where the next one goes
 *
 * The caller owns enough room: the bytes of the field and PUT_SLACK more, because a number is
 * stored in one go and only then is its length known. Tags are constants of fields.h, so that
 * each call compiles to a few instructions.
 */
#ifndef WIRE_PUT_H
#define WIRE_PUT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nfl/record.h>

#define PUT_SLACK      8
#define VARINT_MAX_LEN 10
#define TAG_MAX_LEN    2 /* field numbers below 2048 */

/* A number in groups of 7 bits, lowest first, bit 7 set on all but the last. */
static inline uint8_t *put_varint(uint8_t *p, uint64_t value)
{
	uint64_t groups;
	unsigned len;

	if (value < 0x80) {
		*p = (uint8_t)value;
		return p + 1;
	}
	for (; value >= UINT64_C(1) << 56; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	/* Up to eight groups at once: halves, quarters, eighths move apart by 4, 2 and 1 bits. */
	len = (70U - (unsigned)__builtin_clzll(value)) / 7;
	groups = value;
	groups = (groups & UINT64_C(0x000000000fffffff)) | (groups & UINT64_C(0x00fffffff0000000))
							       << 4;
	groups = (groups & UINT64_C(0x00003fff00003fff)) | (groups & UINT64_C(0x0fffc0000fffc000))
							       << 2;
	groups = (groups & UINT64_C(0x007f007f007f007f)) | (groups & UINT64_C(0x3f803f803f803f80))
							       << 1;
	groups |= UINT64_C(0x8080808080808080) & ((UINT64_C(1) << 8 * (len - 1)) - 1);
	groups = htole64(groups);
	memcpy(p, &groups, sizeof(groups));
	return p + len;
}

static inline uint8_t *put_tag(uint8_t *p, uint32_t tag)
{
	if (tag < 0x80) {
		*p = (uint8_t)tag;
		return p + 1;
	}
	p[0] = (uint8_t)(tag | 0x80);
	p[1] = (uint8_t)(tag >> 7);
	return p + 2;
}

/* For `optional` fields: zero is sent. */
static inline uint8_t *put_number(uint8_t *p, uint32_t tag, uint64_t value)
{
	return put_varint(put_tag(p, tag), value);
}

/* For the others: zero is left out. */
static inline uint8_t *put_nonzero(uint8_t *p, uint32_t tag, uint64_t value)
{
	return value ? put_number(p, tag, value) : p;
}

static inline uint8_t *put_copy(uint8_t *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

/* An element of a repeated field: sent also when empty. */
static inline uint8_t *put_element(uint8_t *p, uint32_t tag, struct nfl_bytes bytes)
{
	return put_copy(put_varint(put_tag(p, tag), bytes.len), bytes.data, bytes.len);
}

static inline uint8_t *put_bytes(uint8_t *p, uint32_t tag, struct nfl_bytes bytes)
{
	return bytes.len ? put_element(p, tag, bytes) : p;
}

/* An IP address; anything but 4 or 16 bytes is no address and is left out. */
static inline uint8_t *put_address(uint8_t *p, uint32_t tag, const uint8_t *address, uint8_t len)
{
	if (len != 4 && len != 16)
		return p;
	p = put_tag(p, tag);
	*p++ = len;
	memcpy(p, address, len == 4 ? 4 : 16);
	return p + len;
}

/**
 * put_end - close a field whose content begins at @body and ends at @end
 *
 * put_begin() left one byte for the length, which is right below 128 bytes: nearly always. Longer
 * content is moved once, so that lengths are minimal and nothing has to be measured beforehand.
 */
static inline uint8_t *put_end(uint8_t *body, uint8_t *end)
{
	size_t len = (size_t)(end - body);
	uint8_t length[VARINT_MAX_LEN + PUT_SLACK];
	size_t extra;

	if (len < 0x80) {
		body[-1] = (uint8_t)len;
		return end;
	}
	extra = (size_t)(put_varint(length, len) - length) - 1;
	memmove(body + extra, body, len);
	memcpy(body - 1, length, extra + 1);
	return end + extra;
}

static inline uint8_t *put_begin(uint8_t *p, uint32_t tag)
{
	return put_tag(p, tag) + 1;
}

#endif
