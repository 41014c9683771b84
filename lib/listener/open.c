/* SPDX-License-Identifier: MIT */
/*
 * open.c - from options to a bound socket, and its end
 *
 * The socket is created, bound and configured inside the namespace. From the moment of BIND packets
 * arrive, under load before the kernel's answer: they are kept and delivered by the first receive.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "handle.h"
#include "netns.h"
#include "options.h"
#include "refusal.h"
#include "request.h"

#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

/* The answer to UNBIND is lost when the receive buffer is full of packets at that moment. */
#define UNBIND_TRIES 8
/* Each datagram in the queue costs more of the receive buffer than its own bytes, at least this. */
#define QUEUED_MIN_BYTES 128

struct opening {
	struct nfl_listener *listener;
	const struct nfl_listener_options *options; /* resolved */
	struct nfl_error *err;
};

static int send_request(const struct nfl_listener *l, const struct request *request)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(l->fd, request->bytes, request->len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

/* The kernel queues its answer before send returns, so at most one receive buffer of packets
 * stands before it. -ENOBUFS: it is not there. */
static int await_answer(struct nfl_listener *l, uint8_t *buffer, uint32_t seq)
{
	size_t read = 0;

	while (read <= (size_t)l->settings.rcvbuf + NFL_RECEIVE_BUFFER) {
		struct datagram datagram;
		uint32_t answered;
		int error, r;

		r = listener_read(l, buffer, NFL_RECEIVE_BUFFER, &datagram);
		if (r == -EAGAIN) {
			l->lost_answers++;
			return -ENOBUFS;
		}
		if (r < 0)
			return r;
		read += datagram.left + QUEUED_MIN_BYTES;
		if (r == 0)
			continue;
		if (request_is_answer(datagram.at, datagram.left, &answered, &error)) {
			if (answered == seq)
				return error;
			continue; /* to a request that was given up */
		}
		r = listener_keep(l, &datagram);
		if (r < 0)
			return r;
	}
	return -ENOBUFS;
}

/* Returns the kernel's answer, or -ENOBUFS when that was lost: it may or may not have been done. */
static int transact(struct nfl_listener *l, uint8_t *buffer, const struct request *request)
{
	int r = send_request(l, request);

	return r < 0 ? r : await_answer(l, buffer, request->seq);
}

static int bind_group(struct nfl_listener *l, const struct nfl_listener_options *options)
{
	CLEANUP(freep) uint8_t *buffer = malloc(NFL_RECEIVE_BUFFER);
	struct request request;
	int r;

	if (!buffer)
		return -ENOMEM;
	request_bind(options, ++l->request_seq, &request);
	r = transact(l, buffer, &request);
	l->is_bound = r == 0;
	return r;
}

/* The forced size needs CAP_NET_ADMIN of the host; the other is capped by net.core.rmem_max. */
static int set_receive_buffer(int fd, uint32_t bytes, uint32_t *ret_bytes)
{
	socklen_t len = sizeof(*ret_bytes);
	int value = (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value)) < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, ret_bytes, &len) < 0)
		return -errno;
	return 0;
}

static int open_socket(struct nfl_listener *l, const struct nfl_listener_options *options)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t address_len = sizeof(address), cookie_len = sizeof(l->settings.netns_cookie);
	const int on = 1;
	int r;

	l->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (l->fd < 0)
		return -errno;
	/* With it the kernel goes on queueing as soon as there is room; SEQ tells what is missing.
	 * Without it reading works as well. */
	(void)setsockopt(l->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	r = set_receive_buffer(l->fd, options->rcvbuf, &l->settings.rcvbuf);
	if (r < 0)
		return r;
	if (bind(l->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(l->fd, (struct sockaddr *)&address, &address_len) < 0)
		return -errno;
	l->settings.port_id = address.nl_pid;
	if (getsockopt(l->fd, SOL_SOCKET, SO_NETNS_COOKIE, &l->settings.netns_cookie, &cookie_len) <
	    0)
		l->settings.netns_cookie = 0;
	return 0;
}

static int open_inside(void *data)
{
	struct opening *opening = data;
	struct nfl_listener *l = opening->listener;
	int r;

	r = open_socket(l, opening->options);
	if (r < 0)
		return error_set(opening->err, r, "cannot open a netfilter socket: %s",
				 strerror(-r));
	r = bind_group(l, opening->options);
	if (r < 0)
		return refusal_explain(r, l->group, l->settings.port_id, opening->err);
	return 0;
}

static struct nfl_listener *listener_new(const struct nfl_listener_options *options)
{
	struct nfl_listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->fd = -1;
	atomic_init(&l->cancel_fd, -1);
	l->kept_end = &l->kept;
	l->group = options->group;
	l->stream.copy_range = options->copy_range;
	l->settings.copy_range = options->copy_range;
	l->settings.qthresh = options->qthresh;
	l->settings.timeout_ms = options->timeout_ms;
	l->settings.nlbufsiz = options->nlbufsiz;
	return l;
}

int nfl_listener_open(const struct nfl_listener_options *options, struct nfl_listener **ret,
		      struct nfl_error *err)
{
	CLEANUP(nfl_listener_closep) struct nfl_listener *l = NULL;
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_listener_options resolved;
	struct opening opening;
	int r;

	if (!options || !ret)
		return error_set(err, -EINVAL, "options and ret must be given");
	r = options_resolve(options, &resolved, err);
	if (r < 0)
		return r;
	r = netns_open(&resolved.netns, &netns_fd, err);
	if (r < 0)
		return r;
	l = listener_new(&resolved);
	if (!l)
		return error_set(err, -ENOMEM, "no memory");
	r = netns_identify(netns_fd, &l->settings.netns_dev, &l->settings.netns_inode);
	if (r < 0)
		return error_set(err, r, "network namespace: %s", strerror(-r));
	opening = (struct opening){.listener = l, .options = &resolved, .err = err};
	r = netns_call(netns_fd, open_inside, &opening, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

int nfl_listener_unbind(struct nfl_listener *listener)
{
	CLEANUP(freep) uint8_t *buffer = NULL;
	struct request request;
	int r = -ENOBUFS;

	if (!listener)
		return -EINVAL;
	if (!listener->is_bound)
		return 0;
	buffer = malloc(NFL_RECEIVE_BUFFER);
	if (!buffer)
		return -ENOMEM;
	for (int i = 0; i < UNBIND_TRIES && r == -ENOBUFS; i++) {
		request_unbind(listener->group, ++listener->request_seq, &request);
		r = transact(listener, buffer, &request);
	}
	if (r < 0 && r != -ENODEV) /* ENODEV: done by the try before, whose answer was lost */
		return r;
	listener->is_bound = false;
	return 0;
}

void nfl_listener_close(struct nfl_listener *listener)
{
	struct request request;
	int cancel_fd;

	if (!listener)
		return;
	cancel_fd = atomic_load(&listener->cancel_fd);
	if (listener->is_bound) {
		/* A forked child may hold the socket: the group is free now, not when it ends.
		 * Where the right to unbind was given up, closing has to do. */
		request_unbind(listener->group, ++listener->request_seq, &request);
		(void)send_request(listener, &request);
	}
	closep(&cancel_fd);
	closep(&listener->fd);
	while (listener->kept) {
		struct kept *next = listener->kept->next;

		free(listener->kept);
		listener->kept = next;
	}
	free(listener->current_kept);
	free(listener->buffer);
	free(listener);
}

int nfl_listener_fd(const struct nfl_listener *listener)
{
	return listener ? listener->fd : -EINVAL;
}

void nfl_listener_stats(const struct nfl_listener *listener, struct nfl_listener_stats *ret)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(memory);

	*ret = listener->stats;
	if (getsockopt(listener->fd, SOL_SOCKET, SO_MEMINFO, memory, &len) < 0)
		return;
	/* An answer may also be lost for want of memory, which the kernel does not count. */
	ret->dropped_datagrams = memory[SK_MEMINFO_DROPS] > listener->lost_answers
				     ? memory[SK_MEMINFO_DROPS] - listener->lost_answers
				     : 0;
	ret->queued_bytes = memory[SK_MEMINFO_RMEM_ALLOC];
}

void nfl_listener_settings(const struct nfl_listener *listener, struct nfl_listener_settings *ret)
{
	*ret = listener->settings;
}
