/* SPDX-License-Identifier: MIT */
/* What several answers of the server have in common; the numbers are the server's, so any number. */
#include "convert.h"

#include <errno.h>

#include "clock.h"

int64_t time_from_proto(const Google__Protobuf__Timestamp *time)
{
	const int64_t limit_s = INT64_MAX / NS_PER_S - 5; /* nanos may add 2.1 s */

	if (!time)
		return 0;
	if (time->seconds > limit_s)
		return INT64_MAX;
	if (time->seconds < -limit_s)
		return INT64_MIN;
	return time->seconds * NS_PER_S + time->nanos;
}

uint32_t ms_from_proto(const Google__Protobuf__Duration *duration)
{
	int64_t ms;

	if (!duration || duration->seconds < 0 || duration->nanos < 0)
		return 0;
	if (duration->seconds > UINT32_MAX / 1000 - 3)
		return UINT32_MAX;
	ms = duration->seconds * 1000 + duration->nanos / NS_PER_MS;
	return (uint32_t)ms;
}

int source_from_proto(const Nflog__V1__Source *source, struct nfl_client_source *ret)
{
	if (!source || source->group > UINT16_MAX)
		return -EBADMSG;
	*ret = (struct nfl_client_source){
	    .id = source->source_id,
	    .group = (uint16_t)source->group,
	    .state = (enum nfl_client_source_state)source->state,
	    .netns = source->netns,
	    .detail = source->detail,
	    .state_time_ns = time_from_proto(source->state_time),
	};
	return 0;
}
