/* SPDX-License-Identifier: MIT */
/*
 * presence/watch.h - inotify watches of directories that may not exist yet
 *
 * Private to the room. Without inotify (the limit of instances is reached) every call does nothing.
 */
#ifndef PRESENCE_WATCH_H
#define PRESENCE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#define WATCH_NONE (-1)

struct watched {
	char *path; /* owned; a directory */
	int wd;     /* of it, or of its nearest ancestor that exists; WATCH_NONE */
};

/* Each directory is watched, or its nearest ancestor where it does not exist. Cheap when nothing
 * has changed. Returns false where something cannot be watched. */
bool watch_all(int inotify_fd, struct watched *items, size_t count);

/* Forgets all events that are queued; true if there were any. */
bool watch_drain(int inotify_fd);

#endif
