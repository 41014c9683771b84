/* SPDX-License-Identifier: MIT */
/* nflogd/load.h - the configuration that the command line asks for */
#ifndef NFLOGD_LOAD_H
#define NFLOGD_LOAD_H

#include <stdbool.h>
#include <stdio.h>

struct config;
struct options;
struct policy;

#define LOAD_DEFAULT_PATH "/etc/nflogd/nflogd.yaml"

/**
 * load_config - file, ad-hoc by --netns and --group, or the embedded default; --listen on top
 * @default_path: read when it exists and the command line names nothing: LOAD_DEFAULT_PATH
 * The ad-hoc one has one tenant, `local`: root, options->user, and where --listen names an address
 * of TCP also whoever connects to it.
 * @ret_is_file: somebody wrote it: not the embedded default, and not made of options
 * @err_out: every error, a line each
 * Returns 0 with @ret owned by the caller, or -errno.
 */
int load_config(const struct options *options, const char *default_path, struct config **ret,
		bool *ret_is_file, FILE *err_out);

/**
 * load_policy - the tenants of a configuration, with users, groups and token files looked up
 * @path: stands before each message, such as config->path
 * @ret: owned by the caller on success: policy_unref()
 * @err_out: every error and warning, a line each
 * Returns 0, perhaps with warnings, or -errno.
 */
int load_policy(const struct config *config, const char *path, struct policy **ret, FILE *err_out);

#endif
