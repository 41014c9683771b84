/* SPDX-License-Identifier: MIT */
/*
 * out.h - buffered output to a descriptor, rendered in place
 *
 * Packets are rendered straight into the buffer, which is written when it is full or when the
 * caller has nothing more at hand.
 */
#ifndef NFLOGCTL_OUT_H
#define NFLOGCTL_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct out {
	int fd;       /* borrowed */
	int error;    /* -errno of the write that failed; nothing is written any more */
	char *buffer; /* owned */
	size_t capacity;
	size_t used;
};

/* 0 or -ENOMEM. */
int out_init(struct out *out, int fd);
void out_done(struct out *out);

/* Room for size bytes, to be taken by out_commit(); NULL after an error (out->error). */
char *out_reserve(struct out *out, size_t size);
void out_commit(struct out *out, size_t len);

/* Writes what is there. Returns 0 or out->error. */
int out_flush(struct out *out);

#endif
