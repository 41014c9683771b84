/* SPDX-License-Identifier: MIT */
/*
 * rpc/arena.h - memory of one request: bounded, and freed all at once
 *
 * What a peer sends is unpacked into an arena, so that a small message of many tiny parts cannot
 * take more than the cap. Answers are built in one, too. One thread at a time.
 */
#ifndef RPC_ARENA_H
#define RPC_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* the newest; owned */
	size_t used;               /* bytes of it */
	size_t total;              /* bytes of all chunks */
	size_t cap;                /* total's limit */
	bool is_short;             /* memory was wanting, not the cap reached */
};

void arena_init(struct arena *arena, size_t cap);
/* Frees everything that came from it; for CLEANUP(arena_done). */
void arena_done(struct arena *arena);

/* Zeroed and aligned for any type; NULL past the cap or without memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* An allocator for protobuf-c; borrows the arena. */
ProtobufCAllocator arena_allocator(struct arena *arena);

#endif
