/* SPDX-License-Identifier: MIT */
/*
 * keeper/seat.h - a group that is read under a name
 *
 * Private to the room. Threads: the keeper's.
 */
#ifndef KEEPER_SEAT_H
#define KEEPER_SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "wanted.h"

struct house;
struct name;
struct source;

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

/* NULL without memory. */
struct seat *seat_new(const struct name *name, const struct wanted *wanted);
/* Its source stays as it is. */
void seat_free(struct house *house, struct seat *seat);

/* One that has no source gets one, which waits. 0 or -errno of registry_add(). */
int seat_need_source(struct house *house, struct seat *seat);
/* Has it none, or one that waits: was nothing of it read yet? */
bool seat_is_waiting(const struct seat *seat);
void seat_log_failure(const struct seat *seat, const char *event, const char *why);

/* Tries to open it; when that fails its source says why and retry_ns when to try again. */
void seat_open(struct house *house, struct name *name, struct seat *seat, int64_t now_ns);
/* A closed one is to be tried at once. */
void seat_try_now(struct seat *seat, int64_t now_ns);
/* When its listener has died: it is to be tried again. */
void seat_find_dead(struct house *house, struct seat *seat, int64_t now_ns);

/* It is wanted like that from now on; an open one is set anew. */
void seat_set(struct house *house, struct name *name, struct seat *seat,
	      const struct wanted *wanted);

/* Lets go of it: its source is removed, and GONE where intake does not read it. Intake's feed, if
 * is_open, is the caller's to remove, who then forgets the source. @why: static text. */
void seat_leave(struct house *house, struct seat *seat, const char *why, int64_t now_ns);
void seat_forget_source(struct seat *seat);

#endif
