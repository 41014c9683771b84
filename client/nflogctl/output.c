/* SPDX-License-Identifier: MIT */
/* What all formats have in common. */
#include "output.h"

#include <stdio.h>

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

size_t output_put_server(const struct output *output, char *buf)
{
	int len;

	if (!output->server)
		return 0;
	len = snprintf(buf, OUTPUT_SERVER_MAX, "%s ", output->server);
	return (size_t)len < OUTPUT_SERVER_MAX ? (size_t)len : OUTPUT_SERVER_MAX - 1; /* cut */
}

static void show_nothing(struct output *output, const struct nfl_client_event *event)
{
	(void)output;
	(void)event;
}

const struct output_format format_quiet = {.name = "quiet", .show = show_nothing};

void output_done(struct output *output)
{
	out_done(&output->out);
	capture_done(&output->capture);
	dictionary_done(&output->dictionary);
	nfl_client_json_free(output->json);
}
