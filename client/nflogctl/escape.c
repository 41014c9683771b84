/* SPDX-License-Identifier: MIT */
/* Words of servers, people and rules on their way to a terminal. */
#include "escape.h"

#include <string.h>

#include <nfl/render.h>

size_t escape_line(char *buf, size_t cap, const char *text)
{
	size_t len = nfl_escape_text(buf, cap, text, strlen(text));
	char *to = buf;

	if (cap == 0)
		return len;
	for (const char *from = buf; *from; from++) {
		if (from[0] == '\\' && from[1] == '"')
			from++;
		else if (from[0] == '\\' && from[1] == '\\')
			*to++ = *from++; /* a pair: what follows it stands for itself */
		*to++ = *from;
	}
	*to = '\0';
	return len;
}
