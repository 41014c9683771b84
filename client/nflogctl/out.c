/* SPDX-License-Identifier: MIT */
/* Few large writes under load, one for each line when it is quiet. */
#include "out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_BUFFER_BYTES ((size_t)128 * 1024)

int out_init(struct out *out, int fd)
{
	*out = (struct out){.fd = fd, .capacity = OUT_BUFFER_BYTES};
	out->buffer = malloc(out->capacity);
	return out->buffer ? 0 : -ENOMEM;
}

void out_done(struct out *out)
{
	free(out->buffer);
	*out = (struct out){.fd = -1};
}

/* A write that stopped halfway has left half a packet. */
static void undo_part(const struct out *out)
{
	struct stat st;

	if (out->is_file && fstat(out->fd, &st) == 0 && (uint64_t)st.st_size > out->written)
		(void)ftruncate(out->fd, (off_t)out->written); /* as far as that can be undone */
}

int out_flush(struct out *out)
{
	size_t written = 0;

	while (written < out->used && !out->error) {
		ssize_t n = write(out->fd, out->buffer + written, out->used - written);

		if (n >= 0)
			written += (size_t)n;
		else if (errno != EINTR)
			out->error = -errno;
	}
	if (out->error)
		undo_part(out);
	else
		out->written += written;
	out->used = 0;
	return out->error;
}

static int out_grow(struct out *out, size_t size)
{
	char *grown = realloc(out->buffer, size);

	if (!grown)
		return -ENOMEM;
	out->buffer = grown;
	out->capacity = size;
	return 0;
}

char *out_reserve(struct out *out, size_t size)
{
	if (out->error)
		return NULL;
	if (size > out->capacity - out->used && out->fd < 0) {
		out->error = out_grow(out, 2 * (out->used + size));
		if (out->error)
			return NULL;
	} else if (size > out->capacity - out->used) {
		if (out_flush(out) < 0)
			return NULL;
		if (size > out->capacity)
			out->error = out_grow(out, size);
		if (out->error)
			return NULL;
	}
	return out->buffer + out->used;
}

void out_commit(struct out *out, size_t len)
{
	out->used += len;
}

void out_append(struct out *out, const void *first, size_t first_len, const void *second,
		size_t second_len)
{
	char *room = out_reserve(out, first_len + second_len);

	if (!room)
		return;
	if (first_len)
		memcpy(room, first, first_len);
	if (second_len)
		memcpy(room + first_len, second, second_len);
	out_commit(out, first_len + second_len);
}
