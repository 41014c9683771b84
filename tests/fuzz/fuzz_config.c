/* SPDX-License-Identifier: MIT */
/* A configuration: it is loaded, or each thing that is wrong with it is told on a printable line. */
#include <errno.h>

#include "config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct config *config = NULL;
	struct config_errors errors;
	int r = config_load_text("fuzz.yaml", (const char *)bytes, len, &config, &errors);

	FUZZ_CHECK(r == 0 ? config && errors.count == 0 : !config && errors.count > 0);
	for (size_t i = 0; i < errors.count; i++) {
		char line[4096];
		size_t n = config_error_render(&errors.items[i], line, sizeof(line));

		FUZZ_CHECK(n > 0 &&
			   fuzz_is_printable(line, n < sizeof(line) ? n : sizeof(line) - 1));
	}
	config_errors_done(&errors);
	config_free(config);
	return 0;
}
