/* SPDX-License-Identifier: MIT */
/*
 * rpc/peers.h - who is behind each connection of the unix socket
 *
 * gRPC names such a connection "fd:N" and tells nothing else; the table keeps the credentials that
 * the kernel gave for N. The number is not used again while the connection or a call on it lives.
 * It also limits connections: of all peers and of each user, so that one local user cannot keep
 * the others out. Any thread.
 */
#ifndef RPC_PEERS_H
#define RPC_PEERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Of a user who is in more groups, none counts: the table is bounded. */
#define PEERS_GROUPS_MAX ((size_t)1024)

struct peers;

/* As they were when it connected. */
struct peer_credentials {
	struct ucred who;
	gid_t *groups; /* owned; supplementary */
	size_t group_count;
};

/* @max, @max_per_user: connections at the same time. NULL without memory. */
struct peers *peers_new(uint32_t max, uint32_t max_per_user);
void peers_free(struct peers *peers);

/**
 * peers_add - remember a new connection before gRPC gets it
 * Returns 0, or -EUSERS when it is one too many: close it.
 */
int peers_add(struct peers *peers, int fd, const struct ucred *who);

/**
 * peers_find - the credentials of a peer
 * @core_name: as gRPC names it: "fd:17"; NULL is possible
 * @ret: free its groups
 * Returns 0, -ENOENT when it is none of the unix socket's, or -ENOMEM.
 */
int peers_find(struct peers *peers, const char *core_name, struct peer_credentials *ret);

/**
 * peers_describe - a peer as text
 * @core_name: as gRPC names it: "fd:17", "ipv4:127.0.0.1:51234"; NULL is possible
 * @buf: "unix uid 1000 pid 4711", or the name itself
 */
void peers_describe(struct peers *peers, const char *core_name, char *buf, size_t cap);

/* Breaks the connection of a peer, with all its calls; does nothing to one that is no unix socket. */
void peers_cut(struct peers *peers, const char *core_name);

#endif
