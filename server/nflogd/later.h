/* SPDX-License-Identifier: MIT */
/* nflogd/later.h - what a reload cannot change: it is said, and takes effect at the next start */
#ifndef NFLOGD_LATER_H
#define NFLOGD_LATER_H

#include <stddef.h>

struct config;

#define LATER_KEYS 4

/* Top-level keys of which @next wants something else than what runs. Returns how many; their names are
 * static. */
size_t later_find(const struct config *now, const struct config *next, const char *ret[LATER_KEYS]);

#endif
