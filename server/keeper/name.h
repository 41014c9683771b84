/* SPDX-License-Identifier: MIT */
/*
 * keeper/name.h - one name of a namespace, and the groups that are read under it
 *
 * Private to the room. Threads: the keeper's.
 */
#ifndef KEEPER_NAME_H
#define KEEPER_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wanted.h"

struct intake;
struct presence_space;
struct registry;
struct source;
struct space;

/* What all names share. */
struct house {
	const struct rules *rules; /* borrowed */
	struct registry *registry; /* borrowed */
	struct intake *intake;     /* borrowed */
	size_t log_bytes;
	void *
	    open; /* tsearch(3): the open seats by (namespace, group), of which each is read once */
	bool has_news;  /* the registry was changed */
	bool has_freed; /* a namespace was let go: its other names may have it */
	size_t sources; /* that are not gone */
	size_t listening;
};

/* A group of a name. */
struct seat {
	const struct name *name; /* borrowed */
	struct wanted wanted;
	struct source *source; /* shared; NULL: nothing was to be told of it yet */
	bool is_open;          /* intake reads it */
	bool is_double;        /* closed because another name of the namespace has it */
	int64_t opened_ns;
	int64_t retry_ns;   /* of a closed one */
	int64_t backoff_ns; /* the last pause before another try; 0: none was needed */
};

struct name {
	char *shown;   /* owned */
	bool is_named; /* by a rule of its own: there is a source also while it does not exist */
	char *path;    /* owned; NULL: it does not exist */
	uint64_t dev;  /* with inode: which namespace it is now */
	uint64_t inode;
	struct space *space; /* borrowed from intake; NULL: nothing of it is read */
	struct seat *seats;  /* owned; of what no rule wants there are none */
	size_t count;
	int64_t retry_ns; /* when a seat is to be tried next; INT64_MAX: never */
};

/* 0 or -ENOMEM. A name that does not exist yet. */
int name_new(const struct house *house, const char *shown, bool is_named, struct name **ret);
/* Lets go of it; the sources stay as they are. */
void name_free(struct house *house, struct name *name);

/* Every seat has a source, which waits. */
void name_wait(struct house *house, struct name *name);

bool name_is(const struct name *name, const struct presence_space *space);

/* It exists now, and is to be opened by name_open(). 0 or -ENOMEM. */
int name_appear(struct name *name, const struct presence_space *space, int64_t now_ns);
/* What it was is gone; what is there now has other sources. */
void name_vanish(struct house *house, struct name *name, int64_t now_ns);

/* Tries the seats that are due. */
void name_open(struct house *house, struct name *name, int64_t now_ns);

/* Finds seats whose listener died: they are to be tried again. */
void name_find_dead(struct house *house, struct name *name, int64_t now_ns);

#endif
