/* SPDX-License-Identifier: MIT */
/*
 * subject.h - where a message goes: a pattern as "nflog.{host}.{netns}.{group}"
 *
 * A value becomes one token of the subject: what would end or widen it (dots, blanks, wildcards, control
 * characters, anything beyond ASCII) is written as %XX, so that different names stay different.
 */
#ifndef FORWARD_SUBJECT_H
#define FORWARD_SUBJECT_H

#include <stdint.h>

#define SUBJECT_DEFAULT "nflog.{host}.{netns}.{group}"

/* NULL, or what is wrong with the pattern: static text. */
const char *subject_check(const char *pattern);

/* @netns: NULL for what is of no source: "_" stands for it and its group. The caller's; NULL: no memory. */
char *subject_render(const char *pattern, const char *host, const char *netns, uint16_t group);

/* What all subjects of the pattern match, for a stream: its beginning without values and a >, or a * for
 * each part with a value where it begins with one. The caller's; NULL: no memory. */
char *subject_wildcard(const char *pattern);

#endif
