/* SPDX-License-Identifier: MIT */
#ifndef NFL_BASE_ERROR_H
#define NFL_BASE_ERROR_H

#include <nfl/listener.h>

/**
 * error_set - say why, and pass the code on: return error_set(err, -EINVAL, "group %u ...", ...);
 * @err: may be NULL
 */
int error_set(struct nfl_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
