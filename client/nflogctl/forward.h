/* SPDX-License-Identifier: MIT */
/*
 * forward.h - a stream into a broker
 *
 *	nfl_client_next() ─▶ lanes, one a subject ─▶ publish, when full or old ─▶ broker
 *	      └ resume token ─▶ marks: behind which message ─▶ stored? ─▶ the place, in a file or a store
 *
 * All lanes are published together at least once in linger_ns, at the end of a response: then the stream's
 * place belongs to a number of messages, and when those are stored, it is. So a run that is killed stores
 * some packets twice and misses none. While the broker takes nothing, the stream is not read: nflogd's
 * history holds what comes, and what that cannot hold is counted and stored as a loss.
 */
#ifndef NFLOGCTL_FORWARD_H
#define NFLOGCTL_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

#include "broker.h"
#include "checkpoint.h"
#include "resume_file.h"

struct forward_options {
	const struct broker_module *module;
	struct broker *broker; /* borrowed */
	const char *target;    /* borrowed, for messages; as the user gave it */
	const char *subject;   /* borrowed: pattern */
	const char *host;      /* borrowed */
	bool is_json;
	int64_t linger_ns;
	uint64_t count;           /* packets; 0: no limit */
	struct resume_file *file; /* borrowed; NULL: none */
	const char *bucket;       /* borrowed; NULL: no key-value store */
	const char *key;          /* borrowed */
	struct checkpoint *place; /* of an earlier run; token_len 0: none */
};

/* Forwards until the stream ends. Returns an exit code. */
int forward_run(const struct forward_options *options, struct nfl_client_stream *stream);

#endif
