/* SPDX-License-Identifier: MIT */
/*
 * pool.h - memory of one message after another: taken piece by piece, given back at once
 *
 * protobuf-c unpacks into it. The block stays from message to message and grows to what the largest
 * has needed, so that a packet costs no allocation.
 */
#ifndef NFLOGCTL_POOL_H
#define NFLOGCTL_POOL_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct pool_extra;

struct pool {
	char *block; /* owned */
	size_t size;
	size_t used;
	struct pool_extra *extra; /* owned: pieces that did not fit into the block */
	size_t extra_bytes;
};

/* Unpacks a message, which is there until the next call; NULL when it is malformed or too large. */
ProtobufCMessage *pool_unpack(struct pool *pool, const ProtobufCMessageDescriptor *type,
			      const void *bytes, size_t len);

void pool_done(struct pool *pool);

#endif
