/* SPDX-License-Identifier: MIT */
/*
 * opener/opener.h - the process that keeps the privileges, as the daemon sees it
 *
 * Forked before there is a thread. It alone may enter namespaces and configure NFLOG: it looks which
 * namespaces there are (presence), opens, binds and configures the sockets of what is configured and
 * passes them over (SCM_RIGHTS), unbinds and reconfigures sockets that are passed back. It parses no
 * packet. What it is asked is of one fixed size and names only what its own rules have; anything else is
 * refused, and no request can end it. A warden process starts it again should it die all the same; when
 * the warden is gone, too, opener_fd() is at its end.
 *
 * Threads: opener_start() from main, before there is any other. Then opener_unbind() and
 * opener_configure() from one thread, which reads packets, and all else from another one: each has a
 * socket of its own to the worker.
 */
#ifndef OPENER_OPENER_H
#define OPENER_OPENER_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/listener.h>

#include "batching.h"

#include "wanted.h"

struct opener;

struct opener_options {
	struct rules *rules; /* the child's own by the fork; the caller's stay the caller's */
	const char *names;   /* PRESENCE_NAMES, or another directory; borrowed */
	/* In the child, when asked to reload: the rules of the configuration as it is now. 0 or -errno;
	 * NULL: there is nothing to reload. */
	int (*reload)(void *data, struct rules *ret);
	/* In the child, when the daemon has ended, in whatever way: removes what it left behind. NULL:
	 * nothing. */
	void (*ended)(void *data);
	void *data; /* borrowed, of both */
};

/* 0 or -errno. */
int opener_start(const struct opener_options *options, struct opener **ret);
/* Lets it end, and waits for that, 2 s at most. NULL is allowed. */
void opener_stop(struct opener *opener);

/* --- which namespaces there are -------------------------------------------------------------- */

enum opener_event_kind {
	OPENER_ALL =
	    1, /* all that there is follows: whatever is not named until OPENER_END is gone */
	OPENER_SPACE, /* a name has this namespace now, or none */
	OPENER_END,   /* of a report: now it is complete */
};

struct opener_event {
	enum opener_event_kind kind;
	const char *shown; /* as presence shows it; valid during the call */
	bool is_there;     /* false: the name has no namespace any more */
	uint64_t dev;      /* with inode: which namespace; as struct presence_space */
	uint64_t inode;
};

/* For poll(2): readable when there is something to take. */
int opener_fd(const struct opener *opener);
/* Is there something to take that poll(2) does not see? */
bool opener_has_events(const struct opener *opener);

/**
 * opener_take - what has changed since the last call; at first, and after the worker was started
 * again, all that there is
 * Never waits. A report may come in several calls. Returns 0, or -EPIPE: the opener is gone for good.
 */
int opener_take(struct opener *opener, void (*fn)(const struct opener_event *event, void *data),
		void *data);

/* The next opener_take() asks for a report of all that there is. */
void opener_report_again(struct opener *opener);

/* --- what it does for us ----------------------------------------------------------------------
 *
 * Each waits for the answer, 5 s at most: -ETIMEDOUT. -EPIPE: the opener is gone for good, -EIO: its
 * worker died of it. -EACCES: the name or the group is not configured. -ENOENT, -ESTALE: under the name
 * there is nothing, or another namespace than reported. @err has a text in any case.
 */

/* A bound and configured NFLOG socket, as nfl_socket_open() gives it; for nfl_listener_adopt(). */
int opener_open(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		uint16_t group, int *ret_fd, struct nfl_error *err);

/* A socket for links_adopt(). */
int opener_links(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		 int *ret_fd, struct nfl_error *err);

/* nfl_socket_unbind(). @fd stays the caller's. */
int opener_unbind(struct opener *opener, int fd, uint16_t group);

/* nfl_socket_configure() with the settings of the opener's rules. @batching: of a group whose profile
 * is adaptive; of others it must be BATCHING_SINGLE, and means nothing. @fd stays the caller's. */
int opener_configure(struct opener *opener, int fd, const char *shown, uint16_t group,
		     enum batching batching, struct nfl_error *err);

/* Reads the configuration again; then reports all that there is. -errno: the rules stay as they are. */
int opener_reload(struct opener *opener, struct nfl_error *err);

#endif
