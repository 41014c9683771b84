/* SPDX-License-Identifier: MIT */
/* A SubscribeRequest as the server takes it, and its filter on a packet. */
#include <stdlib.h>

#include <nfl/filter.h>

#include "arena.h"
#include "call.h"
#include "filters.h"
#include "fuzz.h"
#include "policy.h"
#include "request.h"

#define ARENA_BYTES ((size_t)1 << 20)

static void take(const Nflog__V1__SubscribeRequest *request, struct arena *arena,
		 struct nfl_bytes message)
{
	const struct tenant tenant = {.limits.payload_bytes = 1000};
	struct nfl_filter *filter = NULL;
	struct nfl_packet packet;
	struct status status = {0};
	struct terms terms;
	bool is_good = request_terms(request, &tenant, &terms, &status) &&
		       request_check_count(request->n_netns, &status) &&
		       request_check_netns(request->netns, request->n_netns, &status) &&
		       filters_make(request, 64, arena, &filter, &status);

	FUZZ_CHECK(is_good == (status.code == GRPC_STATUS_OK));
	FUZZ_CHECK(is_good || *status.text);
	if (filter && fuzz_packet(message, &packet))
		(void)nfl_filter_match(filter, &packet, "red", 100);
	nfl_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input = {bytes, len};
	struct nfl_bytes request = fuzz_take(&input, fuzz_number(&input, 2));
	struct nfl_bytes message = fuzz_take(&input, SIZE_MAX);
	struct arena arena;
	ProtobufCAllocator allocator = arena_allocator(&arena);
	Nflog__V1__SubscribeRequest *unpacked;

	arena_init(&arena, ARENA_BYTES);
	unpacked = nflog__v1__subscribe_request__unpack(&allocator, request.len, request.data);
	if (unpacked)
		take(unpacked, &arena, message);
	arena_done(&arena);
	fuzz_free(request);
	fuzz_free(message);
	return 0;
}
