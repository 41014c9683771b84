/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - the streams of several servers, shown as one
 *
 * Packets come in the order of merge.h; each line and each object says of which server it is. What
 * happens to one server does not stop the others: its stream is begun again as a single one would be,
 * and also where it could not be reached in the first place. Each server has its own counts and, with
 * a resume file, its own place.
 */
#ifndef NFLOGCTL_SESSIONS_H
#define NFLOGCTL_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

#include "output.h"
#include "resume_file.h"
#include "totals.h"

/* One server. The caller fills in what is borrowed, and the resume file as it was read. */
struct session_member {
	const char *server;                          /* borrowed; its address */
	struct nfl_client *client;                   /* owned */
	struct nfl_client_subscribe_options request; /* what it points to: borrowed */
	struct resume_file resume;                   /* path owned by the caller; NULL: none */

	/* Of sessions.c. */
	struct nfl_client_stream *stream; /* owned */
	struct totals totals;
	char *name;       /* owned; the address, safe for a terminal */
	bool begun;       /* the stream has started once */
	bool in_response; /* more packets of the response follow */
	bool over;        /* nothing more will come */
	int exit_code;    /* when it is over */
	unsigned tries;   /* to reach it in the first place */
	int64_t retry_ns; /* monotonic; 0: not now */
	void *place; /* owned; resume token behind the last response that was shown as a whole */
	size_t place_len;
};

struct sessions_options {
	struct output output; /* how packets are shown; without its buffer */
	int64_t window_ns;    /* see merge.h */
	uint64_t count;       /* packets of all; 0: no limit */
	bool exit_on_loss;
	bool reconnects;
	int64_t until_ns; /* CLOCK_REALTIME: end of live streams; 0: none */
};

/* Shows the streams until all have ended. Returns an exit code. */
int sessions_run(const struct sessions_options *options, struct session_member *members,
		 size_t count);

/* Frees what a member owns. */
void session_member_done(struct session_member *member);

#endif
