/* SPDX-License-Identifier: MIT */
/* nflogd/endpoints.h - the gRPC server as the configuration wants it. Threads: main. */
#ifndef NFLOGD_ENDPOINTS_H
#define NFLOGD_ENDPOINTS_H

#include <sys/types.h>

struct config;
struct policy;
struct registry;
struct rpc;
struct rpc_sockets;

/* /run/nflogd, where a socket is to be in it: systemd makes it, a daemon started by hand has to. It
 * becomes the user's, who removes the socket in the end. */
void endpoints_make_folder(const struct config *config, uid_t uid, gid_t gid);

/* Binds the unix sockets, while there are rights to do so. 0 or -errno, which is logged. */
int endpoints_bind(const struct config *config, struct rpc_sockets **ret);

/* The server with all its endpoints. @sockets are taken over in any case. 0 or -errno, logged. */
int endpoints_open(const struct config *config, struct rpc_sockets *sockets, struct policy *policy,
		   struct registry *registry, struct rpc **ret);

/* Removes unix sockets that a daemon of this configuration left behind. */
void endpoints_remove_stale(const struct config *config);

#endif
