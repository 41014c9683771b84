/* SPDX-License-Identifier: MIT */
/* The servers are for the broker's library to understand; only the parts are told apart here. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static const char expected[] = "nats://HOST[:PORT]/STREAM, kafka://HOST[:PORT]/TOPIC or -";

void target_done(struct target *target)
{
	free(target->url);
	free(target->stream);
	free(target->subject);
	*target = (struct target){0};
}

const char *target_parse(const char *text, struct target *ret)
{
	CLEANUP(target_done) struct target target = {0};
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	const char *servers = text + scheme + strlen("://"), *stream, *subject;

	if (strcmp(text, "-") == 0) {
		*ret = (struct target){.is_stdout = true};
		return NULL;
	}
	if (scheme == 0 || scheme > TARGET_SCHEME_MAX || strncmp(text + scheme, "://", 3) != 0)
		return expected;
	stream = strchr(servers, '/');
	if (!stream || stream == servers || !stream[1] || stream[1] == '/')
		return expected;
	subject = strchr(stream + 1, '/');
	memcpy(target.scheme, text, scheme);
	target.url = strndup(text, (size_t)(stream - text));
	target.stream =
	    strndup(stream + 1, subject ? (size_t)(subject - stream - 1) : strlen(stream + 1));
	target.subject = subject && subject[1] ? strdup(subject + 1) : NULL;
	if (!target.url || !target.stream || (subject && subject[1] && !target.subject))
		return "more memory";
	*ret = target;
	target = (struct target){0};
	return NULL;
}
