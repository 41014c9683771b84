/* SPDX-License-Identifier: MIT */
/*
 * intake/tail.h - packets lost after the last one that came
 *
 * A gap in NFULA_SEQ shows only with the packet after it. Until that comes, the socket's drop counter
 * tells that something is missing: it counts datagrams, each of at least one packet, so it gives a
 * lower bound. A socket that was read empty makes the line: what was dropped before it is in the gap
 * of the first packet after it, or, if none comes, at the tail.
 *
 * Private to the room; one thread at a time.
 */
#ifndef INTAKE_TAIL_H
#define INTAKE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

struct tail {
	uint32_t drops;   /* datagrams, as counted when the socket was empty last */
	uint64_t gaps;    /* packets in gaps after the first packet since then */
	bool has_read;    /* there was a packet since then */
	uint64_t pending; /* packets lost after the last one, at least */
};

/* Of a socket that was bound just now: its first packet has a gap of all that was dropped before. */
void tail_init(struct tail *tail);

/* A packet has come, with a gap of so many before it. Returns how many of them were pending. */
uint64_t tail_packet(struct tail *tail, uint64_t gap);

/* The socket is empty, or will not be read again, and has counted so many drops. */
void tail_empty(struct tail *tail, uint32_t drops);

#endif
