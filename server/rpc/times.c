/* SPDX-License-Identifier: MIT */
/* Times of the wire: seconds and nanoseconds, where ours are one number of nanoseconds. */
#include "times.h"

#include <errno.h>

#include "arena.h"
#include "clock.h"

/* The range of google.protobuf.Timestamp: the years 1 to 9999. */
#define TIMESTAMP_MIN_S INT64_C(-62135596800)
#define TIMESTAMP_MAX_S INT64_C(253402300799)

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

int times_parse_timestamp(const Google__Protobuf__Timestamp *timestamp, int64_t *ret_ns)
{
	if (timestamp->seconds < TIMESTAMP_MIN_S || timestamp->seconds > TIMESTAMP_MAX_S ||
	    timestamp->nanos < 0 || timestamp->nanos >= NS_PER_S)
		return -EINVAL;
	if (timestamp->seconds < 0)
		*ret_ns = 0;
	else if (timestamp->seconds >= INT64_MAX / NS_PER_S)
		*ret_ns = INT64_MAX;
	else
		*ret_ns = timestamp->seconds * NS_PER_S + timestamp->nanos;
	return 0;
}
