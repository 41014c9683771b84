/* SPDX-License-Identifier: MIT */
/* filter_value.h - single values of packet filters, for tools: read as in a configuration file */
#ifndef CONFIG_FILTER_VALUE_H
#define CONFIG_FILTER_VALUE_H

#include <nfl/filter.h>

#define FILTER_EXPECTED_BYTES 256

/**
 * filter_value_add - one value more of a field
 * @term: its lists are owned by whoever fills it this way; filter_value_done()
 * @key: of an entry of the file's filters ("source_address")
 * @text: one value, as it stands there
 * @ret_expected: what was expected instead, where -EINVAL is returned
 * Returns 0, -EINVAL or -ENOMEM.
 */
int filter_value_add(struct nfl_filter_term *term, const char *key, const char *text,
		     char ret_expected[FILTER_EXPECTED_BYTES]);

/* Frees the lists; not @term itself, and not its bpf. */
void filter_value_done(struct nfl_filter_term *term);

#endif
