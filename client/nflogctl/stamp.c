/* SPDX-License-Identifier: MIT */
/* Seconds since another packet: few see them, so printf is fast enough. */
#include "stamp.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"

size_t stamp_put(struct stamp *stamp, char *buf, const struct nfl_packet *packet)
{
	const struct nfl_record *r = &packet->record;
	int64_t now_ns = r->present & NFL_HAS_PACKET_TIME ? r->packet_time_ns : r->receive_time_ns;
	uint64_t us;
	bool is_before;
	char seconds[STAMP_BYTES];

	if (stamp->kind == STAMP_NONE)
		return 0;
	if (!stamp->is_set)
		stamp->from_ns = now_ns;
	is_before = now_ns < stamp->from_ns; /* hooks differ in the clock that they ask */
	us = is_before ? (uint64_t)stamp->from_ns - (uint64_t)now_ns
		       : (uint64_t)now_ns - (uint64_t)stamp->from_ns;
	us /= NS_PER_US;
	if (!stamp->is_set || stamp->kind == STAMP_LAST)
		stamp->from_ns = now_ns;
	stamp->is_set = true;
	(void)snprintf(seconds, sizeof(seconds), "%s%" PRIu64, is_before ? "-" : "", us / US_PER_S);
	return (size_t)snprintf(buf, STAMP_BYTES, "%5s.%06" PRIu64 " ", seconds, us % US_PER_S);
}

size_t stamp_head(const struct stamp *stamp, char *buf)
{
	return stamp->kind == STAMP_NONE ? 0 : (size_t)snprintf(buf, STAMP_BYTES, "%-13s", "TIME");
}
