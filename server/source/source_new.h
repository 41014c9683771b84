/* SPDX-License-Identifier: MIT */
/* source/source_new.h - how the registry makes a source; private to the room */
#ifndef SOURCE_SOURCE_NEW_H
#define SOURCE_SOURCE_NEW_H

#include <stddef.h>
#include <stdint.h>

struct history;
struct source;

/* One reference, the caller's; state WAITING. 0 or -ENOMEM. */
int source_new(struct history *history, size_t log_bytes, const char *netns, uint16_t group,
	       uint32_t id, struct source **ret);

#endif
