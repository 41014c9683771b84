/* SPDX-License-Identifier: MIT */
/* One for each namespace, however many groups of it are read: made when its first feed is added. */
#include "space.h"

#include <inttypes.h>
#include <stdlib.h>

#include "links.h"
#include "log.h"

struct space *space_new(int netns_fd, uint64_t dev, uint64_t inode)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_FD, .fd = netns_fd};
	struct space *space = calloc(1, sizeof(*space));
	struct nfl_error err;

	if (!space)
		return NULL;
	space->watch.kind = WATCH_SPACE;
	space->dev = dev;
	space->inode = inode;
	if (links_open(&netns, &space->links, &err) < 0) {
		char text[sizeof(err.text) * 4];

		log_warn("links.failed",
			 "netns_inode=%" PRIu64 " error=%s effect=\"no interface names\"", inode,
			 log_quote(text, sizeof(text), err.text));
	}
	return space;
}

void space_free(struct space *space)
{
	if (!space)
		return;
	links_close(space->links);
	free(space);
}
