/* SPDX-License-Identifier: MIT */
/* nflogd/options.h - the command line */
#ifndef NFLOGD_OPTIONS_H
#define NFLOGD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "log.h"

#define OPTIONS_TEXT_MAX 1024 /* bytes of one value */

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK_CONFIG,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/* Texts of one repeatable option, as written; the texts are borrowed from argv. */
struct options_list {
	const char **items; /* owned */
	size_t count;
};

struct options {
	enum options_action action;
	const char *config_path; /* --config or --check-config; NULL: not given */
	struct options_list netns;
	struct options_list groups; /* each "N" or "N-M", in range */
	struct options_list listens;
	uid_t user;         /* who started nflogd */
	const char *become; /* --user; NULL: not given */
	enum log_level log_level;
	enum log_format log_format;
};

/**
 * options_parse - read the command line
 * @ret: options_done() ends it, whatever is returned
 * @err_out: where usage errors are written, each a line; NULL: nowhere
 * Returns 0, -EINVAL for a wrong command line, -ENOMEM.
 */
int options_parse(int argc, char **argv, struct options *ret, FILE *err_out);
void options_done(struct options *options);

void options_help(FILE *out);

#endif
