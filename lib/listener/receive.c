/* SPDX-License-Identifier: MIT */
/*
 * receive.c - from the socket to the callback
 *
 * A datagram comes from the socket, or was kept while a request was under way, and goes to the
 * callback record by record. Whatever the callback leaves of it is the first thing that the next
 * call delivers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "clock.h"
#include "handle.h"
#include "socket.h"

#define NETLINK_ALIGNMENT 4

int listener_read(struct nfl_listener *l, uint8_t *buffer, size_t len, struct datagram *ret)
{
	bool is_foreign = false;
	ssize_t n;

	/* ENOBUFS tells of packets that are gone, not of a broken socket: what is queued comes next. */
	do {
		n = socket_read(l->fd, buffer, len, MSG_TRUNC, &is_foreign);
		if (n == -ENOBUFS)
			l->stats.overruns++;
	} while (n == -ENOBUFS || n == -EINTR);
	if (n < 0)
		return (int)n;
	*ret = (struct datagram){
	    .at = buffer,
	    .left = (size_t)n < len ? (size_t)n : len, /* MSG_TRUNC: n is the real length */
	    .time_ns = realtime_ns(),
	    .cut = (size_t)n > len,
	};
	if (is_foreign) {
		l->stats.foreign++;
		return 0;
	}
	if (ret->cut)
		l->stats.truncated++;
	return 1;
}

int listener_keep(struct nfl_listener *l, const struct datagram *datagram)
{
	struct kept *kept = malloc(sizeof(*kept) + datagram->left);

	if (!kept)
		return -ENOMEM;
	kept->next = NULL;
	kept->time_ns = datagram->time_ns;
	kept->len = datagram->left;
	kept->cut = datagram->cut;
	memcpy(kept->bytes, datagram->at, datagram->left);
	*l->kept_end = kept;
	l->kept_end = &kept->next;
	return 0;
}

static void take_kept(struct nfl_listener *l)
{
	struct kept *kept = l->kept;

	l->kept = kept->next;
	if (!l->kept)
		l->kept_end = &l->kept;
	l->current_kept = kept;
	l->current = (struct datagram){
	    .at = kept->bytes,
	    .left = kept->len,
	    .time_ns = kept->time_ns,
	    .cut = kept->cut,
	};
}

static int own_buffer(struct nfl_listener *l, uint8_t **ret)
{
	if (!l->buffer)
		l->buffer = malloc(NFL_RECEIVE_BUFFER);
	if (!l->buffer)
		return -ENOMEM;
	*ret = l->buffer;
	return 0;
}

/* Makes the next datagram the current one. As listener_read(). */
static int next_datagram(struct nfl_listener *l, uint8_t *buffer, size_t len)
{
	struct datagram datagram;
	int r;

	free(TAKE_PTR(l->current_kept));
	if (l->kept) {
		take_kept(l);
	} else {
		if (!buffer) {
			len = NFL_RECEIVE_BUFFER;
			r = own_buffer(l, &buffer);
			if (r < 0)
				return r;
		}
		r = listener_read(l, buffer, len, &datagram);
		if (r <= 0)
			return r;
		l->current = datagram;
	}
	l->stats.datagrams++;
	l->stats.bytes += l->current.left;
	return 1;
}

bool nfl_listener_has_records(const struct nfl_listener *listener)
{
	return listener && (listener->current.left > 0 || listener->kept);
}

int nfl_listener_receive(struct nfl_listener *listener, void *buffer, size_t buffer_len,
			 nfl_record_fn fn, void *data)
{
	int r;

	if (!listener || !fn || (uintptr_t)buffer % NETLINK_ALIGNMENT || (buffer && !buffer_len))
		return -EINVAL;
	if (!listener->current.left) {
		r = next_datagram(listener, buffer, buffer_len);
		if (r <= 0)
			return r;
	}
	return datagram_deliver(&listener->current, &listener->stream, &listener->stats, fn, data);
}
