/* SPDX-License-Identifier: MIT */
/* What all renderers have in common. */
#include "output.h"

const char *state_name(enum nfl_client_source_state state)
{
	switch (state) {
	case NFL_CLIENT_SOURCE_LISTENING:
		return "listening";
	case NFL_CLIENT_SOURCE_WAITING:
		return "waiting";
	case NFL_CLIENT_SOURCE_FAILED:
		return "failed";
	case NFL_CLIENT_SOURCE_GONE:
		return "gone";
	}
	return "unknown";
}

void output_quiet(struct output *output, const struct nfl_client_event *event)
{
	(void)output;
	(void)event;
}
