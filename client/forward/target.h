/* SPDX-License-Identifier: MIT */
/* target.h - a broker's address: SCHEME://SERVER[,SERVER]/STREAM[/SUBJECT], or - for standard output */
#ifndef FORWARD_TARGET_H
#define FORWARD_TARGET_H

#include <stdbool.h>

#define TARGET_SCHEME_MAX 15

struct target {
	bool is_stdout;
	char scheme[TARGET_SCHEME_MAX + 1];
	char *url;     /* owned: up to the stream */
	char *stream;  /* owned */
	char *subject; /* owned; NULL: not given */
};

/* NULL, or what was expected instead: static text, and *ret as it was. */
const char *target_parse(const char *text, struct target *ret);
void target_done(struct target *target);

#endif
