/* SPDX-License-Identifier: MIT */
/* rpc/rate.h - at most so many packets a second, with a burst of one second's worth */
#ifndef RPC_RATE_H
#define RPC_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Time is monotonic and passed in. Threads: the holder's. */
struct rate {
	uint64_t per_second; /* 0: no limit */
	uint64_t credit;     /* in packets / 10^9, so that no part of one is ever rounded away */
	int64_t time_ns;     /* of the credit */
};

/* Begins with a full second's worth. */
void rate_init(struct rate *rate, uint64_t per_second, int64_t now_ns);

/* Adds what has been earned since the last time. */
void rate_earn(struct rate *rate, int64_t now_ns);

/* Takes one packet's credit; false: there is none. */
bool rate_take(struct rate *rate);

#endif
