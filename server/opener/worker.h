/* SPDX-License-Identifier: MIT */
/* opener/worker.h - the process that finds namespaces and opens sockets in them; private to the room */
#ifndef OPENER_WORKER_H
#define OPENER_WORKER_H

#include "warden.h"

/* Serves both sockets, and reports on the first, until the daemon has closed its end: 0. Or -errno of what it cannot do without. */
int worker_run(const struct opener_options *options, const int sockets[WARDEN_SOCKETS]);

#endif
