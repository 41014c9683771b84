/* SPDX-License-Identifier: MIT */
/*
 * bench_latency SERVER COUNT: how long packets of `nflog_gen --stamp` take to a client's callback
 *
 * Subscribes to everything, skips a tenth, prints p50, p99 and the maximum of COUNT packets in us, and
 * how many of them were lost.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/client.h>

#include "clock.h"

#define HEADERS 28 /* IPv4 and UDP, before the stamp: the packet's number and its time */

struct sample {
	int64_t *us;
	size_t count; /* so far */
	size_t wanted;
	size_t skip;
	uint64_t lost;
};

/* What was lost does not come any more. */
static bool is_complete(const struct sample *sample)
{
	return sample->count + sample->lost >= sample->wanted;
}

static int take(const struct nfl_client_event *event, void *data)
{
	struct sample *sample = data;
	struct nfl_bytes payload;
	int64_t sent_ns;

	if (event->type == NFL_CLIENT_STARTED) {
		puts("started");
		return fflush(stdout);
	}
	if (event->type == NFL_CLIENT_LOSS)
		sample->lost += event->loss->count;
	if (event->type != NFL_CLIENT_PACKET)
		return is_complete(sample);
	payload = event->packet->record.payload;
	if (payload.len < HEADERS + 2 * sizeof(uint64_t))
		return 0;
	if (sample->skip > 0) {
		sample->skip--;
		return 0;
	}
	memcpy(&sent_ns, payload.data + HEADERS + sizeof(uint64_t), sizeof(sent_ns));
	sample->us[sample->count++] = (monotonic_ns() - sent_ns) / NS_PER_US;
	return is_complete(sample);
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void print(const struct sample *sample)
{
	size_t last = sample->count ? sample->count - 1 : 0; /* without one there is a 0 */

	qsort(sample->us, sample->count, sizeof(sample->us[0]), compare);
	printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n", sample->us[sample->count / 2],
	       sample->us[sample->count * 99 / 100], sample->us[last], sample->lost);
}

int main(int argc, char **argv)
{
	struct nfl_client_options server = {.size = sizeof(server)};
	struct nfl_client_subscribe_options options = {
	    .size = sizeof(options), .view = NFL_CLIENT_VIEW_FULL, .payload_limit = 64};
	struct nfl_client_stream *stream = NULL;
	struct nfl_client *client = NULL;
	struct sample sample = {0};
	int r;

	if (argc != 3) {
		fprintf(stderr, "Usage: bench_latency SERVER COUNT\n");
		return 2;
	}
	server.server = argv[1];
	sample.wanted = strtoul(argv[2], NULL, 10);
	sample.skip = sample.wanted / 10;
	sample.us = calloc(sample.wanted + 1, sizeof(sample.us[0]));
	r = sample.us ? nfl_client_new(&server, &client) : -1;
	if (r == 0)
		r = nfl_client_subscribe(client, &options, &stream);
	if (r == 0)
		r = nfl_client_run(stream, take, &sample);
	if (r >= 0)
		print(&sample);
	nfl_client_stream_free(stream);
	nfl_client_free(client);
	free(sample.us);
	return r < 0;
}
