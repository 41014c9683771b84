/* SPDX-License-Identifier: MIT */
/*
 * intake/gears.h - gives the kernel other settings for sources whose rate has changed
 *
 * adapt.h says what is right for one source; here is when it is done: one source at a time, because
 * the thread waits for the opener meanwhile, some 0.1 ms. Private to the room, and the thread's.
 */
#ifndef INTAKE_GEARS_H
#define INTAKE_GEARS_H

#include <stdbool.h>
#include <stdint.h>

#include "adapt.h"

struct feed_room;
struct space;

/* Zero-initialised: all sources in the lowest gear. */
struct gears {
	struct pressure pressure;
	int64_t look_ns;  /* when to look at those that have fallen silent, at the latest */
	int64_t shift_ns; /* not before this */
	bool raised;      /* some source is above the lowest */
	bool pending;     /* some source is to have another */
};

/* For epoll_wait(2): how long to wait for packets, in ms. */
int gears_timeout(const struct gears *gears);

/* At the end of a round: @spaces, their feeds, are looked at when there is something to do. */
void gears_shift(struct gears *gears, struct space *spaces, struct feed_room *room, int64_t now_ns);

#endif
