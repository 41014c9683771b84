/* SPDX-License-Identifier: MIT */
#ifndef NFL_BASE_UTF8_H
#define NFL_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_decode - one well-formed UTF-8 sequence (RFC 3629)
 * @len: bytes at @bytes, at least 1
 * @ret_code: its code point; untouched when there is none
 *
 * Returns the sequence's length, 1 to 4, or 0 when the first byte begins none: too long a form, a
 * surrogate, above U+10FFFF, cut short, or a stray continuation byte. Who repairs text treats that
 * one byte as bad and goes on with the next.
 */
static inline size_t utf8_decode(const uint8_t *bytes, size_t len, uint32_t *ret_code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = bytes[0];
	size_t n = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;

	if (n <= 1) {
		if (n)
			*ret_code = code;
		return n;
	}
	if (code > 0xf4 || n > len)
		return 0;
	code &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

#endif
