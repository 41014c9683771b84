/* SPDX-License-Identifier: MIT */
/* Text for people that travels with an error code, in a buffer of the caller's. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct nfl_error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format,
			args); /* a cut text is still a text */
	va_end(args);
	return code;
}
