/* SPDX-License-Identifier: MIT */
/* privileges/calls.h - the system calls of the daemon once it runs; private to the room */
#ifndef PRIVILEGES_CALLS_H
#define PRIVILEGES_CALLS_H

#include <stddef.h>

/* Allowed with any arguments. */
extern const int calls_allowed[];
extern const size_t calls_allowed_count;

/* Nothing of ours makes them: whoever does has taken the process over. */
extern const int calls_deadly[];
extern const size_t calls_deadly_count;

#endif
