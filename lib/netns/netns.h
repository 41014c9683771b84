/* SPDX-License-Identifier: MIT */
/* netns/netns.h - find and enter network namespaces; the only caller of setns(2) */
#ifndef NETNS_NETNS_H
#define NETNS_NETNS_H

#include <stdint.h>

#include <nfl/listener.h>

/* Opens the namespace's file: nsfs checked (fstatfs NSFS_MAGIC), no symbolic link or plain file is
 * followed for names, O_CLOEXEC. For NFL_NETNS_SELF the calling thread's own. 0 or -errno with
 * @err saying what was expected. */
int netns_open(const struct nfl_netns *netns, int *ret_fd, struct nfl_error *err);

/* st_dev and st_ino: two paths with equal ones are one namespace. */
int netns_identify(int fd, uint64_t *ret_dev, uint64_t *ret_inode);

/**
 * netns_call - run fn inside a namespace, on the calling thread
 * Returns fn's value, or -errno when the namespace could not be entered. When the way back fails
 * the process aborts: it must not go on in a foreign namespace.
 */
int netns_call(int fd, int (*fn)(void *data), void *data, struct nfl_error *err);

#endif
