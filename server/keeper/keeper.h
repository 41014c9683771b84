/* SPDX-License-Identifier: MIT */
/*
 * keeper/keeper.h - keeps what is read in step with the namespaces that exist
 *
 * The groups of a namespace that appears are opened, by the opener, and given to intake; one that is
 * gone is let go at once, so that the kernel can free it; one made again under the same name has new
 * sources. What cannot be bound is tried again, less and less often. Needs no privilege.
 *
 * Threads: new, scan, start, stop, free, reload, set_rules from main; the thread is the keeper's own.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

struct intake;
struct keeper;
struct nfl_error;
struct opener;
struct registry;
struct rules;
struct source;

struct keeper_options {
	struct rules *rules; /* what is in it is the keeper's on success, and left empty */
	size_t log_bytes;    /* of the history of one source */
	/* Sources were added or changed, or the opener is lost (keeper_is_lost()); must not wait. */
	void (*changed)(void *data);
	void *data; /* borrowed */
};

/* @opener, @registry, @intake: borrowed until keeper_free(). 0 or -errno. */
int keeper_new(const struct keeper_options *options, struct opener *opener,
	       struct registry *registry, struct intake *intake, struct keeper **ret);

/* Opens all that there is, as soon as the opener has looked. 0, -EPIPE: the opener is gone, or
 * -ETIMEDOUT. */
int keeper_scan(struct keeper *keeper, int timeout_ms);

/* From now on a thread does. 0 or -errno. */
int keeper_start(struct keeper *keeper);
void keeper_stop(struct keeper *keeper); /* nothing is opened or let go from here on */
void keeper_free(struct keeper *keeper); /* NULL is allowed; stops first */

/* For intake: a listener died, as its source's state says. Any thread; never waits. */
void keeper_feed_failed(struct keeper *keeper);

/* The opener process is gone for good: what is read goes on being read, nothing new is. Any thread. */
bool keeper_is_lost(const struct keeper *keeper);

/* Has the opener read its configuration again. 0: then keeper_set_rules() must follow, nothing is opened
 * or found to be gone until then; or -errno with @err: it keeps what it had. While the keeper runs. */
int keeper_reload(struct keeper *keeper, struct nfl_error *err);

/**
 * keeper_set_rules - what is to be read from now on; after keeper_reload()
 * Groups that are no longer wanted are let go of (their sources are GONE), new ones opened, those that
 * are wanted otherwise are set anew without a loss; the others do not notice.
 * @rules: what is in it is the keeper's afterwards, and left empty
 * Returns when it is done: 0, or -ENOMEM: some of it may be. While the keeper runs.
 */
int keeper_set_rules(struct keeper *keeper, struct rules *rules);

struct keeper_counts {
	size_t sources; /* known, not those that are gone */
	size_t listening;
};

/* Any thread. */
struct keeper_counts keeper_counts(const struct keeper *keeper);

#endif
