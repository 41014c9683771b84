/* SPDX-License-Identifier: MIT */
/*
 * opener/warden.h - the two processes behind the daemon: one works, the other starts it again
 *
 * The warden looks at nothing that comes from outside, so there is nothing that could end it but its
 * end of the socket. Private to the room.
 */
#ifndef OPENER_WARDEN_H
#define OPENER_WARDEN_H

#include <stdnoreturn.h>

#define WARDEN_SOCKETS 2

struct opener_options;

/* In the forked child: runs the worker until the daemon has closed its end of the first socket, then
 * ends the process. */
noreturn void warden_run(const struct opener_options *options, const int sockets[WARDEN_SOCKETS]);

#endif
