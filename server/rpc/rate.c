/* SPDX-License-Identifier: MIT */
/* A token bucket in whole numbers: a nanosecond earns per_second units, a packet costs 10^9. */
#include "rate.h"

#include "clock.h"

#define PACKET_COST    ((uint64_t)NS_PER_S)
#define PER_SECOND_MAX ((uint64_t)NS_PER_S) /* a full bucket fits into 64 bits */

void rate_init(struct rate *rate, uint64_t per_second, int64_t now_ns)
{
	rate->per_second = per_second < PER_SECOND_MAX ? per_second : PER_SECOND_MAX;
	rate->credit = rate->per_second * PACKET_COST;
	rate->time_ns = now_ns;
}

void rate_earn(struct rate *rate, int64_t now_ns)
{
	uint64_t full = rate->per_second * PACKET_COST;
	int64_t elapsed_ns = now_ns - rate->time_ns;

	if (elapsed_ns <= 0)
		return;
	if (elapsed_ns > NS_PER_S)
		elapsed_ns = NS_PER_S;
	rate->time_ns = now_ns;
	rate->credit += rate->per_second * (uint64_t)elapsed_ns;
	if (rate->credit > full)
		rate->credit = full;
}

bool rate_take(struct rate *rate)
{
	if (rate->per_second == 0)
		return true;
	if (rate->credit < PACKET_COST)
		return false;
	rate->credit -= PACKET_COST;
	return true;
}
