/* SPDX-License-Identifier: MIT */
/*
 * Messages of a durable log, as nfl_client_log_take() gets them from a broker that anybody may write to:
 * several, behind their lengths, so that one meets what another has left.
 */
#include <nfl/client.h>

#include "fuzz.h"

#define EVENTS_MAX 4096 /* of one message */

static void read_events(struct nfl_client_log *log)
{
	struct nfl_client_event event;
	unsigned count = 0;

	while (nfl_client_log_next(log, &event) > 0 && count++ < EVENTS_MAX) {
		if (event.type == NFL_CLIENT_PACKET)
			FUZZ_CHECK(event.packet->source_id != 0 && event.render_source.netns);
		if (event.type == NFL_CLIENT_LOSS && event.source)
			FUZZ_CHECK(event.source->id == event.loss->source_id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct nfl_client_log *log;

	FUZZ_CHECK(nfl_client_log_new(&log) == 0);
	while (len >= 2) {
		size_t size = bytes[0] | (size_t)bytes[1] << 8;

		bytes += 2;
		len -= 2;
		size = size < len ? size : len;
		if (nfl_client_log_take(log, bytes, size) == 0)
			read_events(log);
		FUZZ_CHECK(nfl_client_log_host(log) != NULL);
		bytes += size;
		len -= size;
	}
	nfl_client_log_free(log);
	return 0;
}
