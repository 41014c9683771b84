/* SPDX-License-Identifier: MIT */
/* Structs with a size in front: how programs and libraries of different age understand each other. */
#include "options.h"

#include <errno.h>
#include <string.h>

int options_take(void *ret, size_t known, const void *given, size_t first)
{
	const unsigned char *bytes = given;
	size_t size;

	memcpy(&size, given, sizeof(size));
	if (size < first)
		return -EINVAL;
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return -EINVAL;
	memset(ret, 0, known);
	memcpy(ret, given, size < known ? size : known);
	return 0;
}
