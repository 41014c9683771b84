/* SPDX-License-Identifier: MIT */
/* subscribe NETNS [SERVER]: print what a network namespace logs, as nflogd streams it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nfl/client.h>

static int print_event(const struct nfl_client_event *event, void *data)
{
	char line[NFL_RENDER_MAX];

	(void)data;
	if (event->type == NFL_CLIENT_PACKET) {
		nfl_render_compact(line, sizeof(line), event->packet, &event->render_source, 0);
		puts(line);
	} else if (event->type == NFL_CLIENT_LOSS) {
		fprintf(stderr, "lost %" PRIu64 " packets\n", event->loss->count);
	}
	return fflush(stdout); /* non-zero ends the stream */
}

/* The server's words: made harmless for a terminal. */
static void print_status(const struct nfl_client_status *status)
{
	char text[1024];

	nfl_escape_text(text, sizeof(text), status->message, strlen(status->message));
	fprintf(stderr, "%s: %s\n", nfl_client_code_name(status->code), text);
}

int main(int argc, char **argv)
{
	const char *netns[] = {argc > 1 ? argv[1] : "red"};
	struct nfl_client_options server = {
	    .size = sizeof(server),
	    .server = argc > 2 ? argv[2] : NULL, /* NULL: unix:/run/nflogd/nflogd.sock */
	};
	struct nfl_client_subscribe_options options = {
	    .size = sizeof(options),
	    .netns = netns,
	    .netns_count = 1,
	};
	struct nfl_client_stream *stream = NULL;
	struct nfl_client *client = NULL;
	int r = nfl_client_new(&server, &client);

	if (r == 0)
		r = nfl_client_subscribe(client, &options, &stream);
	if (r == 0)
		r = nfl_client_run(stream, print_event, NULL);
	if (r == -EREMOTEIO)
		print_status(nfl_client_status(stream));
	nfl_client_stream_free(stream);
	nfl_client_free(client);
	return r < 0;
}
