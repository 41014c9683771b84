/* SPDX-License-Identifier: MIT */
/* Bytes of a file, no more than its reader has room for. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>

#include "cleanup.h"

static int read_up_to(int fd, char *buf, size_t cap, size_t *ret_len)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int config_file_read(const char *path, char *buf, size_t cap, size_t *ret_len)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_up_to(fd, buf, cap, ret_len);
}
