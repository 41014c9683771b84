/* SPDX-License-Identifier: MIT */
/*
 * presence/presence.h - which network namespaces exist now
 *
 * What the kernel tells (inotify of directories, mounts) is only a hint that something may have
 * changed, and a lost one does no harm; presence_scan() is the truth. It opens no namespace and
 * watches none: a descriptor or a watch of the file itself would keep a deleted one alive.
 *
 * Threads: one at a time.
 */
#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRESENCE_NAMES "/run/netns" /* where ip-netns(8) keeps them */
#define PRESENCE_HOST  "host"       /* how the daemon's own namespace is shown */
#define PRESENCE_PID   "pid:"       /* how those of processes are shown: "pid:42" */

enum presence_kind {
	PRESENCE_OWN,       /* @text: PRESENCE_HOST */
	PRESENCE_NAME,      /* a name in the directory of names */
	PRESENCE_NAME_GLOB, /* ... or any that matches */
	PRESENCE_PATH,      /* a file, by its absolute path */
	PRESENCE_PATH_GLOB, /* the same with a glob in the last component */
	PRESENCE_PROCESS,   /* @text: PRESENCE_PID and a number */
};

/* What to look for. */
struct presence_selector {
	enum presence_kind kind;
	const char *text;
};

/* A namespace that exists, under one of its names. */
struct presence_space {
	char *path; /* owned; to open it */
	const char
	    *shown;     /* borrowed: a name, a path, "host", "pid:42"; for one scan's list unique */
	uint64_t dev;   /* with inode: which namespace. Not reused while anything in it is open */
	uint64_t inode; /* 0: something is there that may not be looked at */
};

struct presence_list {
	struct presence_space *items; /* in the order of shown (strcmp) */
	size_t count;
	size_t cap;
};

/* A name that is shown like something else is passed over: it could not be told from it. */
bool presence_is_reserved(const char *name);

struct presence;

/**
 * presence_new - begin to look
 * @selectors: borrowed for the call. A glob is not matched here: a scan has all namespaces of its
 *	directory, so that many globs cost no more than one
 * @names: PRESENCE_NAMES, or another directory of names
 * 0, -ENOMEM, or -errno of /proc.
 */
int presence_new(const struct presence_selector *selectors, size_t count, const char *names,
		 struct presence **ret);
void presence_free(struct presence *presence);

/* Where namespaces are now. 0, or -errno where a place could not be read: nothing is known then.
 * presence_list_done() ends it. */
int presence_scan(struct presence *presence, int64_t now_ns, struct presence_list *ret);
void presence_list_done(struct presence_list *list);

/* --- when to scan ------------------------------------------------------------------------ */

#define PRESENCE_FDS 2

/* What to poll until presence_due(), at most PRESENCE_FDS; none while a scan is due already. Poll
 * them directly: a nested epoll would swallow the event of mounts. Returns how many. */
size_t presence_fds(const struct presence *presence, struct pollfd *ret);

/* Takes in what poll(2) found, and looks at what the kernel tells nothing of (processes, symbolic
 * links). Call after each poll. */
void presence_take(struct presence *presence, const struct pollfd *fds, size_t count,
		   int64_t now_ns);

/* When to call presence_take(), and whether a scan is worth while by then: at most one in 10 ms,
 * and one in 5 s without any hint. Monotonic. */
int64_t presence_due(const struct presence *presence);
bool presence_is_due(const struct presence *presence, int64_t now_ns);

#endif
