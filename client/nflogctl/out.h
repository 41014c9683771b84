/* SPDX-License-Identifier: MIT */
/*
 * out.h - buffered output to a descriptor, rendered in place
 *
 * Packets are rendered straight into the buffer, which is written when it is full or when the
 * caller has nothing more at hand. A write has whole packets only, so that a file ends with a whole
 * one, also when its disk is full.
 */
#ifndef NFLOGCTL_OUT_H
#define NFLOGCTL_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out {
	int fd;           /* borrowed; -1: none, the buffer grows and is never written */
	int error;        /* -errno of what failed; nothing is written any more */
	bool is_file;     /* a regular one: a write that fails halfway is undone */
	uint64_t written; /* bytes; of a file its length */
	char *buffer;     /* owned */
	size_t capacity;
	size_t used;
};

/* 0 or -ENOMEM. */
int out_init(struct out *out, int fd);
void out_done(struct out *out);

/* Room for size bytes, to be taken by out_commit(); NULL after an error (out->error). */
char *out_reserve(struct out *out, size_t size);
void out_commit(struct out *out, size_t len);

/* Two pieces as one. */
void out_append(struct out *out, const void *first, size_t first_len, const void *second,
		size_t second_len);

/* Bytes written, and those to be. */
static inline uint64_t out_bytes(const struct out *out)
{
	return out->written + out->used;
}

/* Writes what is there. Returns 0 or out->error. */
int out_flush(struct out *out);

#endif
