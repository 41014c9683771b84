/* SPDX-License-Identifier: MIT */
/* listener/socket.h - the socket below a listener, for the files of this room */
#ifndef LISTENER_SOCKET_H
#define LISTENER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <nfl/listener.h>

struct request;

/* The first request on a socket is the one that binds. */
#define BIND_SEQ 1

/* As nfl_socket_open(), in an open namespace and with resolved options. */
int socket_open(int netns_fd, const struct nfl_listener_options *resolved, int *ret_fd,
		struct nfl_error *err);

int socket_send(int fd, const struct request *request);

/**
 * socket_read - one datagram, never waits
 * @flags: as recvmsg(2)
 * Returns its size, also where @len is less and @flags has MSG_TRUNC, or -errno.
 */
ssize_t socket_read(int fd, void *buffer, size_t len, int flags, bool *ret_is_foreign);

#endif
