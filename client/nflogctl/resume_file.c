/* SPDX-License-Identifier: MIT */
/*
 * One line that says how long the token is, its place in the output and a checksum of all that, one
 * line with the token in hex. Version 1 has no place. There is one way to write a token, so a file is
 * sound when its token, written again, makes that file.
 */
#include "resume_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define HEAD_PLAIN "nflogctl-resume 1 %zu %016" PRIx64 "\n"
#define HEAD_PLACE "nflogctl-resume 2 %zu %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n"
#define SCAN_PLACE "nflogctl-resume 2 %*u %" SCNu64 " %" SCNu64 " %" SCNu64
#define HEAD_MAX   160
#define TEXT_MAX   (HEAD_MAX + 2 * RESUME_TOKEN_MAX + 1)

/* FNV-1a: against accidents, not against people. */
static uint64_t checksum(uint64_t sum, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static int encode_head(char head[HEAD_MAX], const unsigned char *token, size_t len,
		       const struct out_place *place)
{
	uint64_t sum = checksum(UINT64_C(0xcbf29ce484222325), token, len);

	if (place->inode == 0)
		return snprintf(head, HEAD_MAX, HEAD_PLAIN, len, sum);
	sum = checksum(sum, (const unsigned char *)place, sizeof(*place));
	return snprintf(head, HEAD_MAX, HEAD_PLACE, len, place->device, place->inode, place->bytes,
			sum);
}

/* Returns the file's length, or -ENOMEM. */
static ssize_t encode(const unsigned char *token, size_t len, const struct out_place *place,
		      char **ret)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(HEAD_MAX + 2 * len + 1), *at;

	if (!text)
		return -ENOMEM;
	at = text + encode_head(text, token, len, place);
	for (size_t i = 0; i < len; i++) {
		*at++ = digits[token[i] >> 4];
		*at++ = digits[token[i] & 0xf];
	}
	*at++ = '\n';
	*ret = text;
	return at - text;
}

static unsigned nibble(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10) & 0xf;
}

/* Takes whatever lies behind the first line for hex: encode() will show whether it was. */
static int decode(const char *text, size_t size, struct resume_file *file)
{
	CLEANUP(freep) unsigned char *token = NULL;
	CLEANUP(freep) char *again = NULL;
	const char *hex = memchr(text, '\n', size);
	struct out_place place = {0};
	size_t len;
	ssize_t encoded;

	if (!hex)
		return -EBADMSG;
	hex++;
	if (sscanf(text, SCAN_PLACE, &place.device, &place.inode, &place.bytes) != 3)
		place = (struct out_place){0};
	len = (size_t)(text + size - hex) / 2;
	token = malloc(len + 1);
	if (!token)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		token[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	encoded = encode(token, len, &place, &again);
	if (encoded < 0)
		return (int)encoded;
	if (len == 0 || (size_t)encoded != size || memcmp(again, text, size) != 0)
		return -EBADMSG;
	file->token = TAKE_PTR(token);
	file->len = len;
	file->place = place;
	return 0;
}

/* Everything up to the end of the file, or as much as there is room for. */
static ssize_t read_all(int fd, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	return (ssize_t)len;
}

int resume_file_read(struct resume_file *file)
{
	/* A link would be replaced, not what it points to; a FIFO must not block. */
	CLEANUP(closep)
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	CLEANUP(freep) char *text = NULL;
	struct stat st;
	ssize_t size;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	if (st.st_size > (off_t)TEXT_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	size = read_all(fd, text, (size_t)st.st_size);
	text[size < 0 ? 0 : size] = '\0';
	return size < 0 ? (int)size : decode(text, (size_t)size, file);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The folder, whose content the file's name is: opened before it is needed, which can fail. */
static int open_folder(const char *path)
{
	CLEANUP(freep) char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0)
		return -errno;
	return fd;
}

/* Makes a rename last. Some file systems cannot, and need not. */
static int sync_folder(int fd)
{
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int replace(const char *path, const char *text, size_t len)
{
	CLEANUP(freep) char *temporary = NULL;
	CLEANUP(closep) int folder = open_folder(path);
	CLEANUP(closep) int fd = -1;
	int r;

	if (folder < 0)
		return folder;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* of mode 0600 */
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	return sync_folder(folder);
}

/* What the same file has behind a token that is known comes again anyway. */
static bool is_known(const struct resume_file *file, const void *token, size_t len,
		     const struct out_place *place)
{
	return len == file->len && memcmp(token, file->token, len) == 0 &&
	       place->inode == file->place.inode && place->device == file->place.device;
}

int resume_file_write(struct resume_file *file, const void *token, size_t len,
		      const struct out_place *place)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) void *copy = NULL;
	ssize_t size;
	int r;

	if (len == 0 || is_known(file, token, len, place))
		return 0;
	if (len > RESUME_TOKEN_MAX)
		return -EMSGSIZE;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, token, len);
	size = encode(token, len, place, &text);
	if (size < 0)
		return (int)size;
	r = replace(file->path, text, (size_t)size);
	if (r < 0)
		return r;
	free(file->token);
	file->token = TAKE_PTR(copy);
	file->len = len;
	file->place = *place;
	return 0;
}

void resume_file_done(struct resume_file *file)
{
	free(file->token);
	*file = (struct resume_file){.path = file->path};
}

const char *resume_file_error(int r)
{
	switch (-r) {
	case EBADMSG:
		return "it is damaged, or no resume file of nflogctl";
	case EFBIG:
		return "it is too long for a resume file";
	case ELOOP:
		return "it is a symbolic link, which a new file would replace";
	case ENOTSUP:
		return "it is no regular file";
	case EMSGSIZE:
		return "the server's resume token is too long";
	default:
		return strerror(-r);
	}
}
