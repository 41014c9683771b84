/* SPDX-License-Identifier: MIT */
/* The place of a forwarder out of a file or a key-value store: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct checkpoint place = {0};
	void *again;
	size_t size;

	if (checkpoint_decode(bytes, len, &place) < 0)
		return 0;
	FUZZ_CHECK(checkpoint_encode(&place, &again, &size) == 0 || len > CHECKPOINT_MAX);
	if (len <= CHECKPOINT_MAX) {
		FUZZ_CHECK(size == len && memcmp(again, bytes, len) == 0);
		free(again);
	}
	free((void *)(uintptr_t)place.counts);
	return 0;
}
