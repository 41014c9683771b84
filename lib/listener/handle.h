/* SPDX-License-Identifier: MIT */
/* listener/handle.h - what is behind struct nfl_listener, for the files of this room */
#ifndef LISTENER_HANDLE_H
#define LISTENER_HANDLE_H

#include <stdatomic.h>

#include "datagram.h"

/* A datagram that came while the kernel's answer to a request was awaited. */
struct kept {
	struct kept *next; /* owned */
	int64_t time_ns;
	size_t len;
	bool cut;
	_Alignas(8) uint8_t bytes[];
};

struct nfl_listener {
	int fd;
	atomic_int cancel_fd; /* eventfd: wakes run; -1 until the first run */
	atomic_bool cancelled;
	bool is_bound;
	bool is_own; /* bound by this process, which gives the group back at the close */
	uint16_t group;
	uint32_t request_seq;
	uint32_t lost_answers; /* dropped by the full socket, though they are no packets */
	struct nfl_listener_settings settings;
	struct nfl_listener_stats stats;
	struct stream stream;
	struct datagram current; /* points into the caller's buffer, `buffer` or `current_kept` */
	struct kept *kept;       /* owned, oldest first; delivered before anything else is read */
	struct kept **kept_end;
	struct kept *current_kept; /* owned */
	uint8_t *buffer;           /* owned, NFL_RECEIVE_BUFFER bytes; NULL until needed */
};

/**
 * listener_read - one datagram from the socket, never waits
 * Returns 1, 0 when it was none of the kernel's (@ret then tells its size), -EAGAIN when the socket
 * is empty, or -errno. Counts overruns, truncated and foreign.
 */
int listener_read(struct nfl_listener *l, uint8_t *buffer, size_t len, struct datagram *ret);

/* Copies a datagram to the end of the kept ones. 0 or -ENOMEM. */
int listener_keep(struct nfl_listener *l, const struct datagram *datagram);

/* For CLEANUP(nfl_listener_closep). */
static inline void nfl_listener_closep(struct nfl_listener **l)
{
	nfl_listener_close(*l);
}

#endif
