/* SPDX-License-Identifier: MIT */
/* A bump allocator for protobuf-c. What does not fit into the block is a piece of its own, and the block
 * is made larger for the next message. */
#include "pool.h"

#include <stdalign.h>
#include <stdlib.h>

#define POOL_MIN_BYTES ((size_t)16 * 1024)
/* A server could make a client unpack millions of empty elements. */
#define POOL_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct pool_extra {
	struct pool_extra *next;
	max_align_t bytes[];
};

static void free_extra(struct pool *pool)
{
	while (pool->extra) {
		struct pool_extra *next = pool->extra->next;

		free(pool->extra);
		pool->extra = next;
	}
	pool->extra_bytes = 0;
}

/* Without memory the old block stays: what does not fit is a piece of its own again. */
static void pool_reset(struct pool *pool)
{
	size_t wanted = pool->used + pool->extra_bytes;
	char *grown;

	free_extra(pool);
	pool->used = 0;
	if (wanted < POOL_MIN_BYTES)
		wanted = POOL_MIN_BYTES;
	if (wanted <= pool->size)
		return;
	grown = malloc(wanted);
	if (!grown)
		return;
	free(pool->block);
	pool->block = grown;
	pool->size = wanted;
}

static void *take_extra(struct pool *pool, size_t size)
{
	struct pool_extra *extra = malloc(sizeof(*extra) + size);

	if (!extra)
		return NULL;
	extra->next = pool->extra;
	pool->extra = extra;
	pool->extra_bytes += size;
	return extra->bytes;
}

static void *pool_alloc(void *data, size_t size)
{
	struct pool *pool = data;
	size_t aligned = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	void *piece;

	if (size > POOL_MAX_BYTES || pool->used + pool->extra_bytes + aligned > POOL_MAX_BYTES)
		return NULL;
	if (aligned > pool->size - pool->used)
		return take_extra(pool, aligned);
	piece = pool->block + pool->used;
	pool->used += aligned;
	return piece;
}

/* All of it goes at once. */
static void pool_free(void *data, void *piece)
{
	(void)data;
	(void)piece;
}

ProtobufCMessage *pool_unpack(struct pool *pool, const ProtobufCMessageDescriptor *type,
			      const void *bytes, size_t len)
{
	ProtobufCAllocator allocator = {
	    .alloc = pool_alloc, .free = pool_free, .allocator_data = pool};

	pool_reset(pool);
	return protobuf_c_message_unpack(type, &allocator, len, bytes);
}

void pool_done(struct pool *pool)
{
	free_extra(pool);
	free(pool->block);
	*pool = (struct pool){0};
}
