/* SPDX-License-Identifier: MIT */
/*
 * nflogd/serve.h - the daemon, from its first socket to its last
 *
 * Lock order of server/: registry, source, history log, call. No callback or wake is made under
 * the first three.
 */
#ifndef NFLOGD_SERVE_H
#define NFLOGD_SERVE_H

#include <stdbool.h>

struct config;
struct options;

/**
 * serve - run until SIGTERM or SIGINT; SIGHUP reads the configuration again
 * @options, @config: borrowed
 * @is_file: the configuration is a file, which can be read again
 * Blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE and gives up all privileges for the rest of the
 * process. Logs what goes wrong. Returns the exit status: 0, or 1 when it could not start, or nobody is
 * left who could open a listener.
 */
int serve(const struct options *options, const struct config *config, bool is_file);

#endif
