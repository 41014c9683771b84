/* SPDX-License-Identifier: MIT */
/* presence/spaces.h - how a scan looks at files, and the list it makes; private to the room */
#ifndef PRESENCE_SPACES_H
#define PRESENCE_SPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "presence.h"

/**
 * spaces_add_file - a file, if it is a namespace
 * @dev: of nsfs
 * @shown: NULL: as its path
 * @follow: symbolic links are followed
 * 0, also when it is no namespace; -ENOMEM or another -errno that says nothing about the file.
 */
int spaces_add_file(struct presence_list *list, uint64_t dev, const char *path, const char *shown,
		    bool follow);

/* All of a directory that are namespaces themselves; @by_name: shown without the directory. A
 * missing directory is empty, so is one that may not be read (*ret_denied). */
int spaces_add_folder(struct presence_list *list, uint64_t dev, const char *path, bool by_name,
		      bool *ret_denied);

/* Sorts, and drops what is in the list twice. */
void spaces_sort(struct presence_list *list);

#endif
