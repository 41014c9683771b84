/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stddef.h>

/**
 * options_take - read a caller's option struct that may be older or newer than this library
 * @ret: of this library's size @known; what the caller's struct does not have becomes 0
 * @given: begins with size_t size, the caller's sizeof
 * @first: size of the struct in the first version
 * Returns 0 or -EINVAL: too small, or a field that this library does not know is not 0.
 */
int options_take(void *ret, size_t known, const void *given, size_t first);

#endif
