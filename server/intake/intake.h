/* SPDX-License-Identifier: MIT */
/*
 * intake/intake.h - one thread that reads every listener and fills the sources' logs
 *
 * recv -> decode -> name interfaces -> number -> wire_store straight into the history -> publish,
 * without an allocation for a packet. After each round of epoll the wake function is called once
 * when anything was published.
 *
 * It enters no namespace: sockets are opened by who adds them (keeper), on a thread of its own.
 *
 * Threads: start, stop, free from main; add, remove, configure from one thread at a time, before start
 * and while it runs. The reading thread is intake's own.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include <stdint.h>

#include <nfl/listener.h>

#include "batching.h"

struct intake;
struct links;
struct registry;
struct source;
struct space;

/* Called on the intake thread; must not wait but where it is said. */
struct intake_events {
	void (*wake)(void *data); /* something was published, or a source's state is another */
	/* A listener died; its source's state says why. It may be opened again and added. */
	void (*failed)(struct source *source, void *data);
	/* What needs rights: end logging to a socket; give it the settings that are configured. 0 or
	 * -errno. These two may wait a moment. */
	int (*unbind)(int fd, uint16_t group, void *data);
	int (*configure)(int fd, const char *netns, uint16_t group, enum batching batching,
			 void *data);
	void *data; /* borrowed */
};

/* @registry: borrowed; where states and the order of arrival are set */
int intake_new(struct registry *registry, struct intake **ret);

/**
 * intake_add_space - a network namespace, whose feeds share the names of its interfaces
 * @links: taken over on success; NULL: names are not known
 * @ret: borrowed, valid until intake_remove_space()
 * 0, -ENOMEM or -errno of epoll_ctl(2).
 */
int intake_add_space(struct intake *intake, struct links *links, struct space **ret);

/**
 * intake_add_feed - read a listener into the log of a source, from now on
 * @source: a reference is taken; its state becomes LISTENING
 * @listener: taken over on success; opened with NFL_FLAG_SEQ
 * 0, -ENOMEM or -errno of epoll_ctl(2).
 */
int intake_add_feed(struct intake *intake, struct space *space, struct source *source,
		    struct nfl_listener *listener);

/**
 * intake_remove_space - let go of a namespace that was deleted
 * Returns at once. The intake thread has its groups unbound, reads what the kernel still holds, closes
 * the sockets, so that the kernel can free the namespace, and sets each source's state to GONE.
 * @detail: of the state; static text
 */
void intake_remove_space(struct intake *intake, struct space *space, const char *detail);

/* The same with one source of a space. Without memory the feed stays until its space goes: -ENOMEM. */
int intake_remove_feed(struct intake *intake, struct space *space, struct source *source,
		       const char *detail);

/* Its settings are other ones: the listener is told, then the kernel. 0 or -ENOMEM. */
int intake_configure(struct intake *intake, struct space *space, struct source *source,
		     const struct nfl_listener_options *options);

int intake_start(struct intake *intake, const struct intake_events *events);

/* Has every group unbound, reads what the kernel still holds, wakes a last time and ends the thread.
 * Does nothing when it was not started. */
void intake_stop(struct intake *intake);
void intake_free(struct intake *intake); /* NULL is allowed; stops first */

#endif
