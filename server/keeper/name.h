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
struct opener;
struct registry;
struct seat;
struct space;

/* What all names share. */
struct house {
	struct rules rules;        /* owned */
	struct opener *opener;     /* borrowed */
	struct registry *registry; /* borrowed */
	struct intake *intake;     /* borrowed */
	size_t log_bytes;
	void *
	    open; /* tsearch(3): the open seats by (namespace, group), of which each is read once */
	bool has_news;  /* the registry was changed */
	bool has_freed; /* a namespace was let go: its other names may have it */
	bool is_lost;   /* the opener has ended */
	size_t sources; /* that are not gone */
	size_t listening;
};

struct name {
	char *shown;   /* owned */
	bool is_named; /* by a rule of its own: there is a source also while it does not exist */
	bool is_there; /* it exists */
	uint64_t dev;  /* with inode: which namespace it is */
	uint64_t inode;
	struct space *space; /* borrowed from intake; NULL: nothing of it is read */
	struct seat **seats; /* owned, each owned, by group; of what no rule wants there are none */
	size_t count;
	int64_t retry_ns; /* when a seat is to be tried next; INT64_MAX: never */

	/* Of the report that is under way. */
	bool is_unseen;  /* it is of all there is, and has not had this one yet */
	bool is_arrived; /* it has this one, as next */
	uint64_t next_dev;
	uint64_t next_inode;
};

/* 0 or -ENOMEM. A name that does not exist yet. */
int name_new(struct house *house, const char *shown, bool is_named, struct name **ret);
/* Lets go of it; the sources stay as they are. */
void name_free(struct house *house, struct name *name);

/* Every seat has a source, which waits. */
void name_wait(struct house *house, struct name *name);

/* It exists now, and is to be opened by name_open(). */
void name_appear(struct name *name, uint64_t dev, uint64_t inode, int64_t now_ns);
/* What it was is gone; what is there now has other sources. */
void name_vanish(struct house *house, struct name *name, int64_t now_ns);

/* Tries the seats that are due. */
void name_open(struct house *house, struct name *name, int64_t now_ns);

/* Finds seats whose listener died: they are to be tried again. */
void name_find_dead(struct house *house, struct name *name, int64_t now_ns);

/* Other rules are in force. @is_named: by them. 0 or -ENOMEM: it is as it was. */
int name_renew(struct house *house, struct name *name, bool is_named, int64_t now_ns);

/* For the room: finds retry_ns anew. */
void name_plan_retry(struct name *name);

#endif
