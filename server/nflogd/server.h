/* SPDX-License-Identifier: MIT */
/* nflogd/server.h - the running daemon, for the files of this folder. Threads: main. */
#ifndef NFLOGD_SERVER_H
#define NFLOGD_SERVER_H

#include <stdbool.h>

#include "budgets.h"

struct config;
struct history;
struct intake;
struct keeper;
struct metrics;
struct opener;
struct options;
struct policy;
struct registry;
struct rpc;
struct rpc_sockets;
struct rules;

struct server {
	const struct options *options; /* borrowed */
	const struct config *config;   /* borrowed; that the daemon was started with */
	bool is_file;                  /* it can be read again */
	struct history *history;
	struct budgets budgets;
	struct registry *registry;
	struct opener *opener;
	struct intake *intake;
	struct keeper *keeper;
	struct rpc_sockets *sockets; /* until rpc has them */
	struct rpc *rpc;
	struct metrics *metrics; /* NULL: off */
	int signal_fd;
	int changed_fd; /* eventfd: the keeper has changed sources */
};

/* What is to be read, and which account each source is charged to. 0 or -ENOMEM. */
int server_plan(struct server *server, const struct config *config, struct rules *ret);

/**
 * server_reload - read the configuration again, and apply what is another
 * One that is wrong changes nothing, and it is logged what is. Streams and listeners for which nothing has
 * changed do not notice.
 */
void server_reload(struct server *server);

#endif
