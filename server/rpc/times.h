/* SPDX-License-Identifier: MIT */
/* rpc/times.h - nanoseconds to and from protobuf's Timestamp and Duration */
#ifndef RPC_TIMES_H
#define RPC_TIMES_H

#include <stdint.h>

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

struct arena;

/* @time_ns: since the epoch, not negative; as is @duration_ns. */
void times_timestamp(int64_t time_ns, Google__Protobuf__Timestamp *ret);
void times_duration(int64_t duration_ns, Google__Protobuf__Duration *ret);

/* The same in an arena; NULL without memory. */
Google__Protobuf__Timestamp *times_new_timestamp(struct arena *arena, int64_t time_ns);
Google__Protobuf__Duration *times_new_duration(struct arena *arena, int64_t duration_ns);

/**
 * times_parse_duration - a duration that a peer sent
 * @ret_ns: not negative; what is longer than @max_ns is @max_ns
 * Returns 0, or -EINVAL when it is negative or against the rules of google.protobuf.Duration.
 */
int times_parse_duration(const Google__Protobuf__Duration *duration, int64_t max_ns,
			 int64_t *ret_ns);

/**
 * times_parse_timestamp - a time that a peer sent
 * @ret_ns: since the epoch; 0 for what is before, INT64_MAX for what is after all that it can hold
 * Returns 0, or -EINVAL when it is against the rules of google.protobuf.Timestamp.
 */
int times_parse_timestamp(const Google__Protobuf__Timestamp *timestamp, int64_t *ret_ns);

#endif
