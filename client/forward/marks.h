/* SPDX-License-Identifier: MIT */
/* marks.h - places in the stream, each behind a number of messages: a place may be stored once they are */
#ifndef FORWARD_MARKS_H
#define FORWARD_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKS_MAX 16

struct mark {
	uint64_t messages;
	void *place; /* owned */
	size_t len;
};

/* Zero-initialised is empty; ascending. */
struct marks {
	struct mark items[MARKS_MAX];
	size_t count;
};

/* @place: becomes the mark's. The newest one makes room where there are too many. */
void marks_add(struct marks *marks, uint64_t messages, void *place, size_t len);

/* The last mark whose messages are all stored; it and those before it are taken out. */
bool marks_reached(struct marks *marks, uint64_t stored, struct mark *ret);

void mark_done(struct mark *mark);
void marks_done(struct marks *marks);

#endif
