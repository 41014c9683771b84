/* SPDX-License-Identifier: MIT */
/*
 * open.c - from a bound socket to a listener, and its end
 *
 * A listener takes over the socket that socket.c has bound, in this process or in another one. What
 * stands in its queue before the kernel's answer are packets: they are kept and delivered by the first
 * receive.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "handle.h"
#include "netlink.h"
#include "netns.h"
#include "options.h"
#include "request.h"
#include "socket.h"

#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

/* The answer to UNBIND is lost when the receive buffer is full of packets at that moment. */
#define UNBIND_TRIES 8
/* Each datagram in the queue costs more of the receive buffer than its own bytes, at least this. */
#define QUEUED_MIN_BYTES 128

static bool read_memory(int fd, uint32_t memory[SK_MEMINFO_VARS])
{
	socklen_t len = SK_MEMINFO_VARS * sizeof(memory[0]);

	memset(memory, 0, len);
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) == 0;
}

/* Whoever else has the socket may have changed it. */
static uint32_t receive_buffer(int fd)
{
	uint32_t bytes = 0;
	socklen_t len = sizeof(bytes);

	(void)getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len); /* every socket has one */
	return bytes;
}

/* The kernel queues its answer before send returns, so at most one receive buffer of packets
 * stands before it. -ENOBUFS: it is not there. */
static int await_answer(struct nfl_listener *l, uint8_t *buffer, uint32_t seq)
{
	size_t most = (size_t)receive_buffer(l->fd) + NFL_RECEIVE_BUFFER, read = 0;

	while (read <= most) {
		struct datagram datagram;
		uint32_t answered;
		int error, r;

		r = listener_read(l, buffer, NFL_RECEIVE_BUFFER, &datagram);
		if (r == -EAGAIN)
			break;
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
	l->lost_answers++;
	return -ENOBUFS;
}

/* Returns the kernel's answer, or -ENOBUFS when that was lost: it may or may not have been done. */
static int transact(struct nfl_listener *l, uint8_t *buffer, const struct request *request)
{
	int r = socket_send(l->fd, request);

	return r < 0 ? r : await_answer(l, buffer, request->seq);
}

static struct nfl_listener *listener_new(void)
{
	struct nfl_listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->fd = -1;
	atomic_init(&l->cancel_fd, -1);
	l->kept_end = &l->kept;
	l->request_seq = BIND_SEQ;
	return l;
}

static void learn_settings(struct nfl_listener *l, const struct nfl_listener_options *resolved)
{
	l->stream.copy_range = resolved->copy_range;
	l->settings.copy_range = resolved->copy_range;
	l->settings.qthresh = resolved->qthresh;
	l->settings.timeout_ms = resolved->timeout_ms;
	l->settings.nlbufsiz = resolved->nlbufsiz;
	l->settings.profile = resolved->profile;
}

static int learn_socket(struct nfl_listener *l, int fd, struct nfl_error *err)
{
	socklen_t cookie_len = sizeof(l->settings.netns_cookie);
	struct sockaddr_nl address;
	int r = netlink_identify(fd, NETLINK_NETFILTER, &address);

	if (r < 0)
		return error_set(err, r, "the descriptor is no netfilter socket");
	l->settings.port_id = address.nl_pid;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &l->settings.netns_cookie, &cookie_len) < 0)
		l->settings.netns_cookie = 0;
	return 0;
}

/* Whoever opened the socket has looked: the kernel has not refused. So an answer that the full socket
 * lost was a yes; only where nothing was lost there never was one. */
static int await_bound(struct nfl_listener *l, struct nfl_error *err)
{
	CLEANUP(freep) uint8_t *buffer = malloc(NFL_RECEIVE_BUFFER);
	uint32_t memory[SK_MEMINFO_VARS];
	int r;

	if (!buffer)
		return error_set(err, -ENOMEM, "no memory");
	r = await_answer(l, buffer, BIND_SEQ);
	if (r == -ENOBUFS) {
		if (read_memory(l->fd, memory) && memory[SK_MEMINFO_DROPS] > 0)
			return 0;
		return error_set(err, -EINVAL, "the socket has no answer of the kernel's");
	}
	if (r < 0)
		return error_set(err, r, "group %u: not bound: %s", l->group, strerror(-r));
	return 0;
}

/* @fd is the listener's on success. */
static int adopt(const struct nfl_listener_options *resolved, int fd, struct nfl_listener **ret,
		 struct nfl_error *err)
{
	CLEANUP(nfl_listener_closep) struct nfl_listener *l = listener_new();
	int r;

	if (!l)
		return error_set(err, -ENOMEM, "no memory");
	l->group = resolved->group;
	r = learn_socket(l, fd, err);
	if (r < 0)
		return r;
	learn_settings(l, resolved);
	l->fd = fd;
	r = await_bound(l, err);
	if (r < 0) {
		l->fd = -1;
		return r;
	}
	l->is_bound = true;
	*ret = TAKE_PTR(l);
	return 0;
}

int nfl_listener_adopt(const struct nfl_listener_options *options, int fd,
		       struct nfl_listener **ret, struct nfl_error *err)
{
	struct nfl_listener_options resolved;
	int r;

	if (!options || !ret)
		return error_set(err, -EINVAL, "options and ret must be given");
	r = options_resolve(options, &resolved, err);
	return r < 0 ? r : adopt(&resolved, fd, ret, err);
}

int nfl_listener_open(const struct nfl_listener_options *options, struct nfl_listener **ret,
		      struct nfl_error *err)
{
	CLEANUP(closep) int netns_fd = -1, fd = -1;
	struct nfl_listener_options resolved;
	struct nfl_listener *l;
	uint64_t dev, inode;
	int r;

	if (!options || !ret)
		return error_set(err, -EINVAL, "options and ret must be given");
	r = options_resolve(options, &resolved, err);
	if (r < 0)
		return r;
	r = netns_open(&resolved.netns, &netns_fd, err);
	if (r < 0)
		return r;
	r = netns_identify(netns_fd, &dev, &inode);
	if (r < 0)
		return error_set(err, r, "network namespace: %s", strerror(-r));
	r = socket_open(netns_fd, &resolved, &fd, err);
	if (r == 0)
		r = adopt(&resolved, fd, &l, err);
	if (r < 0)
		return r;
	(void)take_fd(&fd);
	l->is_own = true;
	l->settings.netns_dev = dev;
	l->settings.netns_inode = inode;
	*ret = l;
	return 0;
}

int nfl_listener_note_configured(struct nfl_listener *listener,
				 const struct nfl_listener_options *options)
{
	struct nfl_listener_options resolved;
	int r;

	if (!listener || !options)
		return -EINVAL;
	r = options_resolve(options, &resolved, NULL);
	if (r == 0 && resolved.group != listener->group)
		r = -EINVAL;
	if (r == 0)
		learn_settings(listener, &resolved);
	return r;
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

void nfl_listener_note_unbound(struct nfl_listener *listener)
{
	if (listener)
		listener->is_bound = false;
}

void nfl_listener_close(struct nfl_listener *listener)
{
	struct request request;
	int cancel_fd;

	if (!listener)
		return;
	cancel_fd = atomic_load(&listener->cancel_fd);
	if (listener->is_own && listener->is_bound) {
		/* A forked child may hold the socket: the group is free now, not when it ends.
		 * Where the right to unbind was given up, closing has to do. */
		request_unbind(listener->group, REQUEST_UNANSWERED, &request);
		(void)socket_send(listener->fd, &request);
	}
	closep(&cancel_fd);
	closep(&listener->fd);
	while (listener->kept) {
		struct kept *next = listener->kept->next;

		free(listener->kept);
		listener->kept = next;
	}
	free(listener->current_kept);
	free(listener->stream.memo);
	free(listener->buffer);
	free(listener);
}

int nfl_listener_fd(const struct nfl_listener *listener)
{
	return listener ? listener->fd : -EINVAL;
}

void nfl_listener_stats(const struct nfl_listener *listener, struct nfl_listener_stats *ret)
{
	uint32_t memory[SK_MEMINFO_VARS];

	*ret = listener->stats;
	if (!read_memory(listener->fd, memory))
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
	ret->rcvbuf = receive_buffer(listener->fd);
}
