/* SPDX-License-Identifier: MIT */
/* trouble.h - what goes wrong rarely, made to happen */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "lab.h"

/* A thread that sends as fast as it can until it is told to end. */
struct flood {
	struct lab *lab;
	atomic_bool stop;
	atomic_bool is_sending;
	pthread_t thread;
};

/* Packets are under way when it returns. */
void flood_start(struct flood *flood, struct lab *lab);
void flood_end(struct flood *flood);

/**
 * trouble_slow_kernel - packets between BIND and the settings, and between these and the answer
 * @lab: sends them; NULL: as usual again
 * @packets: each time
 */
void trouble_slow_kernel(struct lab *lab, size_t packets);

/* A packet message with SEQ, as the kernel makes them, from a socket of a tenant's. */
void trouble_forge(const struct lab *lab, uint32_t port_id);
/* That, before each request is sent, to who sends it; NULL: no more. */
void trouble_forge_first(const struct lab *lab);

/* Requests that this process has sent to the kernel so far. */
unsigned trouble_requests(void);

#endif
