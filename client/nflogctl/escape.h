/* SPDX-License-Identifier: MIT */
#ifndef NFLOGCTL_ESCAPE_H
#define NFLOGCTL_ESCAPE_H

#include <stddef.h>

/**
 * escape_line - a text of outside origin, safe for a terminal
 *
 * As nfl_escape_text(), but a double quote stays as it is: here no quotes surround the text.
 * Returns the length that nfl_escape_text() needs, which is enough.
 */
size_t escape_line(char *buf, size_t cap, const char *text);

#endif
