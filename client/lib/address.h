/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <stddef.h>

/* Every byte of a host name or path may need three ("%41"), and the scheme some more. */
#define ADDRESS_TARGET_MAX 1024

/**
 * address_to_target - what gRPC calls a server that a user named
 * @server: "unix:/path", "unix:///path", "/path", "host:port" or "[ipv6]:port"
 * @ret_target: a gRPC target with an explicit scheme
 *
 * Nothing else is let through: gRPC would take "xds:", "unix-abstract:" and guess at the rest.
 * Returns 0 or -EINVAL.
 */
int address_to_target(const char *server, char ret_target[ADDRESS_TARGET_MAX]);

/* The path of a server that is a unix socket, borrowed from @server; NULL for host:port. */
const char *address_unix_path(const char *server);

#endif
