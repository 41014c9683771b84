/* SPDX-License-Identifier: MIT */
/*
 * render/block.h - a pcapng block in the making
 *
 * Everything of a block is padded to 4 bytes and in the writer's byte order. What does not fit makes
 * the whole block void: block_end() returns 0 then.
 */
#ifndef RENDER_BLOCK_H
#define RENDER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_PAD(n) (((n) + 3) & ~(size_t)3)

struct block {
	uint8_t *buf;
	size_t cap;
	size_t len;
	bool full; /* something did not fit */
};

static inline uint8_t *block_take(struct block *b, size_t len)
{
	uint8_t *at = b->buf + b->len;

	if (len > b->cap - b->len) {
		b->full = true;
		return NULL;
	}
	b->len += len;
	return at;
}

static inline void block_u16(struct block *b, uint16_t value)
{
	uint8_t *at = block_take(b, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

static inline void block_u32(struct block *b, uint32_t value)
{
	uint8_t *at = block_take(b, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

static inline void block_u64(struct block *b, uint64_t value)
{
	uint8_t *at = block_take(b, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

/* With padding. */
static inline void block_bytes(struct block *b, const void *bytes, size_t len)
{
	size_t padded = BLOCK_PAD(len);
	uint8_t *at = block_take(b, padded);

	if (!at || !len)
		return;
	memset(at + padded - 4, 0, 4);
	memcpy(at, bytes, len);
}

/* Writes over what is there already, as a length that was not known. */
static inline void block_set_u32(struct block *b, size_t at, uint32_t value)
{
	if (!b->full)
		memcpy(b->buf + at, &value, sizeof(value));
}

struct block block_begin(void *buf, size_t cap, uint32_t type);
/* Returns the block's length, or 0. */
size_t block_end(struct block *b);

/* Options: a block may end with some. */
void block_option(struct block *b, uint16_t code, const void *value, uint16_t len);
void block_option_u64(struct block *b, uint16_t code, uint64_t value);
/* Escaped, and cut to what an option may hold; nothing for NULL. */
void block_option_text(struct block *b, uint16_t code, const char *text);
/* Behind the last one. */
void block_options_end(struct block *b);

/* 64 bits as pcapng wants times: the upper half first. */
void block_time(struct block *b, int64_t time_ns);

#endif
