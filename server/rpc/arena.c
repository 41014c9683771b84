/* SPDX-License-Identifier: MIT */
/* Memory of one request or answer: chunks that are filled one after the other and freed together. */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)4096)
#define ALIGNMENT   alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *previous;
	size_t size;
	alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t cap)
{
	*arena = (struct arena){.cap = cap};
}

void arena_done(struct arena *arena)
{
	while (arena->chunk) {
		struct arena_chunk *previous = arena->chunk->previous;

		free(arena->chunk);
		arena->chunk = previous;
	}
}

static bool grow(struct arena *arena, size_t size)
{
	/* Each chunk is twice the last: few allocations for large answers. */
	size_t bytes = arena->chunk ? 2 * arena->chunk->size : CHUNK_BYTES;
	struct arena_chunk *chunk;

	if (size > arena->cap - arena->total)
		return false;
	if (bytes > arena->cap - arena->total)
		bytes = arena->cap - arena->total;
	if (bytes < size)
		bytes = size;
	chunk = calloc(1, sizeof(*chunk) + bytes);
	if (!chunk) {
		arena->is_short = true;
		return false;
	}
	chunk->previous = arena->chunk;
	chunk->size = bytes;
	arena->chunk = chunk;
	arena->used = 0;
	arena->total += bytes;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *memory;

	if (size > arena->cap)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if ((!arena->chunk || size > arena->chunk->size - arena->used) && !grow(arena, size))
		return NULL;
	memory = arena->chunk->data + arena->used;
	arena->used += size;
	return memory;
}

static void *allocate(void *data, size_t size)
{
	return arena_alloc(data, size);
}

static void release(void *data, void *memory)
{
	(void)data; /* all of it goes with the arena */
	(void)memory;
}

ProtobufCAllocator arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}
