/* SPDX-License-Identifier: MIT */
/*
 * session.h - one stream from its first event to its summary
 *
 * With a resume file the place in the stream is stored at most once a second, never before what
 * comes before it was written to standard output. A response of the server is the unit: a session
 * that is ended by a signal or a count finishes the packets of the response that it is in, so that
 * the place it stores repeats nothing.
 */
#ifndef NFLOGCTL_SESSION_H
#define NFLOGCTL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "output.h"
#include "resume_file.h"

struct session_options {
	output_fn show;
	uint32_t render_flags; /* NFL_RENDER_* */
	bool heartbeats;       /* show them */
	uint64_t count;        /* packets; 0: no limit */
	bool exit_on_loss;
	bool strict_resume;
	int64_t until_ns;           /* CLOCK_REALTIME: end of a live stream; 0: none */
	struct resume_file *resume; /* borrowed; NULL: none */
};

/* Shows the stream until it ends. Returns an exit code. */
int session_run(const struct session_options *options, struct nfl_client_stream *stream);

#endif
