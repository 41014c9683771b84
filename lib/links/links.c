/* SPDX-License-Identifier: MIT */
/*
 * links.c - the interfaces of a namespace, kept up to date by rtnetlink
 *
 * One socket both asks for all links and hears of changes; the kernel queues both in order, so what
 * is read last is true. The answer to a dump is made while it is read: as long as one is under way
 * the socket is never empty, and reading never waits.
 */
#include "links.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "cleanup.h"
#include "error.h"
#include "netlink.h"
#include "netns.h"
#include "table.h"

/* The kernel makes dumps of at most this. */
#define DATAGRAM_CAP_BYTES 32768
/* Dumps in one update, where interfaces come and go so fast that none is complete. */
#define DUMP_TRIES 16

struct links {
	int fd;
	uint32_t seq;    /* of the dump under way or the last; also the table's generation */
	bool is_dumping; /* its NLMSG_DONE has not come */
	bool is_stale;   /* something was missed since the last dump began: it needs another */
	struct table table;
};

struct dump_request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	struct nlattr attribute;
	uint32_t filter;
};

static void links_closep(struct links **links)
{
	links_close(*links);
}

/* Counters of each interface are what makes links long, and nobody here reads them. */
static int start_dump(struct links *links)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct dump_request request = {
	    .header = {.nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = links->seq + 1},
	    .attribute = {.nla_len = sizeof(request.attribute) + sizeof(request.filter),
			  .nla_type = IFLA_EXT_MASK},
	    .filter = RTEXT_FILTER_SKIP_STATS,
	};

	if (sendto(links->fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	links->seq++;
	links->is_dumping = true;
	links->is_stale = false;
	return 0;
}

static int take_name(const struct nlattr *attribute, void *data)
{
	struct nfl_bytes *name = data;

	if (mnl_attr_get_type(attribute) != IFLA_IFNAME)
		return MNL_CB_OK;
	name->data = mnl_attr_get_payload(attribute);
	name->len =
	    (uint32_t)strnlen((const char *)name->data, mnl_attr_get_payload_len(attribute));
	return MNL_CB_STOP;
}

static int take_link(struct links *links, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct nfl_bytes name = {0};

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*info) || info->ifi_index <= 0)
		return 0;
	/* AF_BRIDGE messages tell of a port's part in a bridge: its removal is none of the link. */
	if (info->ifi_family != AF_UNSPEC)
		return 0;
	if (header->nlmsg_type == RTM_DELLINK) {
		table_remove(&links->table, (uint32_t)info->ifi_index);
		return 0;
	}
	(void)mnl_attr_parse(header, sizeof(*info), take_name, &name); /* no name: nothing to set */
	if (!name.len)
		return 0;
	return table_set(&links->table, (uint32_t)info->ifi_index, name, links->seq);
}

/* What a whole dump did not name is gone; its removal was among the messages that were lost. */
static void end_dump(struct links *links)
{
	links->is_dumping = false;
	if (!links->is_stale)
		table_keep(&links->table, links->seq);
}

static int fail_dump(struct links *links, const struct nlmsghdr *header)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);

	links->is_dumping = false;
	links->is_stale = true;
	return mnl_nlmsg_get_payload_len(header) < sizeof(*answer) ? -EBADMSG : answer->error;
}

static int take_message(struct links *links, const struct nlmsghdr *header)
{
	bool is_of_dump = links->is_dumping && header->nlmsg_seq == links->seq;

	if (is_of_dump && header->nlmsg_flags & NLM_F_DUMP_INTR)
		links->is_stale = true;
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return take_link(links, header);
	case NLMSG_DONE:
		if (is_of_dump)
			end_dump(links);
		return 0;
	case NLMSG_ERROR:
		return is_of_dump ? fail_dump(links, header) : 0;
	default: /* of the kernel's numbers only these are of interest */
		return 0;
	}
}

static int take_datagram(struct links *links, const uint8_t *bytes, size_t len)
{
	const struct nlmsghdr *header = (const void *)bytes;
	int left = (int)len;
	int r = 0;

	while (r == 0 && mnl_nlmsg_ok(header, left)) {
		r = take_message(links, header);
		header = mnl_nlmsg_next(header, &left);
	}
	return r;
}

/* 0, -EAGAIN when nothing is left to read, or -errno. */
static int read_datagram(struct links *links)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[DATAGRAM_CAP_BYTES];
	struct sockaddr_nl sender = {0};
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {
	    .msg_name = &sender,
	    .msg_namelen = sizeof(sender),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	};
	ssize_t n = recvmsg(links->fd, &message, MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0 && errno == ENOBUFS) {
		links->is_stale = true;
		return 0;
	}
	if (n < 0)
		return -errno;
	if (message.msg_namelen != sizeof(sender) || sender.nl_pid != 0)
		return 0; /* somebody who wants us to believe in an interface */
	/* A message that is longer than any link is cut, and not a whole message then. */
	return take_datagram(links, bytes, (size_t)n);
}

int links_update(struct links *links)
{
	int tries = 0;
	int r;

	do {
		r = read_datagram(links);
		/* Only now: on a full queue the kernel would refuse to begin. */
		if (r == -EAGAIN && links->is_stale && !links->is_dumping && tries++ < DUMP_TRIES)
			r = start_dump(links);
	} while (r == 0);
	return r == -EAGAIN ? 0 : r;
}

static int open_inside(void *data)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	CLEANUP(closep)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int *ret_fd = data;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int links_socket_open(const struct nfl_netns *netns, int *ret_fd, struct nfl_error *err)
{
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_error entered = {0};
	int r;

	r = netns_open(netns, &netns_fd, err);
	if (r < 0)
		return r;
	r = netns_call(netns_fd, open_inside, ret_fd, &entered);
	if (r < 0 && entered.text[0])
		return error_set(err, r, "%s", entered.text);
	if (r < 0)
		return error_set(err, r, "cannot open a route socket: %s", strerror(-r));
	return 0;
}

int links_adopt(int fd, struct links **ret, struct nfl_error *err)
{
	CLEANUP(links_closep) struct links *links = NULL;
	struct sockaddr_nl address;
	int r = netlink_identify(fd, NETLINK_ROUTE, &address);

	if (r < 0 || !(address.nl_groups & RTMGRP_LINK))
		return error_set(err, -EINVAL,
				 "the descriptor is no route socket that hears of links");
	links = calloc(1, sizeof(*links));
	if (!links)
		return error_set(err, -ENOMEM, "no memory");
	links->fd = fd;
	links->is_stale = true; /* what it has heard so far is less than all */
	r = links_update(links);
	if (r < 0) {
		links->fd = -1;
		return error_set(err, r, "cannot read the interfaces: %s", strerror(-r));
	}
	*ret = TAKE_PTR(links);
	return 0;
}

int links_open(const struct nfl_netns *netns, struct links **ret, struct nfl_error *err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	r = links_socket_open(netns, &fd, err);
	if (r == 0)
		r = links_adopt(fd, ret, err);
	if (r == 0)
		(void)take_fd(&fd);
	return r;
}

void links_close(struct links *links)
{
	if (!links)
		return;
	closep(&links->fd);
	table_done(&links->table);
	free(links);
}

int links_fd(const struct links *links)
{
	return links->fd;
}

struct nfl_bytes links_find(struct links *links, uint32_t index)
{
	struct nfl_bytes name = table_find(&links->table, index);

	if (name.len || !index)
		return name;
	/* An error leaves what is known, and shows again when the descriptor is polled. */
	(void)links_update(links);
	return table_find(&links->table, index);
}
