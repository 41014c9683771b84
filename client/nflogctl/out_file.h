/* SPDX-License-Identifier: MIT */
/*
 * out_file.h - the file of --write: begun, gone on with, and begun anew when it is long enough
 *
 * FILE is the newest; FILE.1 the one before, and so on. With a resume file, the place in the stream
 * goes together with a place in the file: what was written behind it by a run that was killed is cut
 * off, because it comes again.
 */
#ifndef NFLOGCTL_OUT_FILE_H
#define NFLOGCTL_OUT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"

#define OUT_FILE_KEEP_MAX 1000

/* A place in a file, wherever that was renamed to. */
struct out_place {
	uint64_t device;
	uint64_t inode; /* 0: of no file */
	uint64_t bytes;
};

struct out_file {
	const char *path;      /* borrowed; NULL: standard output */
	uint64_t rotate_bytes; /* 0: never */
	uint64_t keep;         /* files, FILE included; from 1 */
	uint64_t device;
	uint64_t inode; /* 0: no regular file */
	int fd;         /* owned; -1: none */
};

/**
 * out_file_open - where out writes from now on
 * @out: made with the descriptor of the file, or of standard output
 * @place: where the stream is resumed at; NULL: it is not, and a file that is there is replaced, or
 *     with rotate_bytes renamed
 * Returns 0 or -errno: -ESTALE where the file is not that of the place, -ENOTSUP where what is no
 * regular file would have to be rotated. @file is to be closed also then.
 */
int out_file_open(struct out_file *file, const struct out_place *place, struct out *out);

static inline bool out_file_is_full(const struct out_file *file, const struct out *out)
{
	return file->rotate_bytes && out_bytes(out) >= file->rotate_bytes;
}

/* Renames the file and begins a new one. Returns 0 or -errno, which is out->error too. */
int out_file_rotate(struct out_file *file, struct out *out);

void out_file_close(struct out_file *file);

/* What is wrong, in words. */
const char *out_file_error(int r);

#endif
