/* SPDX-License-Identifier: MIT */
/*
 * text.c - is it UTF-8, and if not, make it so
 *
 * nft takes any bytes as a log prefix, `ip link` any bytes but slash and space as a name. Nearly
 * all are ASCII, which is looked at eight bytes at a time. Called by the encoder for each packet.
 */
#include <string.h>

#include "text.h"
#include "utf8.h"

static const uint8_t replacement[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */

/* Bytes at the beginning of @p that are ASCII, in steps of eight while they last. */
static size_t ascii_run(const uint8_t *p, size_t len)
{
	size_t n = 0;
	uint64_t eight;

	for (; len - n >= sizeof(eight); n += sizeof(eight)) {
		memcpy(&eight, p + n, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (n < len && p[n] < 0x80)
		n++;
	return n;
}

bool text_is_utf8_long(struct nfl_bytes text)
{
	size_t at = 0;
	uint32_t code;

	while (at < text.len) {
		size_t n = ascii_run(text.data + at, text.len - at);

		if (!n)
			n = utf8_decode(text.data + at, text.len - at, &code);
		if (!n)
			return false;
		at += n;
	}
	return true;
}

uint8_t *text_repair(uint8_t *dst, struct nfl_bytes text)
{
	size_t at = 0;
	uint32_t code;

	while (at < text.len) {
		size_t n = utf8_decode(text.data + at, text.len - at, &code);

		if (n) {
			memcpy(dst, text.data + at, n);
			dst += n;
			at += n;
		} else {
			memcpy(dst, replacement, sizeof(replacement));
			dst += sizeof(replacement);
			at++;
		}
	}
	return dst;
}
