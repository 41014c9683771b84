/* SPDX-License-Identifier: MIT */
/*
 * output.h - how the events of a stream are shown: one file a renderer
 *
 * Packets go to standard output. Losses, sources that changed and heartbeats go to standard error
 * as text, except in JSON, where they are objects between the packets.
 */
#ifndef NFLOGCTL_OUTPUT_H
#define NFLOGCTL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

#include "out.h"

struct output;

/* Shows one event; a write that fails is kept in out->error. */
typedef void (*output_fn)(struct output *output, const struct nfl_client_event *event);

struct output {
	output_fn show;
	struct out out;
	uint32_t render_flags; /* NFL_RENDER_* */
	bool heartbeats;       /* show them too */
	bool begun;            /* the stream has started once */
};

void output_compact(struct output *output, const struct nfl_client_event *event);
void output_json(struct output *output, const struct nfl_client_event *event);
/* Shows nothing: the summary at the end is all. */
void output_quiet(struct output *output, const struct nfl_client_event *event);

/* Words for users; "unknown" for a number that this version does not know. */
const char *state_name(enum nfl_client_source_state state);

#endif
