/* SPDX-License-Identifier: MIT */
/* listener/datagram.h - the records in a datagram, and what their sequence numbers tell */
#ifndef LISTENER_DATAGRAM_H
#define LISTENER_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/listener.h>

/* What is left of a datagram to deliver. Zero-initialised: nothing. */
struct datagram {
	const uint8_t *at; /* borrowed, 4-byte aligned */
	size_t left;
	int64_t time_ns; /* CLOCK_REALTIME of the read */
	bool cut;        /* it was longer than the buffer */
};

struct memo;

/* What one datagram says for the next. Zero-initialised: just bound, and no payload wanted. */
struct stream {
	uint32_t copy_range; /* bytes of payload at most */
	uint32_t next_seq;
	bool after_damage; /* a datagram was cut or malformed since the last record */
	struct memo *memo; /* owned, by free(); NULL until a datagram with many messages comes */
};

/**
 * datagram_deliver - call fn for the records that are left, until it wants no more
 * @datagram: advanced; left is 0 when it is done with
 * @stats: records, lost_kernel, lost_decode and malformed are counted
 *
 * Returns the number of records delivered, or fn's value when that was negative. A message that
 * cannot be read ends the datagram: where it was wrong is where the next one would begin.
 */
int datagram_deliver(struct datagram *datagram, struct stream *stream,
		     struct nfl_listener_stats *stats, nfl_record_fn fn, void *data);

#endif
