/* SPDX-License-Identifier: MIT */
/* source/source_new.h - what the registry does to a source and nobody else; private to the room */
#ifndef SOURCE_SOURCE_NEW_H
#define SOURCE_SOURCE_NEW_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

struct history;

/* @age: grows from one source to the next. One reference, the caller's; state WAITING. 0 or
 * -ENOMEM. */
int source_new(struct history *history, const struct source_spec *spec, uint32_t id, uint64_t age,
	       struct source **ret);

uint64_t source_age(const struct source *source);

/* Returns whether that is another state or detail than before. */
bool source_set_status(struct source *source, enum source_state state, const char *detail);

#endif
