/* SPDX-License-Identifier: MIT */
/*
 * The bounded writer behind all renderers. JSON of every packet runs through here, so numbers are
 * made two digits at a time from tables instead of by printf.
 */
#include "writer.h"

#define CHUNK_BYTES 64 /* of input, for each copy of hexadecimal text */
#define DIGITS_MAX  20 /* of a uint64_t */

/* "00" to "99" and "00" to "ff", as one text each. */
#define DECIMAL_ROW(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
#define HEX_ROW(d)     DECIMAL_ROW(d) d "a" d "b" d "c" d "d" d "e" d "f"

static const char decimal_pairs[] =
    DECIMAL_ROW("0") DECIMAL_ROW("1") DECIMAL_ROW("2") DECIMAL_ROW("3") DECIMAL_ROW("4")
	DECIMAL_ROW("5") DECIMAL_ROW("6") DECIMAL_ROW("7") DECIMAL_ROW("8") DECIMAL_ROW("9");
static const char hex_pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4")
    HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
	HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

/* The length up to the last whole character: of a text that was cut, the last may be a part of one. */
static size_t whole_characters(const char *buf, size_t len)
{
	size_t lead = len;
	unsigned char first;

	do {
		if (lead == 0)
			return len;
		first = (unsigned char)buf[--lead];
	} while ((first & 0xc0) == 0x80);
	if (first < 0xc0)
		return len;
	return len - lead < (first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u) ? lead : len;
}

size_t text_end(const struct text *t)
{
	if (t->cap && t->len < t->cap)
		t->buf[t->len] = '\0';
	else if (t->cap)
		t->buf[whole_characters(t->buf, t->cap - 1)] = '\0';
	return t->len;
}

void text_cut(struct text *t, const void *bytes, size_t n)
{
	size_t room = t->len + 1 < t->cap ? t->cap - 1 - t->len : 0;

	if (room)
		memcpy(t->buf + t->len, bytes, n < room ? n : room);
}

/* Writes value so that it ends before `end`. */
static inline void decimal(char *end, uint64_t value)
{
	while (value >= 100) {
		end -= 2;
		memcpy(end, decimal_pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(end - 2, decimal_pairs + 2 * value, 2);
	else
		end[-1] = (char)('0' + value);
}

static unsigned count_digits(uint64_t value)
{
	unsigned digits = 1;

	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* The usual case writes in place: a copy of a few bytes costs more than the digits do. */
void text_long_number(struct text *t, uint64_t value)
{
	unsigned digits = count_digits(value);
	char tmp[DIGITS_MAX];

	if (t->len + digits < t->cap) {
		decimal(t->buf + t->len + digits, value);
	} else {
		decimal(tmp + digits, value);
		text_cut(t, tmp, digits);
	}
	t->len += digits;
}

void text_digits(struct text *t, uint64_t value, unsigned digits)
{
	char tmp[DIGITS_MAX];

	memset(tmp, '0', sizeof(tmp));
	decimal(tmp + sizeof(tmp), value);
	text_bytes(t, tmp + sizeof(tmp) - digits, digits);
}

void text_hex_number(struct text *t, uint32_t value, unsigned min_digits)
{
	char tmp[8];
	unsigned digits = 8;

	for (size_t i = 0; i < sizeof(value); i++)
		memcpy(tmp + 2 * i, hex_pairs + 2 * (value >> (24 - 8 * i) & 0xff), 2);
	while (digits > min_digits && tmp[sizeof(tmp) - digits] == '0')
		digits--;
	text_bytes(t, tmp + sizeof(tmp) - digits, digits);
}

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		memcpy(out + 2 * i, hex_pairs + 2 * (size_t)bytes[i], 2);
}

void text_hex(struct text *t, struct nfl_bytes bytes)
{
	if (t->len + 2 * (size_t)bytes.len < t->cap) {
		hex(t->buf + t->len, bytes.data, bytes.len);
		t->len += 2 * (size_t)bytes.len;
		return;
	}
	for (size_t at = 0; at < bytes.len; at += CHUNK_BYTES) {
		char tmp[2 * CHUNK_BYTES];
		size_t n = bytes.len - at < CHUNK_BYTES ? bytes.len - at : CHUNK_BYTES;

		hex(tmp, bytes.data + at, n);
		text_bytes(t, tmp, 2 * n);
	}
}

void text_mac(struct text *t, struct nfl_bytes address)
{
	for (uint32_t i = 0; i < address.len; i++) {
		if (i)
			text_char(t, ':');
		text_bytes(t, hex_pairs + 2 * (size_t)address.data[i], 2);
	}
}
