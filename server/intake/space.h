/* SPDX-License-Identifier: MIT */
/*
 * intake/space.h - a network namespace that is read, and the interface names of it
 *
 * Shared by all feeds of that namespace. Private to the room. Threads: who adds it, until it is in
 * the intake's inbox; then intake.
 */
#ifndef INTAKE_SPACE_H
#define INTAKE_SPACE_H

#include "watch.h"

struct feed;
struct links;

struct space {
	struct watch watch;
	struct space *next;    /* of the intake's list, or of its inbox */
	struct space *leaving; /* next of those to be removed */
	const char *detail;    /* of GONE; borrowed, static */
	struct feed *feeds;    /* owned list */
	struct links *links;   /* owned; NULL: names are not known */
};

/* @links: the space's on success. NULL without memory. */
struct space *space_new(struct links *links);
void space_free(struct space *space); /* and its feeds */

#endif
