/* SPDX-License-Identifier: MIT */
/* Files are opened for appending, for the owner alone: packets are nobody else's business. */
#include "out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC)
#define OPEN_MODE  0600

/* FILE, FILE.1, FILE.2: owned by the caller, NULL without memory. */
static char *numbered(const struct out_file *file, uint64_t number)
{
	char *name = NULL;

	if (number == 0)
		return strdup(file->path);
	if (asprintf(&name, "%s.%" PRIu64, file->path, number) < 0)
		return NULL;
	return name;
}

/* What is not there leaves a gap, as after a kill between two renames. */
static int shift(const struct out_file *file, uint64_t number)
{
	CLEANUP(freep) char *from = numbered(file, number);
	CLEANUP(freep) char *to = numbered(file, number + 1);

	if (!from || !to)
		return -ENOMEM;
	if (number + 1 >= file->keep)
		return unlink(from) < 0 && errno != ENOENT ? -errno : 0;
	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

static int shift_all(const struct out_file *file)
{
	int r = 0;

	for (uint64_t number = file->keep; number > 0 && r == 0; number--)
		r = shift(file, number - 1);
	return r;
}

/* The file as it is, or a new one; what it is, too. */
static int open_it(struct out_file *file, int flags, struct stat *ret)
{
	out_file_close(file);
	file->fd = open(file->path, OPEN_FLAGS | flags, OPEN_MODE);
	if (file->fd < 0 || fstat(file->fd, ret) < 0)
		return -errno;
	if (S_ISREG(ret->st_mode)) {
		file->device = ret->st_dev;
		file->inode = ret->st_ino;
	}
	return 0;
}

static bool is_at(const struct stat *st, const struct out_place *place)
{
	return place->inode != 0 && st->st_ino == place->inode && st->st_dev == place->device;
}

/* Was the file of the place renamed since? Then all that FILE has comes again. */
static int cut_renamed(const struct out_file *file, const struct out_place *place)
{
	CLEANUP(freep) char *name = numbered(file, 1);
	struct stat st;

	if (!name)
		return -ENOMEM;
	if (stat(name, &st) < 0 || !is_at(&st, place))
		return -ESTALE;
	if ((uint64_t)st.st_size > place->bytes && truncate(name, (off_t)place->bytes) < 0)
		return -errno;
	return 0;
}

/* How much of the file, which has something in it, stays. */
static int find_place(const struct out_file *file, const struct stat *st,
		      const struct out_place *place, uint64_t *ret_bytes)
{
	int r;

	*ret_bytes = (uint64_t)st->st_size;
	if (place->inode == 0)
		return 0; /* the place is of a run before there was a file */
	if (is_at(st, place)) {
		if (place->bytes < *ret_bytes)
			*ret_bytes = place->bytes;
		return 0;
	}
	r = cut_renamed(file, place);
	*ret_bytes = 0;
	return r;
}

/* The file, which is a regular one, at the length that it is gone on with. */
static int begin_at(struct out_file *file, struct stat *st, const struct out_place *place)
{
	uint64_t bytes = 0;
	int r = 0;

	if (st->st_size > 0 && place)
		r = find_place(file, st, place, &bytes);
	else if (st->st_size > 0 && file->rotate_bytes) {
		r = shift_all(file);
		return r < 0 ? r : open_it(file, O_CREAT | O_EXCL, st);
	}
	if (r == 0 && (uint64_t)st->st_size > bytes && ftruncate(file->fd, (off_t)bytes) < 0)
		r = -errno;
	st->st_size = (off_t)bytes;
	return r;
}

int out_file_open(struct out_file *file, const struct out_place *place, struct out *out)
{
	struct stat st;
	int r;

	file->fd = -1;
	if (!file->path)
		return out_init(out, STDOUT_FILENO);
	r = open_it(file, O_CREAT, &st);
	if (r == 0 && !file->inode && file->rotate_bytes)
		r = -ENOTSUP;
	if (r == 0 && file->inode)
		r = begin_at(file, &st, place);
	if (r == 0)
		r = out_init(out, file->fd);
	if (r == 0 && file->inode) {
		out->is_file = true;
		out->written = (uint64_t)st.st_size;
	}
	return r;
}

int out_file_rotate(struct out_file *file, struct out *out)
{
	struct stat st;
	int r = out_flush(out);

	if (r == 0)
		r = shift_all(file);
	if (r == 0)
		r = open_it(file, O_CREAT | O_EXCL, &st);
	if (r < 0) {
		out->error = r;
		return r;
	}
	out->fd = file->fd;
	out->written = 0;
	return 0;
}

void out_file_close(struct out_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = -1;
}

const char *out_file_error(int r)
{
	switch (-r) {
	case ENOTSUP:
		return "it is no regular file: it cannot be rotated";
	case ESTALE:
		return "it is not the file that the resume file goes with: move it away, or go on "
		       "with another resume file";
	default:
		return strerror(-r);
	}
}
