/* SPDX-License-Identifier: MIT */
/*
 * socket.c - what needs privileges: a socket in a namespace, bound, configured and unbound
 *
 * From the moment of BIND packets arrive, under load before the kernel's answer. They are the
 * reader's, who may be another process, so nothing of the kernel's is taken from the queue here: the
 * first datagram is looked at and stays. A socket that has a reader is told things without asking for
 * an answer, which would come in between its packets. Called by open.c and by privileged programs.
 */
#include "socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "error.h"
#include "netlink.h"
#include "netns.h"
#include "options.h"
#include "refusal.h"
#include "request.h"

#define ANSWER_HEAD_BYTES 64 /* holds all that request_is_answer() looks at */
/* Datagrams of somebody else's that may stand before the kernel's first. */
#define FOREIGN_MAX 64

struct opening {
	const struct nfl_listener_options *options; /* resolved */
	struct nfl_error *err;
	int fd; /* owned */
};

int socket_send(int fd, const struct request *request)
{
	/* With an address the sender's rights decide, not those of who made the socket. */
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, request->bytes, request->len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

/* Any socket with CAP_NET_ADMIN in the namespace can send to ours; the kernel's port id is 0. */
static bool is_from_kernel(const struct msghdr *message, const struct sockaddr_nl *sender)
{
	return message->msg_namelen == sizeof(*sender) && sender->nl_family == AF_NETLINK &&
	       sender->nl_pid == 0;
}

ssize_t socket_read(int fd, void *buffer, size_t len, int flags, bool *ret_is_foreign)
{
	struct sockaddr_nl sender = {0};
	struct iovec iov = {.iov_base = buffer, .iov_len = len};
	struct msghdr message = {
	    .msg_name = &sender,
	    .msg_namelen = sizeof(sender),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	};
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	*ret_is_foreign = !is_from_kernel(&message, &sender);
	return n;
}

/* The forced size needs CAP_NET_ADMIN of the host; the other is capped by net.core.rmem_max. */
static int set_receive_buffer(int fd, uint32_t bytes)
{
	int value = (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int make_socket(const struct nfl_listener_options *options, int *ret_fd)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	CLEANUP(closep)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	const int on = 1;
	int r;

	if (fd < 0)
		return -errno;
	/* With it the kernel goes on queueing as soon as there is room; SEQ tells what is missing.
	 * Without it reading works as well. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	r = set_receive_buffer(fd, options->rcvbuf);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The kernel answers before send returns, and logs nothing to a group that it refused: the answer
 * is the first of its datagrams then, and where packets are before it, the group is bound. Returns
 * 0, the kernel's error, or -ENOBUFS: there is nothing, so the answer was lost. */
static int peek_refusal(int fd)
{
	_Alignas(8) uint8_t head[ANSWER_HEAD_BYTES];
	bool is_foreign;
	uint32_t seq;
	ssize_t n;
	int error;

	for (int i = 0; i < FOREIGN_MAX; i++) {
		n = socket_read(fd, head, sizeof(head), MSG_PEEK, &is_foreign);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return n == -EAGAIN ? -ENOBUFS : (int)n;
		if (!is_foreign && request_is_answer(head, (size_t)n, &seq, &error))
			return seq == BIND_SEQ ? error : 0;
		if (!is_foreign)
			return 0;
		(void)socket_read(fd, head, sizeof(head), 0, &is_foreign); /* it is nobody's */
	}
	return 0; /* the reader finds the answer */
}

static int open_inside(void *data)
{
	struct opening *opening = data;
	struct sockaddr_nl address = {0};
	struct request request;
	int r;

	r = make_socket(opening->options, &opening->fd);
	if (r == 0)
		r = netlink_identify(opening->fd, NETLINK_NETFILTER, &address);
	if (r < 0)
		return error_set(opening->err, r, "cannot open a netfilter socket: %s",
				 strerror(-r));
	request_bind(opening->options, BIND_SEQ, &request);
	r = socket_send(opening->fd, &request);
	if (r == 0)
		r = peek_refusal(opening->fd);
	if (r < 0)
		return refusal_explain(r, opening->options->group, address.nl_pid, opening->err);
	return 0;
}

int socket_open(int netns_fd, const struct nfl_listener_options *resolved, int *ret_fd,
		struct nfl_error *err)
{
	struct opening opening = {.options = resolved, .err = err, .fd = -1};
	int r = netns_call(netns_fd, open_inside, &opening, err);

	if (r < 0)
		closep(&opening.fd);
	else
		*ret_fd = opening.fd;
	return r;
}

int nfl_socket_open(const struct nfl_listener_options *options, int *ret_fd, struct nfl_error *err)
{
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_listener_options resolved;
	int r;

	if (!options || !ret_fd)
		return error_set(err, -EINVAL, "options and ret_fd must be given");
	r = options_resolve(options, &resolved, err);
	if (r < 0)
		return r;
	r = netns_open(&resolved.netns, &netns_fd, err);
	if (r < 0)
		return r;
	return socket_open(netns_fd, &resolved, ret_fd, err);
}

/* A refusal would come as a message to the reader, who steps over it: what can be known before is
 * said here. */
static int check_before_telling(int fd)
{
	struct sockaddr_nl address;

	if (!refusal_has_net_admin())
		return -EPERM;
	return netlink_identify(fd, NETLINK_NETFILTER, &address);
}

int nfl_socket_unbind(int fd, uint16_t group)
{
	struct request request;
	int r = check_before_telling(fd);

	if (r < 0)
		return r;
	request_unbind(group, REQUEST_UNANSWERED, &request);
	return socket_send(fd, &request);
}

int nfl_socket_configure(int fd, const struct nfl_listener_options *options)
{
	struct nfl_listener_options resolved;
	struct request request;
	int r;

	if (!options)
		return -EINVAL;
	r = options_resolve(options, &resolved, NULL);
	if (r == 0)
		r = check_before_telling(fd);
	if (r == 0)
		r = set_receive_buffer(fd, resolved.rcvbuf);
	if (r < 0)
		return r;
	request_settings(&resolved, REQUEST_UNANSWERED, &request);
	return socket_send(fd, &request);
}
