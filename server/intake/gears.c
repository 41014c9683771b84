/* SPDX-License-Identifier: MIT */
/* At most one source a millisecond, a second later where it failed. Called by intake.c. */
#include "gears.h"

#include "clock.h"
#include "feed.h"
#include "space.h"

#define LOOK_MS   100 /* packets in a batch that was large a moment ago wait 20 ms at most */
#define SHIFT_NS  NS_PER_MS
#define FAILED_NS NS_PER_S

int gears_timeout(const struct gears *gears)
{
	return gears->raised || gears->pending ? LOOK_MS : -1;
}

static void shift(struct gears *gears, struct feed *feed, const struct feed_room *room,
		  int64_t now_ns)
{
	gears->shift_ns = now_ns + (feed_shift(feed, room) == 0 ? SHIFT_NS : FAILED_NS);
}

/* Returns whether one was given another gear, or could not be. */
static bool look_at(struct gears *gears, struct space *space, const struct feed_room *room,
		    bool may_shift, int64_t now_ns)
{
	bool shifted = false;

	for (struct feed *feed = space->feeds; feed; feed = feed->next) {
		if (feed_judge(feed, room, now_ns)) {
			if (may_shift && !shifted) {
				shift(gears, feed, room, now_ns);
				shifted = true;
			} else {
				gears->pending = true;
			}
		}
		gears->raised |= feed->adapt.batching != BATCHING_SINGLE;
	}
	return shifted;
}

void gears_shift(struct gears *gears, struct space *spaces, struct feed_room *room, int64_t now_ns)
{
	bool is_due = gears->raised && now_ns >= gears->look_ns;
	bool shifted = false;

	room->pressed = adapt_press(&gears->pressure, room->load, now_ns);
	gears->pending |= room->shifting;
	if ((!gears->pending && !is_due) || now_ns < gears->shift_ns)
		return;
	gears->pending = gears->raised = false;
	for (struct space *space = spaces; space; space = space->next)
		shifted |= look_at(gears, space, room, !shifted, now_ns);
	gears->look_ns = now_ns + LOOK_MS * NS_PER_MS;
}
