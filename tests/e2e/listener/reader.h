/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a process without any right that reads sockets passed to it
 *
 * One request, one report, over a socketpair. It runs as uid 65534 without a capability, and ends
 * when reader_end() or the test program does.
 */
#ifndef READER_H
#define READER_H

#include <net/if.h>
#include <sys/types.h>

#include "lab.h"

enum reader_action {
	READER_ADOPT,  /* the passed descriptor, with the options */
	READER_DRAIN,  /* until the socket is empty; r is what receive said then */
	READER_UNBIND, /* nfl_listener_unbind() */
	READER_TELL, /* nfl_socket_unbind() and nfl_socket_configure(): the first that is not -EPERM */
	READER_CONFIGURED, /* nfl_listener_note_configured(), with the options */
	READER_UNBOUND,    /* nfl_listener_note_unbound() */
	READER_CLOSE,
	READER_ADOPT_LINKS, /* the passed descriptor */
	READER_FIND_LINK,   /* takes in what changed, then the name of link `index` */
};

struct reader_request {
	enum reader_action action;
	uint32_t index;
	struct nfl_listener_options options;
};

/* Of all that it has seen so far. */
struct reader_report {
	int r;
	struct nfl_error err;
	bool has_records;
	bool has_capabilities;
	unsigned requests; /* sent to the kernel */
	struct seen seen;
	struct nfl_listener_stats stats;
	struct nfl_listener_settings settings;
	char link[IFNAMSIZ];
};

struct reader {
	pid_t pid;
	int fd; /* owned */
};

struct reader reader_start(void);
void reader_end(struct reader *reader);

/* @passed: closed here once it is passed; -1: none */
struct reader_report reader_ask(const struct reader *reader, const struct reader_request *request,
				int passed);
struct reader_report reader_do(const struct reader *reader, enum reader_action action);
/* Fails the test where it cannot. */
struct reader_report reader_adopt(const struct reader *reader,
				  const struct nfl_listener_options *options, int passed);

#endif
