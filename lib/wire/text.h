/* SPDX-License-Identifier: MIT */
/* wire/text.h - a protobuf string is UTF-8 or readers refuse the whole message; the kernel's are bytes */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nfl/record.h>

#define TEXT_REPAIR_GROWTH 3 /* one bad byte becomes U+FFFD, three bytes */

/* The high bits of four or eight bytes, by two reads that may overlap. */
static inline bool text_ascii_edges(const uint8_t *data, uint32_t len)
{
	uint64_t first = 0, last = 0;
	size_t width = len < 8 ? 4 : 8;

	memcpy(&first, data, width);
	memcpy(&last, data + len - width, width);
	return ((first | last) & UINT64_C(0x8080808080808080)) == 0;
}

/* Whether all bytes are below 0x80; false also for texts too short or too long to be quick. */
static inline bool text_is_short_ascii(struct nfl_bytes text)
{
	return text.len >= 4 && text.len <= 16 && text_ascii_edges(text.data, text.len);
}

bool text_is_utf8_long(struct nfl_bytes text);

/* Whether the bytes are well-formed UTF-8. NUL and control characters are. */
static inline bool text_is_utf8(struct nfl_bytes text)
{
	return text_is_short_ascii(text) || text_is_utf8_long(text);
}

/**
 * text_repair - copy, with U+FFFD for each byte that belongs to no well-formed sequence
 * @dst: at least TEXT_REPAIR_GROWTH times @text's length; does not overlap it
 * Returns the end of what was written.
 */
uint8_t *text_repair(uint8_t *dst, struct nfl_bytes text);

#endif
