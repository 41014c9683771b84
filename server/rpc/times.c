/* SPDX-License-Identifier: MIT */
/* Times of the wire: seconds and nanoseconds, where ours are one number of nanoseconds. */
#include "times.h"

#include <errno.h>

#include "arena.h"
#include "clock.h"

void times_timestamp(int64_t time_ns, Google__Protobuf__Timestamp *ret)
{
	google__protobuf__timestamp__init(ret);
	ret->seconds = time_ns / NS_PER_S;
	ret->nanos = (int32_t)(time_ns % NS_PER_S);
}

void times_duration(int64_t duration_ns, Google__Protobuf__Duration *ret)
{
	google__protobuf__duration__init(ret);
	ret->seconds = duration_ns / NS_PER_S;
	ret->nanos = (int32_t)(duration_ns % NS_PER_S);
}

Google__Protobuf__Timestamp *times_new_timestamp(struct arena *arena, int64_t time_ns)
{
	Google__Protobuf__Timestamp *timestamp = arena_alloc(arena, sizeof(*timestamp));

	if (timestamp)
		times_timestamp(time_ns, timestamp);
	return timestamp;
}

Google__Protobuf__Duration *times_new_duration(struct arena *arena, int64_t duration_ns)
{
	Google__Protobuf__Duration *duration = arena_alloc(arena, sizeof(*duration));

	if (duration)
		times_duration(duration_ns, duration);
	return duration;
}

int times_parse_duration(const Google__Protobuf__Duration *duration, int64_t max_ns,
			 int64_t *ret_ns)
{
	if (duration->seconds < 0 || duration->nanos < 0 || duration->nanos >= NS_PER_S)
		return -EINVAL;
	if (duration->seconds > max_ns / NS_PER_S) {
		*ret_ns = max_ns;
		return 0;
	}
	*ret_ns = duration->seconds * NS_PER_S + duration->nanos;
	if (*ret_ns > max_ns)
		*ret_ns = max_ns;
	return 0;
}
