/* SPDX-License-Identifier: MIT */
/* rpc/sockets.h - bound unix sockets; private to the room. Threads: main, but for the descriptors. */
#ifndef RPC_SOCKETS_H
#define RPC_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#define SOCKETS_MAX 16

struct unix_socket {
	int fd;
	struct sockaddr_un address;
	dev_t dev; /* of the socket file, so that a stranger's is not removed */
	ino_t inode;
};

struct rpc_sockets {
	struct unix_socket items[SOCKETS_MAX];
	size_t count;
};

/* Closes them and removes their files, where that may be done. */
void sockets_close(struct rpc_sockets *sockets);

#endif
