/* SPDX-License-Identifier: MIT */
/*
 * intake/adapt.h - which batching is right for a source, by how fast its packets come
 *
 * Up as soon as some hundred packets tell that it must be; down after half a second in which half of
 * what leads up was not reached. Packets that come one by one cost a hundred times as much as in a
 * large batch, so a thread that reads many sources has a limit for all of them together: while more
 * than PRESSED_DATAGRAMS a second would come, every source that talks goes up and none goes down.
 *
 * Pure, and the intake thread's. Times are monotonic.
 */
#ifndef INTAKE_ADAPT_H
#define INTAKE_ADAPT_H

#include <stdbool.h>
#include <stdint.h>

#include "batching.h"

/* Of one source. Zero-initialised: nothing came yet, BATCHING_SINGLE is in force. */
struct adapt {
	enum batching batching; /* in force: the caller's to set */
	enum batching right;    /* as judged last */
	uint64_t packets;       /* of the source when the window began */
	uint64_t rate;          /* packets/s, of the window before */
	int64_t window_ns;      /* when that was; 0: it has not */
	int64_t low_ns;         /* since when less would do; 0: it would not */
};

/**
 * adapt_judge - the batching that is right now
 * @packets: of the source since it began, lost ones included: those come fast as well
 * @pressed: adapt_press()
 */
enum batching adapt_judge(struct adapt *adapt, uint64_t packets, bool pressed, int64_t now_ns);

/* What reading a source counts for adapt_press(): its datagrams, but its packets where they come so
 * slowly that without pressure each would be one. Else going up would end what it was done for. */
uint64_t adapt_load(const struct adapt *adapt, uint64_t packets, uint64_t datagrams);

/* Of all sources of a thread. Zero-initialised: nothing came yet. */
struct pressure {
	uint64_t load; /* in this window */
	int64_t window_ns;
	bool pressed;
};

/* So much was read, by adapt_load(). Returns whether it is too much. */
bool adapt_press(struct pressure *pressure, uint64_t load, int64_t now_ns);

#endif
