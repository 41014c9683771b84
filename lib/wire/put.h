/* SPDX-License-Identifier: MIT */
/*
 * wire/put.h - append one protobuf field; each returns where the next one goes
 *
 * The caller owns enough room for the field and nothing is written behind it. Tags are constants of
 * fields.h, so that each call compiles to a few instructions.
 */
#ifndef WIRE_PUT_H
#define WIRE_PUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nfl/record.h>

#define VARINT_MAX_LEN 10
#define TAG_MAX_LEN    2 /* field numbers below 2048 */

/* A number in groups of 7 bits, lowest first, bit 7 set on all but the last. Unrolled: the lengths
 * of a field hardly change from packet to packet, so that the branches are foreseen. */
static inline uint8_t *put_varint(uint8_t *p, uint64_t value)
{
#pragma GCC unroll 5
	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
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

/* Names, addresses and prefixes are short: two copies that overlap save the call. */
static inline uint8_t *put_copy(uint8_t *p, const uint8_t *data, size_t len)
{
	if (len > 16) {
		memcpy(p, data, len);
	} else if (len >= 8) {
		memcpy(p, data, 8);
		memcpy(p + len - 8, data + len - 8, 8);
	} else if (len >= 4) {
		memcpy(p, data, 4);
		memcpy(p + len - 4, data + len - 4, 4);
	} else {
		for (size_t i = 0; i < len; i++)
			p[i] = data[i];
	}
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

/* put_end() for content of 128 bytes and more: moves it to make room for its length. */
static __attribute__((noinline, unused)) uint8_t *put_end_long(uint8_t *body, uint8_t *end)
{
	size_t len = (size_t)(end - body);
	uint8_t length[VARINT_MAX_LEN];
	size_t extra = (size_t)(put_varint(length, len) - length) - 1;

	memmove(body + extra, body, len);
	memcpy(body - 1, length, extra + 1);
	return end + extra;
}

/**
 * put_end - close a field whose content begins at @body and ends at @end
 *
 * put_begin() left one byte for the length, which is right below 128 bytes: nearly always. Longer
 * content is moved once, so that lengths are minimal and nothing has to be measured beforehand.
 */
static inline uint8_t *put_end(uint8_t *body, uint8_t *end)
{
	if (end - body >= 0x80)
		return put_end_long(body, end);
	body[-1] = (uint8_t)(end - body);
	return end;
}

static inline uint8_t *put_begin(uint8_t *p, uint32_t tag)
{
	return put_tag(p, tag) + 1;
}

#endif
