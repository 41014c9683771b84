/* SPDX-License-Identifier: MIT */
/*
 * render/writer.h - a writer into a buffer of fixed size, which counts what did not fit
 *
 * Every renderer is a chain of these calls and has snprintf's semantics for free: `len` grows by
 * the whole text, the bytes stop at the end of the buffer. No allocation, no locale, no printf.
 */
#ifndef RENDER_WRITER_H
#define RENDER_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nfl/record.h>

struct text {
	char *buf;
	size_t cap; /* bytes at buf, the final NUL included; 0: nothing is written */
	size_t len; /* of the whole text; cap or more when it was cut */
};

static inline struct text text_start(char *buf, size_t cap)
{
	return (struct text){.buf = buf, .cap = cap};
}

/* Writes the NUL, of a text that was cut behind its last whole character; returns the length of the
 * whole text. */
size_t text_end(const struct text *t);

/* The slow way of text_bytes: the part that still fits. */
void text_cut(struct text *t, const void *bytes, size_t n);

static inline void text_bytes(struct text *t, const void *bytes, size_t n)
{
	if (t->len + n < t->cap)
		memcpy(t->buf + t->len, bytes, n);
	else
		text_cut(t, bytes, n);
	t->len += n;
}

/* A string literal: its length is known to the compiler. */
#define text_literal(t, s) text_bytes((t), "" s, sizeof(s) - 1)

static inline void text_char(struct text *t, char c)
{
	text_bytes(t, &c, 1);
}

static inline void text_string(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

/* Changes a character written before, as far as it was. */
static inline void text_replace(struct text *t, size_t at, char c)
{
	if (at + 1 < t->cap)
		t->buf[at] = c;
}

/* Decimal, of two or more digits. */
void text_long_number(struct text *t, uint64_t value);

/* Decimal. */
static inline void text_number(struct text *t, uint64_t value)
{
	if (value < 10)
		text_char(t, (char)('0' + value));
	else
		text_long_number(t, value);
}

/* Decimal with leading zeros, `digits` at most 20. */
void text_digits(struct text *t, uint64_t value, unsigned digits);
/* Lower-case hexadecimal without 0x, at least min_digits. */
void text_hex_number(struct text *t, uint32_t value, unsigned min_digits);
/* Two lower-case hexadecimal digits a byte. */
void text_hex(struct text *t, struct nfl_bytes bytes);
/* 02:f1:00:00:0b:00 */
void text_mac(struct text *t, struct nfl_bytes address);

/* The renderers of <nfl/render.h>, onto a writer. */
void text_escaped(struct text *t, const void *bytes, size_t len);
void text_escaped_json(struct text *t, const void *bytes, size_t len);
void text_time(struct text *t, int64_t time_ns, uint32_t flags);
void text_address(struct text *t, const uint8_t *address, size_t len);

/* 12:00:00.123456, with the date in front when flags have NFL_RENDER_DATE. */
void text_clock(struct text *t, int64_t time_ns, uint32_t flags);

#endif
