/* SPDX-License-Identifier: MIT */
/*
 * intake/space.h - a network namespace that is read, and the interface names of it
 *
 * Shared by all feeds of that namespace. Private to the room. Threads: main until start, then intake.
 */
#ifndef INTAKE_SPACE_H
#define INTAKE_SPACE_H

#include <stdint.h>

#include "watch.h"

struct links;

struct space {
	struct watch watch;
	struct space *next; /* owned: the intake's list */
	uint64_t dev;       /* with inode: which namespace */
	uint64_t inode;
	struct links *links; /* owned; NULL: names are not known */
};

/* Opens the links of the namespace behind @netns_fd; without them (logged) names stay empty.
 * NULL without memory. */
struct space *space_new(int netns_fd, uint64_t dev, uint64_t inode);
void space_free(struct space *space);

#endif
