/* SPDX-License-Identifier: MIT */
/*
 * What the daemon may send to the opener, which keeps the privileges: the worker goes on and answers,
 * and each answer is a whole message. Without rules, it is asked for nothing that it may do.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "line.h"

#define REQUESTS_MAX 8
#define RAW          1 /* flags of a request: of any length */
#define WITH_FD      2

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input = {bytes, len};
	struct line *line = line_open();

	for (unsigned i = 0; i < REQUESTS_MAX && input.left > 0; i++) {
		uint32_t flags = fuzz_number(&input, 1);
		struct nfl_bytes request = fuzz_take(&input, fuzz_number(&input, 2));

		line_send(line, request, !(flags & RAW), flags & WITH_FD);
		fuzz_free(request);
	}
	line_close(line);
	return 0;
}
