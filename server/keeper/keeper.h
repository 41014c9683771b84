/* SPDX-License-Identifier: MIT */
/*
 * keeper/keeper.h - keeps what is read in step with the namespaces that exist
 *
 * A namespace that appears is entered, its groups are bound and given to intake; one that is gone is
 * let go at once, so that the kernel can free it; one made again under the same name has new
 * sources. What cannot be bound is tried again, less and less often.
 *
 * Threads: new, scan, start, stop, free from main; the thread is the keeper's own. setns(2) runs on
 * it, so it calls nothing of gRPC.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <stddef.h>

struct intake;
struct keeper;
struct registry;
struct rules;
struct source;

struct keeper_options {
	const struct rules *rules; /* borrowed until keeper_free() */
	const char *names; /* PRESENCE_NAMES, or another directory; borrowed for keeper_new() */
	size_t log_bytes;  /* of the history of one source */
	void (*changed)(void *data); /* sources were added or changed; must not wait */
	void *data;                  /* borrowed */
};

/* @registry, @intake: borrowed until keeper_free(). 0 or -errno. */
int keeper_new(const struct keeper_options *options, struct registry *registry,
	       struct intake *intake, struct keeper **ret);

/* Opens all that there is, on the calling thread, which comes back to its own namespace. */
void keeper_scan(struct keeper *keeper);

/* From now on a thread does. 0 or -errno. */
int keeper_start(struct keeper *keeper);
void keeper_stop(struct keeper *keeper); /* nothing is opened or let go from here on */
void keeper_free(struct keeper *keeper); /* NULL is allowed; stops first */

/* For intake: a listener died, as its source's state says. Any thread; never waits. */
void keeper_feed_failed(struct keeper *keeper);

struct keeper_counts {
	size_t sources; /* known, not those that are gone */
	size_t listening;
};

/* Any thread. */
struct keeper_counts keeper_counts(const struct keeper *keeper);

#endif
