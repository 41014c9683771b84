/* SPDX-License-Identifier: MIT */
/*
 * intake/inbox.h - what others want of the intake's thread, taken in between two of its rounds
 *
 * Private to the room. Threads: any to put in; intake's own to take.
 */
#ifndef INTAKE_INBOX_H
#define INTAKE_INBOX_H

#include <pthread.h>
#include <stdint.h>

#include <nfl/listener.h>

struct feed;
struct source;
struct space;

/* Something to be done with the feed of a source. */
struct errand {
	struct errand *next;
	struct space *space;   /* borrowed */
	struct source *source; /* a reference */
	const char *detail;    /* static; to be removed; NULL: options are other ones */
	struct nfl_listener_options options;
};

struct news {
	struct space *spaces; /* new ones; owned */
	struct feed *feeds;   /* new ones; owned */
	struct errand
	    *errands; /* about single feeds; owned; in the order in which they were given */
	struct space *leaving; /* to be removed; borrowed */
};

struct inbox {
	int fd; /* eventfd: readable while there is news */
	pthread_mutex_t lock;
	struct news news; /* [lock] errands: the latest first */
};

/* 0 or -errno. */
int inbox_init(struct inbox *inbox);
/* Frees what was never taken. */
void inbox_done(struct inbox *inbox);

void inbox_add_space(struct inbox *inbox, struct space *space);
void inbox_add_feed(struct inbox *inbox, struct feed *feed);
void inbox_remove_space(struct inbox *inbox, struct space *space, const char *detail);
/* Copied, with a reference of its own. 0 or -ENOMEM. */
int inbox_add_errand(struct inbox *inbox, const struct errand *errand);
/* Wakes who waits for it, without news. */
void inbox_tell(const struct inbox *inbox);

void inbox_take(struct inbox *inbox, struct news *ret);
void errand_free(struct errand *errand);

#endif
