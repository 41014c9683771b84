/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stddef.h>

/* Reads up to cap bytes of a file: 0 and how many there were, or -errno. */
int config_file_read(const char *path, char *buf, size_t cap, size_t *ret_len);

#endif
