/* SPDX-License-Identifier: MIT */
/* The command table. One file a command beside it. */
#include "commands.h"

#include <string.h>

#include "bytes.h"
#include "cli.h"

static const struct command *const commands[] = {
    &command_subscribe, &command_forward, &command_top,    &command_list,       &command_stats,
    &command_status,    &command_whoami,  &command_config, &command_completion, &command_complete,
};

const struct command *commands_at(size_t at)
{
	return at < ARRAY_SIZE(commands) ? commands[at] : NULL;
}

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
