/* SPDX-License-Identifier: MIT */
#ifndef NFL_BASE_CLOCK_H
#define NFL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

/* Nanoseconds of a clock since its epoch; both clocks used here cannot fail. */
static inline int64_t clock_now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* For deadlines and intervals. */
static inline int64_t monotonic_ns(void)
{
	return clock_now_ns(CLOCK_MONOTONIC);
}

/* For time stamps that people and other hosts read. */
static inline int64_t realtime_ns(void)
{
	return clock_now_ns(CLOCK_REALTIME);
}

#endif
