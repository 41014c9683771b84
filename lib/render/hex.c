/* SPDX-License-Identifier: MIT */
/* Bytes as tcpdump -X shows them: offset, sixteen bytes in pairs, and what of them is ASCII. */
#include <nfl/render.h>

#include "writer.h"

#define ROW_BYTES 16
#define HEX_CHARS 39 /* of a whole row: pairs and the blanks between them */
/* Tab, offset of at least four digits, hexadecimal, blanks, ASCII and the newline. */
#define ROW_CHARS 96

static void put_row(struct text *t, const uint8_t *bytes, size_t len, size_t offset)
{
	size_t start;

	text_literal(t, "\t0x");
	text_hex_number(t, (uint32_t)offset, 4);
	text_literal(t, ":  ");
	start = t->len;
	for (size_t i = 0; i < len; i += 2) {
		if (i)
			text_char(t, ' ');
		text_hex(t, (struct nfl_bytes){bytes + i, i + 1 < len ? 2 : 1});
	}
	while (t->len < start + HEX_CHARS + 2)
		text_char(t, ' ');
	for (size_t i = 0; i < len; i++)
		text_char(t, bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.');
}

size_t nfl_render_hex(char *buf, size_t cap, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	struct text t = text_start(buf, cap);

	for (size_t offset = 0; offset < len; offset += ROW_BYTES) {
		if (offset)
			text_char(&t, '\n');
		put_row(&t, at + offset, len - offset < ROW_BYTES ? len - offset : ROW_BYTES,
			offset);
	}
	return text_end(&t);
}

size_t nfl_render_hex_bound(size_t len)
{
	return (len / ROW_BYTES + 1) * ROW_CHARS;
}
