/* SPDX-License-Identifier: MIT */
/*
 * nflogd/serve.h - the daemon, from its first socket to its last
 *
 * Lock order of server/: registry, source, history log, call. No callback or wake is made under
 * the first three.
 */
#ifndef NFLOGD_SERVE_H
#define NFLOGD_SERVE_H

struct config;

/**
 * serve - run until SIGTERM or SIGINT
 * @config: borrowed
 * Blocks SIGTERM, SIGINT and SIGHUP and ignores SIGPIPE for the rest of the process. Logs what goes
 * wrong. Returns the exit status: 0, or 1 when it could not start.
 */
int serve(const struct config *config);

#endif
