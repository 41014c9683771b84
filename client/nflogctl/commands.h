/* SPDX-License-Identifier: MIT */
/* commands.h - the commands there are; "help" is main's own */
#ifndef NFLOGCTL_COMMANDS_H
#define NFLOGCTL_COMMANDS_H

#include <stddef.h>

struct command;

/* In the order of the help; NULL behind the last one. */
const struct command *commands_at(size_t at);

/* NULL: there is none of this name. */
const struct command *commands_find(const char *name);

#endif
