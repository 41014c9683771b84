/* SPDX-License-Identifier: MIT */
/*
 * Bytes that anyone on the network can choose, made safe for a terminal, a log or a JSON document.
 * One rule decides what is dangerous, for all of them: base/printable.h's.
 */
#include <nfl/render.h>

#include <stdbool.h>

#include "printable.h"
#include "utf8.h"
#include "writer.h"

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

/* No quotes stand around it. */
static void put_line(struct text *t, uint8_t byte, uint32_t code, bool is_valid)
{
	if (is_valid && code == '"')
		text_char(t, '"');
	else
		put_text(t, byte, code, is_valid);
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
		if (n > 1 && printable_is(code)) {
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

size_t nfl_escape_line(char *buf, size_t cap, const void *bytes, size_t len)
{
	struct text t = text_start(buf, cap);

	escape(&t, bytes, len, put_line);
	return text_end(&t);
}

size_t nfl_escape_json(char *buf, size_t cap, const void *bytes, size_t len)
{
	struct text t = text_start(buf, cap);

	text_escaped_json(&t, bytes, len);
	return text_end(&t);
}
