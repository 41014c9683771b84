/* SPDX-License-Identifier: MIT */
#ifndef FAKE_SERVER_MUST_H
#define FAKE_SERVER_MUST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A fake server that cannot do its part proves nothing: ends the test. */
static inline void must(bool condition, const char *what)
{
	if (condition)
		return;
	(void)fprintf(stderr, "fake_server: %s\n", what);
	abort();
}

#endif
