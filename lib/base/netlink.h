/* SPDX-License-Identifier: MIT */
/* base/netlink.h - whether a descriptor that somebody passed is what it should be */
#ifndef NFL_BASE_NETLINK_H
#define NFL_BASE_NETLINK_H

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/**
 * netlink_identify - the address of a netlink socket
 * @protocol: NETLINK_*
 * Returns 0, or -EINVAL: @fd is none of that protocol, or has no port id yet.
 */
static inline int netlink_identify(int fd, int protocol, struct sockaddr_nl *ret)
{
	struct sockaddr_nl address = {0};
	socklen_t address_len = sizeof(address), domain_len = sizeof(int), found_len = sizeof(int);
	int domain = -1, found = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) < 0 ||
	    domain != AF_NETLINK ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &found, &found_len) < 0 || found != protocol ||
	    getsockname(fd, (struct sockaddr *)&address, &address_len) < 0 || address.nl_pid == 0)
		return -EINVAL;
	*ret = address;
	return 0;
}

#endif
