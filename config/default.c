/* SPDX-License-Identifier: MIT */
/* What runs without a file: a text like any other, so that it has one meaning and one reader. */
#include <stdio.h>

#include "config.h"

/* Who starts nflogd is root, or has its capabilities and is the second identity. */
#define DEFAULT_YAML                                                                               \
	"tenants:\n"                                                                               \
	"  - name: local\n"                                                                        \
	"    identities: [{ unix_uid: 0 }%s]\n"                                                    \
	"    sources:\n"                                                                           \
	"      - netns: host\n"                                                                    \
	"        groups: [100]\n"                                                                  \
	"      - netns: \"*\"\n"                                                                   \
	"        groups: [100]\n"

struct config *config_new_default(uid_t user)
{
	char second[48] = "", text[sizeof(DEFAULT_YAML) + sizeof(second)];
	struct config_errors errors;
	struct config *config = NULL;
	int len;

	if (user != 0)
		(void)snprintf(second, sizeof(second), ", { unix_uid: %u }", user);
	len = snprintf(text, sizeof(text), DEFAULT_YAML, second);
	(void)config_load_text("built-in", text, (size_t)len, &config, &errors); /* or no memory */
	config_errors_done(&errors);
	return config;
}
