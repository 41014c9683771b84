/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory of one answer: taken piece by piece, given back at once
 *
 * protobuf-c unpacks into it, so that strings stay where they were decoded and need no copy. The cap
 * bounds what a hostile server can make the client allocate: a message of 16 MiB may hold millions
 * of empty elements, each of which would be a struct.
 *
 * Threads: one at a time. Zero-initialised is empty.
 */
#ifndef CLIENT_ARENA_H
#define CLIENT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#define ARENA_CAP_BYTES ((size_t)64 * 1024 * 1024)

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned, newest first */
	size_t held_bytes;
	bool is_short; /* of memory, not past the cap, since it was empty */
};

/* Why one of the next four returned NULL: -ENOMEM; or -EBADMSG, malformed or past the cap. */
int arena_error(const struct arena *arena);

/* Zeroed and aligned for any type; NULL without memory or past the cap. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of a text; NULL as arena_alloc(). */
char *arena_strdup(struct arena *arena, const char *text);

/**
 * arena_extend - room for more elements behind the first `count` ones
 * @items: made by this function, or NULL with count 0
 * Returns the array, maybe elsewhere, or NULL as arena_alloc(). Grows by doubling.
 */
void *arena_extend(struct arena *arena, void *items, size_t count, size_t more, size_t item_size);

/* Unpacks a message into the arena; NULL when malformed, without memory or past the cap. */
ProtobufCMessage *arena_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
			       const void *bytes, size_t len);

/* Empty, but with room for as much as it held: for one message after another without allocation. */
void arena_clear(struct arena *arena);

/* Frees everything; the arena is empty and usable. */
void arena_reset(struct arena *arena);

#endif
