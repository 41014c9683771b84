/* SPDX-License-Identifier: MIT */
/*
 * session.h - one stream from its first event to its summary
 *
 * With a resume file the place in the stream is stored at most once a second, never before what
 * comes before it was written to the output; with an output file, together with the place in that.
 * The output file is begun anew between two packets; with a resume file, between two responses, where
 * both places are known. A response of the server is the unit: a session
 * that is ended by a signal or a count finishes the packets of the response that it is in, so that
 * the place it stores repeats nothing.
 */
#ifndef NFLOGCTL_SESSION_H
#define NFLOGCTL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "out_file.h"
#include "output.h"
#include "resume_file.h"

struct session_options {
	struct output output; /* how packets are shown; without its buffer */
	struct out_file file; /* where: path, rotate_bytes and keep */
	uint64_t count;       /* packets; 0: no limit */
	bool exit_on_loss;
	bool strict_resume;
	int64_t until_ns;           /* CLOCK_REALTIME: end of a live stream; 0: none */
	struct resume_file *resume; /* borrowed; NULL: none */
};

/* Shows the stream until it ends. Returns an exit code. */
int session_run(const struct session_options *options, struct nfl_client_stream *stream);

#endif
