/* SPDX-License-Identifier: MIT */
/* Any bytes, escaped for a terminal, a log or JSON: one printable line, whole or cut. */
#include <stdlib.h>
#include <string.h>

#include <nfl/render.h>

#include "fuzz.h"

typedef size_t (*escape_fn)(char *buf, size_t cap, const void *bytes, size_t len);

static void escape(escape_fn fn, struct nfl_bytes bytes, size_t cap)
{
	char *out = malloc(cap ? cap : 1);
	size_t n = fn(out, cap, bytes.data, bytes.len);

	FUZZ_CHECK(n <= 10 * (size_t)bytes.len);
	if (cap)
		FUZZ_CHECK(fuzz_is_printable(out, n < cap ? n : strlen(out)));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const escape_fn fns[] = {nfl_escape_text, nfl_escape_line, nfl_escape_json};
	struct fuzz_input input = {bytes, len};
	size_t cap = fuzz_number(&input, 1);
	struct nfl_bytes text = fuzz_take(&input, SIZE_MAX);

	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		escape(fns[i], text, 10 * (size_t)text.len + 1);
		escape(fns[i], text, cap);
	}
	fuzz_free(text);
	return 0;
}
