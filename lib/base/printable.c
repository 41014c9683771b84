/* SPDX-License-Identifier: MIT */
/* Bytes that anyone on the network can choose: which of them are harmless. */
#include "printable.h"

#include <string.h>

#include "bytes.h"
#include "utf8.h"

/*
 * Hidden, above ASCII: controls (C1), categories Cf, Zl and Zp of Unicode 15.1, and what it calls default
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

bool printable_is(uint32_t code)
{
	if (code < 0x80)
		return code >= 0x20 && code < 0x7f;
	for (size_t i = 0; i < ARRAY_SIZE(hidden) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return false;
	return true;
}

size_t printable_run(const void *text, size_t len)
{
	const uint8_t *bytes = text;
	size_t at = 0;

	while (at < len) {
		uint32_t code;
		size_t n = utf8_decode(bytes + at, len - at, &code);

		if (n == 0 || !printable_is(code))
			break;
		at += n;
	}
	return at;
}

void printable_force(char *text)
{
	const char *end = text + strlen(text);

	for (text += printable_run(text, (size_t)(end - text)); text < end;
	     text += printable_run(text, (size_t)(end - text)))
		*text++ = '?';
}
