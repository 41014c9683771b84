/* SPDX-License-Identifier: MIT */
/* The lower bound of what is lost after the last packet: drops that no gap has accounted for. */
#include "tail.h"

void tail_init(struct tail *tail, uint32_t drops)
{
	*tail = (struct tail){.drops = drops};
}

void tail_packet(struct tail *tail, uint64_t gap)
{
	if (tail->has_read) {
		tail->gaps += gap;
		return;
	}
	tail->has_read = true;
	tail->pending = 0; /* in this packet's gap */
}

void tail_empty(struct tail *tail, uint32_t drops)
{
	uint32_t dropped = drops - tail->drops; /* the kernel's counter wraps */

	if (dropped > tail->gaps)
		tail->pending += dropped - tail->gaps;
	tail->drops = drops;
	tail->gaps = 0;
	tail->has_read = false;
}
