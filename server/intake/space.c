/* SPDX-License-Identifier: MIT */
/* One for each namespace, however many groups of it are read. */
#include "space.h"

#include <stdlib.h>

#include "feed.h"
#include "links.h"

struct space *space_new(struct links *links)
{
	struct space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	space->watch.kind = WATCH_SPACE;
	space->links = links;
	return space;
}

void space_free(struct space *space)
{
	if (!space)
		return;
	while (space->feeds) {
		struct feed *feed = space->feeds;

		space->feeds = feed->next;
		feed_free(feed);
	}
	links_close(space->links);
	free(space);
}
