/* SPDX-License-Identifier: MIT */
/*
 * A SubscribeResponse from a hostile server, as libnfl-client reads it: batch or event, and in both
 * cases as canonical JSON.
 */
#include <stdlib.h>

#include <nfl/client.h>

#include "events.h"
#include "fuzz.h"
#include "wire.h"

static void look_at(struct nfl_bytes bytes)
{
	struct nfl_packet packet;

	if (wire_read_packet(bytes, &packet) == 0)
		free(fuzz_json(&packet, NULL, NFL_RENDER_UTC));
}

static void read_event(struct nfl_bytes bytes)
{
	struct nfl_client_event event = {0};
	struct sources sources = {0};
	struct events events = {0};

	(void)events_read(&events, bytes, &sources, &event);
	arena_reset(&events.arena);
	sources_done(&sources);
}

static void render(struct nfl_bytes bytes)
{
	struct nfl_client_json *json;
	const char *text;
	size_t n;

	FUZZ_CHECK(nfl_client_json_new(&json) == 0);
	if (nfl_client_json_render(json, bytes, 0, &text, &n) == 0)
		FUZZ_CHECK(fuzz_is_json(text, n - 1)); /* but for the newline */
	nfl_client_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct nfl_bytes all = {bytes, (uint32_t)len}, batch, token, packet;

	switch (wire_response_batch(bytes, len, &batch, &token)) {
	case 1:
		while (wire_batch_next(&batch, &packet) > 0)
			look_at(packet);
		break;
	case 0:
		read_event(all);
		break;
	default:
		break;
	}
	render(all);
	return 0;
}
