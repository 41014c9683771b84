/* SPDX-License-Identifier: MIT */
/* caught.c: log.c's write(2). libFuzzer's own lines go through stdio. */
#include "caught.h"

#include <string.h>
#include <unistd.h>

#include "fuzz.h"

ssize_t __wrap_write(int fd, const void *bytes, size_t len);

static char line[8192];
static size_t line_len;

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	FUZZ_CHECK(fd == STDERR_FILENO && len > 0 && len <= sizeof(line));
	memcpy(line, bytes, len);
	FUZZ_CHECK(line[len - 1] == '\n');
	line_len = len - 1;
	return (ssize_t)len;
}

const char *caught_line(void)
{
	return line;
}

size_t caught_len(void)
{
	return line_len;
}
