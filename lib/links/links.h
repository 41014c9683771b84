/* SPDX-License-Identifier: MIT */
/*
 * links/links.h - interface names of one network namespace, by rtnetlink
 *
 * A cache of index to name that follows RTM_NEWLINK and RTM_DELLINK, so that a name is looked up
 * without a system call. Interface indexes mean something only in their namespace, so the socket
 * is created there. Threads: one at a time.
 */
#ifndef LINKS_LINKS_H
#define LINKS_LINKS_H

#include <stdint.h>

#include <nfl/listener.h>

struct links;

/* Opens the socket in the namespace and reads all links. -errno as nfl_listener_open(). */
int links_open(const struct nfl_netns *netns, struct links **ret, struct nfl_error *err);

/**
 * links_socket_open - the half that needs rights: a socket in the namespace, which hears of changes
 * @ret_fd: owned by the caller; for links_adopt(), also in another process. Nothing is read from it.
 */
int links_socket_open(const struct nfl_netns *netns, int *ret_fd, struct nfl_error *err);

/**
 * links_adopt - the other half: reads all links; needs no rights
 * @fd: the links' on success, the caller's on failure
 * Returns 0, -EINVAL: @fd is no such socket, or another -errno.
 */
int links_adopt(int fd, struct links **ret, struct nfl_error *err);

void links_close(struct links *links);

/* To be polled; when readable call links_update(). */
int links_fd(const struct links *links);

/* Takes in what changed; never waits. An overrun (ENOBUFS) leads to a new dump. 0 or -errno. */
int links_update(struct links *links);

/**
 * links_find - name of an interface
 * An index that is not known makes it take in pending changes first.
 * Returns borrowed bytes, valid until the next call on @links; len 0 when there is no such link.
 */
struct nfl_bytes links_find(struct links *links, uint32_t index);

#endif
