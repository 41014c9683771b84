/* SPDX-License-Identifier: MIT */
/*
 * resume_file.h - a resume token in a file, from one run to the next
 *
 * The file is replaced as a whole: whoever reads it finds the old token or the new one, also after a
 * crash. It is text with a checksum, so that a damaged one is told before anything is asked of a
 * server.
 */
#ifndef NFLOGCTL_RESUME_FILE_H
#define NFLOGCTL_RESUME_FILE_H

#include <stddef.h>

#include "out_file.h"

/* Some bytes for each source that had packets: nflogd keeps a few thousand. */
#define RESUME_TOKEN_MAX ((size_t)1024 * 1024)

struct resume_file {
	const char *path; /* borrowed */
	void *token;      /* owned; as in the file, NULL while there is none */
	size_t len;
	struct out_place place; /* in the output that goes with the token; all 0: none */
};

/**
 * resume_file_read - begin with what an earlier run has left
 * @file: path is set, the rest zero
 * Returns 0, also without a file (then without a token), or -errno: -EBADMSG for a damaged file,
 * -EFBIG for one that is too long, -ENOTSUP for what is no regular file.
 */
int resume_file_read(struct resume_file *file);

/**
 * resume_file_write - replace the file, which only its owner can read then
 * @place: in the output, behind what comes before the token; all 0: none
 * A token that the file has already, for the same output, is not written again. Returns 0 or -errno, -EMSGSIZE for a token
 * that is too long; the file is as before then.
 */
int resume_file_write(struct resume_file *file, const void *token, size_t len,
		      const struct out_place *place);

/* Frees the token; the file stays. */
void resume_file_done(struct resume_file *file);

/* What is wrong, in words. */
const char *resume_file_error(int r);

#endif
