/* SPDX-License-Identifier: MIT */
/*
 * One thread for every listener of the daemon: epoll on their sockets and on the links of their
 * namespaces, one receive buffer for all.
 *
 * Main adds feeds before it starts the thread, and stops it; in between all of it belongs to the
 * thread. A round takes a bounded number of datagrams of each readable socket, which stays readable
 * when there is more; then subscribers are woken once, however much was published.
 */
#include "intake.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "cleanup.h"
#include "clock.h"
#include "error.h"
#include "feed.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "source.h"
#include "space.h"

#define ROUND_EVENTS    64
#define ROUND_DATAGRAMS 32u      /* of one socket: some milliseconds of work */
#define DRY_TIMEOUT_NS  NS_PER_S /* for all sockets, should one not run dry */

struct intake {
	int epoll_fd;
	int stop_fd; /* eventfd */
	struct watch stop_watch;
	struct feed *feeds;   /* owned list */
	struct space *spaces; /* owned list */
	struct feed_room room;
	pthread_t thread;
	bool started;
	intake_wake_fn wake; /* const after start */
	void *wake_data;     /* borrowed, const after start */
};

static int watch_fd(const struct intake *intake, int fd, struct watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

	return epoll_ctl(intake->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void intake_freep(struct intake **intake)
{
	intake_free(*intake);
}

int intake_new(struct registry *registry, struct intake **ret)
{
	CLEANUP(intake_freep) struct intake *intake = calloc(1, sizeof(*intake));
	int r;

	if (!intake)
		return -ENOMEM;
	intake->stop_watch.kind = WATCH_STOP;
	intake->room.registry = registry;
	intake->stop_fd = -1;
	intake->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (intake->epoll_fd < 0)
		return -errno;
	intake->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (intake->stop_fd < 0)
		return -errno;
	intake->room.buffer = malloc(NFL_RECEIVE_BUFFER);
	if (!intake->room.buffer)
		return -ENOMEM;
	r = watch_fd(intake, intake->stop_fd, &intake->stop_watch);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(intake);
	return 0;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	intake_stop(intake);
	while (intake->feeds) {
		struct feed *feed = intake->feeds;

		intake->feeds = feed->next;
		feed_free(feed);
	}
	while (intake->spaces) {
		struct space *space = intake->spaces;

		intake->spaces = space->next;
		space_free(space);
	}
	free(intake->room.buffer);
	closep(&intake->stop_fd);
	closep(&intake->epoll_fd);
	free(intake);
}

/* --- adding ------------------------------------------------------------------------------ */

/* The space of a namespace, made and watched when it is new. */
static int get_space(struct intake *intake, int netns_fd, uint64_t dev, uint64_t inode,
		     struct space **ret)
{
	struct space *space;
	int r;

	for (space = intake->spaces; space; space = space->next) {
		if (space->dev == dev && space->inode == inode) {
			*ret = space;
			return 0;
		}
	}
	space = space_new(netns_fd, dev, inode);
	if (!space)
		return -ENOMEM;
	r = space->links ? watch_fd(intake, links_fd(space->links), &space->watch) : 0;
	if (r < 0) {
		space_free(space);
		return r;
	}
	space->next = intake->spaces;
	intake->spaces = space;
	*ret = space;
	return 0;
}

/* The kernel would refuse it as well, but could not say that the other reader is this daemon. */
static int check_not_read(const struct intake *intake, const struct space *space, uint16_t group,
			  struct nfl_error *err)
{
	for (const struct feed *feed = intake->feeds; feed; feed = feed->next)
		if (feed->space == space && feed->source->group == group)
			return error_set(err, -EBUSY,
					 "the same namespace as \"%s\", whose group %u this daemon "
					 "reads already",
					 feed->source->netns, group);
	return 0;
}

static int open_listener(const struct nfl_listener_options *options, int netns_fd,
			 struct nfl_listener **ret, struct nfl_error *err)
{
	struct nfl_listener_options inside = *options;

	inside.flags |= NFL_FLAG_SEQ;
	inside.netns = (struct nfl_netns){.kind = NFL_NETNS_FD, .fd = netns_fd};
	return nfl_listener_open(&inside, ret, err);
}

static int add_feed(struct intake *intake, struct source *source, struct nfl_listener *listener,
		    const struct space *space)
{
	struct feed *feed = feed_new(source, listener, space);
	int r;

	if (!feed) {
		nfl_listener_close(listener);
		return -ENOMEM;
	}
	r = watch_fd(intake, nfl_listener_fd(listener), &feed->watch);
	if (r < 0) {
		feed_free(feed);
		return r;
	}
	feed->next = intake->feeds;
	intake->feeds = feed;
	return 0;
}

static int add(struct intake *intake, struct source *source,
	       const struct nfl_listener_options *options, struct nfl_error *err)
{
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_listener *listener;
	struct space *space;
	uint64_t inode;
	uint64_t dev;
	int r;

	r = netns_open(&options->netns, &netns_fd, err);
	if (r < 0)
		return r;
	r = netns_identify(netns_fd, &dev, &inode);
	if (r < 0)
		return error_set(err, r, "cannot tell which namespace it is: %s", strerror(-r));
	atomic_store(&source->netns_inode, inode);
	r = get_space(intake, netns_fd, dev, inode, &space);
	if (r < 0)
		return error_set(err, r, "cannot watch the namespace's links: %s", strerror(-r));
	r = check_not_read(intake, space, options->group, err);
	if (r < 0)
		return r;
	r = open_listener(options, netns_fd, &listener, err);
	if (r < 0)
		return r;
	r = add_feed(intake, source, listener, space);
	if (r < 0)
		return error_set(err, r, "cannot watch the socket: %s", strerror(-r));
	return 0;
}

int intake_add(struct intake *intake, struct source *source,
	       const struct nfl_listener_options *options, struct nfl_error *err)
{
	struct nfl_error why;
	int r = add(intake, source, options, &why);

	if (r == 0) {
		registry_set_state(intake->room.registry, source, SOURCE_LISTENING, NULL);
		return 0;
	}
	registry_set_state(intake->room.registry, source,
			   r == -ENOENT ? SOURCE_WAITING : SOURCE_FAILED, why.text);
	return error_set(err, r, "%s", why.text);
}

/* --- the thread -------------------------------------------------------------------------- */

/* Returns 1 when there may be more to read, else 0. */
static int read_feed(struct intake *intake, struct feed *feed)
{
	char text[128];
	int r;

	if (!feed->listener)
		return 0; /* failed earlier in this round */
	r = feed_read(feed, &intake->room, ROUND_DATAGRAMS);
	if (r >= 0)
		return r;
	log_error("listener.failed", "netns=%s group=%u error=%s", feed->source->netns,
		  feed->source->group, log_quote(text, sizeof(text), strerrordesc_np(-r)));
	feed_fail(feed, &intake->room, r); /* closing the socket takes it off epoll */
	return 0;
}

static void update_links(struct intake *intake, struct space *space)
{
	int r = links_update(space->links);
	char text[128];

	if (r >= 0 || r == -EAGAIN)
		return;
	/* The socket is of no more use: what is known is kept, what changes is not seen. */
	(void)epoll_ctl(intake->epoll_fd, EPOLL_CTL_DEL, links_fd(space->links), NULL);
	log_warn("links.failed",
		 "netns_inode=%" PRIu64 " error=%s effect=\"interface names no longer follow\"",
		 space->inode, log_quote(text, sizeof(text), strerrordesc_np(-r)));
}

static void wake(struct intake *intake)
{
	if (!intake->room.published)
		return;
	intake->room.published = false;
	intake->wake(intake->wake_data);
}

/* Returns false when the thread is to end. */
static bool do_round(struct intake *intake)
{
	struct epoll_event events[ROUND_EVENTS];
	int count = epoll_wait(intake->epoll_fd, events, ROUND_EVENTS, -1);
	bool go_on = true;

	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		switch (watch->kind) {
		case WATCH_STOP:
			go_on = false;
			break;
		case WATCH_FEED:
			(void)read_feed(intake, (struct feed *)watch);
			break;
		case WATCH_SPACE:
			update_links(intake, (struct space *)watch);
			break;
		}
	}
	wake(intake);
	return go_on;
}

/* Reads each socket until it is empty, at most for a while. */
static void read_dry(struct intake *intake, int64_t max_ns)
{
	int64_t deadline_ns = monotonic_ns() + max_ns;

	for (struct feed *feed = intake->feeds; feed; feed = feed->next)
		while (feed->listener && monotonic_ns() < deadline_ns &&
		       read_feed(intake, feed) > 0)
			;
	wake(intake);
}

static void *run(void *data)
{
	struct intake *intake = data;

	/* What came while a group was being bound is in its listener's memory, where epoll does
	 * not see it. */
	read_dry(intake, DRY_TIMEOUT_NS);
	while (do_round(intake))
		;
	/* Unbinding makes the kernel hand over the batch it is still filling. */
	for (struct feed *feed = intake->feeds; feed; feed = feed->next)
		if (feed->listener)
			(void)nfl_listener_unbind(feed->listener); /* else closing ends it */
	read_dry(intake, DRY_TIMEOUT_NS);
	return NULL;
}

int intake_start(struct intake *intake, intake_wake_fn wake_fn, void *wake_data)
{
	int r;

	intake->wake = wake_fn;
	intake->wake_data = wake_data;
	r = pthread_create(&intake->thread, NULL, run, intake);
	if (r)
		return -r;
	(void)pthread_setname_np(intake->thread, "intake");
	intake->started = true;
	return 0;
}

void intake_stop(struct intake *intake)
{
	const uint64_t one = 1;

	if (!intake->started)
		return;
	intake->started = false;
	(void)!write(intake->stop_fd, &one, sizeof(one)); /* cannot be full: it is written once */
	(void)pthread_join(intake->thread, NULL);
}
