/* SPDX-License-Identifier: MIT */
/* The frame of pcapng blocks: type, length, content, options, length. */
#include "block.h"

#include <string.h>

#include <nfl/render.h>

#define OPTION_END     0
#define TEXT_MAX       1024
#define LENGTH_AT      4
#define SHORTEST_BYTES 12

struct block block_begin(void *buf, size_t cap, uint32_t type)
{
	struct block b = {.buf = buf, .cap = cap};

	block_u32(&b, type);
	block_u32(&b, 0); /* the length, when it is known */
	return b;
}

size_t block_end(struct block *b)
{
	uint32_t len = (uint32_t)b->len + (uint32_t)sizeof(len);

	block_u32(b, len);
	block_set_u32(b, LENGTH_AT, len);
	return b->full || len < SHORTEST_BYTES ? 0 : b->len;
}

void block_option(struct block *b, uint16_t code, const void *value, uint16_t len)
{
	block_u16(b, code);
	block_u16(b, len);
	block_bytes(b, value, len);
}

void block_option_u64(struct block *b, uint16_t code, uint64_t value)
{
	block_option(b, code, &value, sizeof(value));
}

void block_option_text(struct block *b, uint16_t code, const char *text)
{
	char escaped[TEXT_MAX];

	if (!text || !*text)
		return;
	(void)nfl_escape_text(escaped, sizeof(escaped), text, strlen(text));
	block_option(b, code, escaped, (uint16_t)strlen(escaped));
}

void block_options_end(struct block *b)
{
	block_option(b, OPTION_END, NULL, 0);
}

void block_time(struct block *b, int64_t time_ns)
{
	uint64_t ns = time_ns > 0 ? (uint64_t)time_ns : 0; /* pcapng has no time before 1970 */

	block_u32(b, (uint32_t)(ns >> 32));
	block_u32(b, (uint32_t)ns);
}
