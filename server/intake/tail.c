/* SPDX-License-Identifier: MIT */
/* The lower bound of what is lost after the last packet: drops that no gap has accounted for. */
#include "tail.h"

void tail_init(struct tail *tail)
{
	*tail = (struct tail){0};
}

uint64_t tail_packet(struct tail *tail, uint64_t gap)
{
	uint64_t settled = tail->pending < gap ? tail->pending : gap;

	if (tail->has_read) {
		tail->gaps += gap;
		return 0;
	}
	tail->has_read = true;
	tail->pending = 0; /* in this packet's gap */
	return settled;
}

void tail_empty(struct tail *tail, uint32_t drops)
{
	uint32_t dropped = drops - tail->drops; /* the kernel's counter wraps */

	if (dropped > INT32_MAX) /* an answer that was lost is taken off late: no drop is new */
		dropped = 0;
	if (dropped > tail->gaps)
		tail->pending += dropped - tail->gaps;
	tail->drops = drops;
	tail->gaps = 0;
	tail->has_read = false;
}
