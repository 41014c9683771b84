/* SPDX-License-Identifier: MIT */
/*
 * A log line with hostile values: one printable line; in JSON one object whose keys are those that we
 * wrote, whatever the quoted values hold.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "caught.h"
#include "fuzz.h"
#include "log.h"

#define KEYS 5 /* time, level, event, a, b */

static bool is_object(void)
{
	json_t *object = json_loadb(caught_line(), caught_len(), 0, NULL);
	bool is = json_is_object(object) && fuzz_is_printable(caught_line(), caught_len());

	json_decref(object);
	return is;
}

static void check_keys(void)
{
	json_t *object = json_loadb(caught_line(), caught_len(), JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(json_object_size(object) == KEYS);
	FUZZ_CHECK(json_is_string(json_object_get(object, "a")));
	FUZZ_CHECK(json_is_string(json_object_get(object, "b")));
	json_decref(object);
}

static void log_values(const char *first, const char *second)
{
	char a[64], b[256];

	log_info("fuzz", "a=%s b=%s", log_quote(a, sizeof(a), first),
		 log_quote(b, sizeof(b), second));
	FUZZ_CHECK(fuzz_is_printable(caught_line(), caught_len()));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t half = len / 2;
	char *first = strndup((const char *)bytes, half);
	char *second = strndup((const char *)bytes + half, len - half);

	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_values(first, second);
	log_info("fuzz", "%s a=%s", first, second); /* what nobody has quoted */
	FUZZ_CHECK(fuzz_is_printable(caught_line(), caught_len()));
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_values(first, second);
	check_keys();
	log_info("fuzz", "%s a=%s", first, second);
	FUZZ_CHECK(is_object());
	free(first);
	free(second);
	return 0;
}
