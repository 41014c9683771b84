/* SPDX-License-Identifier: MIT */
/* When the intake's thread sleeps. Called once for each socket of a round, and once for each round. */
#include "rest.h"

#include "clock.h"

#define REST_NS      NS_PER_MS
#define REST_FILL    8  /* the part of a receive buffer that one rest may fill */
#define FULL_RECORDS 64 /* of a datagram: nobody asked for each packet at once */
/* The kernel counts what it has allocated: a buffer for a datagram is up to twice its bytes. */
#define TRUESIZE 2

void rest_note(struct rest_round *round, uint64_t records, uint64_t datagrams, uint64_t bytes,
	       uint32_t rcvbuf)
{
	if (records < datagrams * FULL_RECORDS)
		return;
	round->full += datagrams;
	if (bytes * TRUESIZE > rcvbuf / REST_FILL)
		round->in_a_hurry = true;
}

int64_t rest_length(struct rest *rest, const struct rest_round *round, int64_t now_ns)
{
	int64_t last_ns = rest->last_ns;

	if (round->full == 0)
		return 0;
	rest->last_ns = now_ns;
	if (round->in_a_hurry || now_ns - last_ns > (int64_t)round->full * REST_NS)
		return 0;
	return REST_NS;
}
