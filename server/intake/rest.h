/* SPDX-License-Identifier: MIT */
/*
 * intake/rest.h - under a flood, read less often and more at once
 *
 * Being woken for a datagram costs as much as storing some fifty packets. When full datagrams come
 * faster than one in REST_NS, the thread sleeps so long before it looks again; what comes meanwhile
 * waits in the receive buffers. A buffer that would be more than REST_FILL full by then must not
 * wait, and neither does what comes in small datagrams: who asks the kernel for those wants them now.
 */
#ifndef INTAKE_REST_H
#define INTAKE_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one round has read. Zero-initialised: nothing. */
struct rest_round {
	uint64_t full;   /* datagrams of many packets */
	bool in_a_hurry; /* some buffer is too small for a rest */
};

/* Of the intake's thread. Zero-initialised: just begun. */
struct rest {
	int64_t last_ns; /* monotonic: end of the last round with a full datagram */
};

/**
 * rest_note - something was read of one socket
 * @records, @datagrams, @bytes: of this round
 * @rcvbuf: bytes of its receive buffer, as the kernel counts
 */
void rest_note(struct rest_round *round, uint64_t records, uint64_t datagrams, uint64_t bytes,
	       uint32_t rcvbuf);

/* How long to sleep after this round, in ns; 0: not at all. */
int64_t rest_length(struct rest *rest, const struct rest_round *round, int64_t now_ns);

#endif
