/* SPDX-License-Identifier: MIT */
/* reconnect.h - whether a stream that ended is begun again, and when. Threads: the stream's. */
#ifndef CLIENT_RECONNECT_H
#define CLIENT_RECONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

/* Zero-initialised is a stream whose first call has not started yet. */
struct reconnect {
	bool started;      /* the stream was: before that, a failure is the end */
	unsigned tries;    /* since it last started */
	int64_t try_at_ns; /* monotonic, of the next one; 0: none waits */
};

/**
 * reconnect_helps - is this the end of a connection, or what a server will say again
 * @slow_is_final: the caller chose that a slow reader's stream ends
 */
bool reconnect_helps(const struct nfl_client_status *status, bool slow_is_final);

/* Plans the next try; returns the pause before it. */
uint32_t reconnect_plan_ms(struct reconnect *reconnect);

/* The stream has started (again). */
void reconnect_succeeded(struct reconnect *reconnect);

#endif
