/* SPDX-License-Identifier: MIT */
/*
 * acceptor.h - accepts on a unix socket and can break what it accepted
 *
 * gRPC gives its connections to nobody. A server that gets them from here can be made to lose them
 * as a killed daemon does, in the midst of a message too, and to be away for a while.
 *
 * Threads: one of its own; the functions are for any, one at a time.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stddef.h>

struct acceptor;

/* Called on the acceptor's thread; takes fd, which does not block. */
typedef void (*accepted_fn)(int fd, void *data);

/* Ends the program when it cannot listen. */
struct acceptor *acceptor_start(const char *path, accepted_fn accepted, void *data);
void acceptor_stop(struct acceptor *acceptor);

/* Bytes behind what was sent on the connection that came last. */
void acceptor_write(struct acceptor *acceptor, const void *bytes, size_t len);

/* Breaks all connections at once. */
void acceptor_drop(struct acceptor *acceptor);

/* From now on nobody can connect; until they can again. */
void acceptor_leave(struct acceptor *acceptor);
void acceptor_return(struct acceptor *acceptor);

#endif
