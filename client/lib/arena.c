/* SPDX-License-Identifier: MIT */
/* A list of blocks; a request that does not fit the newest block starts another. */
#include "arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)4096)
#define ARENA_ALIGN       _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next; /* owned */
	size_t size;
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
	size_t data = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
	struct arena_block *block;

	if (data > ARENA_CAP_BYTES - arena->held_bytes)
		return NULL;
	block = calloc(1, sizeof(*block) + data);
	if (!block) {
		arena->is_short = true;
		return NULL;
	}
	block->next = arena->blocks;
	block->size = data;
	arena->blocks = block;
	arena->held_bytes += data;
	return block;
}

int arena_error(const struct arena *arena)
{
	return arena->is_short ? -ENOMEM : -EBADMSG;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *taken;

	if (size > ARENA_CAP_BYTES)
		return NULL;
	size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (!block || block->size - block->used < size)
		block = arena_add_block(arena, size);
	if (!block)
		return NULL;
	taken = block->data + block->used;
	block->used += size;
	return taken;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

/* The array's size is not kept: it is the smallest power of two that holds `count`. */
static size_t capacity_of(size_t count)
{
	size_t capacity = 1;

	while (capacity < count)
		capacity *= 2;
	return count ? capacity : 0;
}

void *arena_extend(struct arena *arena, void *items, size_t count, size_t more, size_t item_size)
{
	size_t limit = ARENA_CAP_BYTES / item_size;
	void *moved;

	if (count > limit || more > limit - count)
		return NULL;
	if (items && count + more <= capacity_of(count))
		return items;
	moved = arena_alloc(arena, capacity_of(count + more) * item_size);
	if (moved && count)
		memcpy(moved, items, count * item_size);
	return moved;
}

static void *unpack_alloc(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

/* The arena takes pieces back all at once only. */
static void unpack_free(void *arena, void *piece)
{
	(void)arena;
	(void)piece;
}

ProtobufCMessage *arena_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
			       const void *bytes, size_t len)
{
	ProtobufCAllocator allocator = {
	    .alloc = unpack_alloc, .free = unpack_free, .allocator_data = arena};

	return protobuf_c_message_unpack(type, &allocator, len, bytes);
}

void arena_reset(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->held_bytes = 0;
	arena->is_short = false;
}

void arena_clear(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	size_t held_bytes = arena->held_bytes;

	if (block && !block->next) {
		memset(block->data, 0, block->used);
		block->used = 0;
		return;
	}
	arena_reset(arena);
	if (held_bytes)
		(void)arena_add_block(arena, held_bytes); /* else the next message makes some */
	arena->is_short = false;
}
