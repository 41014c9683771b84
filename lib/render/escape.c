/* SPDX-License-Identifier: MIT */
/*
 * Bytes that anyone on the network can choose, made safe for a terminal, a log or a JSON document.
 * One rule decides what is dangerous, for all of them: control characters, what is no UTF-8, and
 * characters that are not seen or that turn the text around them.
 */
#include <nfl/render.h>

#include <stdbool.h>

#include "bytes.h"
#include "utf8.h"
#include "writer.h"

/*
 * Above ASCII: controls (C1), categories Cf, Zl and Zp of Unicode 15.1, and what it calls default
 * ignorable. Sorted.
 */
static const struct range {
	uint32_t first;
	uint32_t last;
} hidden[] = {
    {0x0080, 0x009f},   /* C1 */
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* combining grapheme joiner */
    {0x0600, 0x0605},   /* Arabic number signs */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x06dd, 0x06dd},   /* Arabic end of ayah */
    {0x070f, 0x070f},   /* Syriac abbreviation mark */
    {0x0890, 0x0891},   /* Arabic pound and piastre marks */
    {0x08e2, 0x08e2},   /* Arabic disputed end of ayah */
    {0x115f, 0x1160},   /* Hangul fillers */
    {0x17b4, 0x17b5},   /* Khmer inherent vowels */
    {0x180b, 0x180f},   /* Mongolian variation selectors and vowel separator */
    {0x200b, 0x200f},   /* zero width characters, left-to-right and right-to-left marks */
    {0x2028, 0x202e},   /* separators, bidirectional embeddings and overrides */
    {0x2060, 0x206f},   /* word joiner, invisible operators, bidirectional isolates */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xfe00, 0xfe0f},   /* variation selectors */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xffa0, 0xffa0},   /* halfwidth Hangul filler */
    {0xfff0, 0xfffb},   /* reserved, interlinear annotation */
    {0xfffe, 0xffff},   /* no characters */
    {0x110bd, 0x110bd}, /* Kaithi number signs */
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, /* Egyptian hieroglyph format controls */
    {0x1bca0, 0x1bca3},                     /* shorthand format controls */
    {0x1d173, 0x1d17a},                     /* musical format controls */
    {0xe0000, 0xe0fff},                     /* tags, variation selectors */
};

static bool is_hidden(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return true;
	return false;
}

static bool is_plain_ascii(uint32_t code)
{
	return code >= 0x20 && code < 0x7f && code != '"' && code != '\\';
}

static void put_text(struct text *t, uint8_t byte, uint32_t code, bool is_valid)
{
	if (is_valid && (code == '"' || code == '\\')) {
		text_char(t, '\\');
		text_char(t, (char)code);
	} else if (!is_valid || code < 0x80) {
		text_literal(t, "\\x");
		text_hex_number(t, byte, 2);
	} else {
		text_literal(t, "\\u{");
		text_hex_number(t, code, 4);
		text_char(t, '}');
	}
}

static void put_json_unit(struct text *t, uint32_t unit)
{
	text_literal(t, "\\u");
	text_hex_number(t, unit, 4);
}

static void put_json(struct text *t, uint8_t byte, uint32_t code, bool is_valid)
{
	(void)byte; /* JSON has no bytes, only characters */
	if (!is_valid) {
		text_literal(t, "\xef\xbf\xbd"); /* U+FFFD */
	} else if (code == '"' || code == '\\') {
		text_char(t, '\\');
		text_char(t, (char)code);
	} else if (code < 0x10000) {
		put_json_unit(t, code);
	} else {
		put_json_unit(t, 0xd800 + ((code - 0x10000) >> 10));
		put_json_unit(t, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}

/* Copies runs of harmless characters, hands the others to put. */
static void escape(struct text *t, const uint8_t *bytes, size_t len,
		   void (*put)(struct text *t, uint8_t byte, uint32_t code, bool is_valid))
{
	size_t run = 0;
	size_t at = 0;

	while (at < len) {
		uint32_t code = bytes[at];
		size_t n;

		if (is_plain_ascii(code)) {
			at++;
			continue;
		}
		n = utf8_decode(bytes + at, len - at, &code);
		if (n > 1 && !is_hidden(code)) {
			at += n;
			continue;
		}
		text_bytes(t, bytes + run, at - run);
		put(t, bytes[at], code, n > 0);
		at += n ? n : 1;
		run = at;
	}
	if (run < len)
		text_bytes(t, bytes + run, len - run);
}

void text_escaped(struct text *t, const void *bytes, size_t len)
{
	escape(t, bytes, len, put_text);
}

void text_escaped_json(struct text *t, const void *bytes, size_t len)
{
	escape(t, bytes, len, put_json);
}

size_t nfl_escape_text(char *buf, size_t cap, const void *bytes, size_t len)
{
	struct text t = text_start(buf, cap);

	text_escaped(&t, bytes, len);
	return text_end(&t);
}

size_t nfl_escape_json(char *buf, size_t cap, const void *bytes, size_t len)
{
	struct text t = text_start(buf, cap);

	text_escaped_json(&t, bytes, len);
	return text_end(&t);
}
