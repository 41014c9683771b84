/* SPDX-License-Identifier: MIT */
/*
 * intake/feed.h - from the listener of one source to its log
 *
 * Private to the room. Threads: who adds it, until it is in the intake's inbox; then intake.
 */
#ifndef INTAKE_FEED_H
#define INTAKE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/listener.h>

#include "adapt.h"
#include "rest.h"
#include "tail.h"
#include "watch.h"

struct intake_events;
struct registry;
struct source;
struct space;
struct wire_memo;

struct feed {
	struct watch watch;
	struct feed *next;             /* of the space's list, or of the intake's inbox */
	struct source *source;         /* shared */
	struct nfl_listener *listener; /* owned; NULL once it has failed */
	struct space *space;           /* borrowed: it owns the feed */
	uint64_t order;                /* of the datagram being read */
	uint64_t packets;              /* as source's counters, which only this feed writes */
	uint64_t lost_kernel;
	uint64_t lost_decode;
	int64_t last_packet_ns;
	struct tail tail;
	struct nfl_listener_stats read; /* as of the last round */
	uint32_t rcvbuf;                /* bytes, as the kernel counts */
	bool is_adaptive;
	struct adapt adapt;
	struct wire_memo *memo; /* owned; NULL until the source is busy */
	uint64_t bytes_before;  /* of listeners before this one */
	uint64_t foreign_before;
	uint64_t overruns_before; /* the same */
};

/* What all feeds share. */
struct feed_room {
	struct registry *registry;          /* borrowed */
	const struct intake_events *events; /* borrowed; set while the thread runs */
	void *buffer;                       /* owned: NFL_RECEIVE_BUFFER bytes, 8-byte aligned */
	uint64_t order;          /* of the last datagram with packets, over all sources; from 1 */
	uint64_t load;           /* this round: adapt_load() of all that was read */
	bool pressed;            /* adapt_press() */
	bool shifting;           /* this round: feed_judge() said so of one */
	int64_t now_ns;          /* when this round began, monotonic */
	struct rest_round round; /* what this round of epoll has read */
	bool published;          /* something was, since this was last set to false */
};

/* Takes a reference of @source; NULL without memory. @listener is the feed's only on success. */
struct feed *feed_new(struct source *source, struct nfl_listener *listener, struct space *space);
void feed_free(struct feed *feed);

/* The settings are other ones: those of the configuration, for the kernel as well. 0 or -errno. */
int feed_configure(struct feed *feed, const struct feed_room *room);

/* Is another batching right than is in force? */
bool feed_judge(struct feed *feed, const struct feed_room *room, int64_t now_ns);
/* Puts the right one in force. 0 or -errno: nothing has changed. */
int feed_shift(struct feed *feed, const struct feed_room *room);

/* A device of the namespace may have another name now. */
void feed_rename(struct feed *feed);

/**
 * feed_read - move what the kernel holds into the log
 * @datagrams_max: the most to read, so that one busy source does not starve the others
 * Returns 1 when there may be more, 0 when the socket is empty, or -errno: the listener is dead.
 */
int feed_read(struct feed *feed, struct feed_room *room, unsigned datagrams_max);

/**
 * feed_leave - end logging and read what the kernel still holds; the listener stays to be closed
 * @deadline_ns: monotonic; what is left then is told as lost, at least one packet
 */
void feed_leave(struct feed *feed, struct feed_room *room, int64_t deadline_ns);

/* Closes the listener of a feed that cannot be read any more; the source's state says why. */
void feed_fail(struct feed *feed, struct feed_room *room, int error);

#endif
