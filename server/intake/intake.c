/* SPDX-License-Identifier: MIT */
/*
 * One thread for every listener of the daemon: epoll on their sockets and on the links of their
 * namespaces, one receive buffer for all.
 *
 * What others add or want to be rid of goes through an inbox; all else belongs to the thread. A
 * round takes a bounded number of datagrams of each readable socket, which stays readable when there
 * is more, then empties the inbox; then subscribers are woken once, however much was published.
 */
#include "intake.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "feed.h"
#include "gears.h"
#include "inbox.h"
#include "links.h"
#include "log.h"
#include "rest.h"
#include "source.h"
#include "space.h"

#define ROUND_EVENTS    64
#define ROUND_DATAGRAMS 32u /* of one socket: some milliseconds of work */
/* For all sockets that are left at once, others wait meanwhile: full ones take some 50 ms each. */
#define LEAVE_TIMEOUT_NS NS_PER_S

struct intake {
	int epoll_fd;
	struct watch inbox_watch;
	struct inbox inbox;
	struct space *spaces; /* owned list */
	struct feed_room room;
	struct rest rest;
	struct gears gears;
	pthread_t thread;
	bool started;
	_Atomic bool is_to_stop;
	struct intake_events events; /* const after start */
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
	r = inbox_init(&intake->inbox);
	if (r < 0) {
		free(TAKE_PTR(intake));
		return r;
	}
	intake->inbox_watch.kind = WATCH_INBOX;
	intake->room.registry = registry;
	intake->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (intake->epoll_fd < 0)
		return -errno;
	intake->room.buffer = malloc(NFL_RECEIVE_BUFFER);
	if (!intake->room.buffer)
		return -ENOMEM;
	r = watch_fd(intake, intake->inbox.fd, &intake->inbox_watch);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(intake);
	return 0;
}

/* --- adding and removing ----------------------------------------------------------------- */

int intake_add_space(struct intake *intake, struct links *links, struct space **ret)
{
	struct space *space = space_new(links);
	int r;

	if (!space)
		return -ENOMEM;
	r = links ? watch_fd(intake, links_fd(links), &space->watch) : 0;
	if (r < 0) {
		space->links = NULL; /* stays the caller's */
		space_free(space);
		return r;
	}
	inbox_add_space(&intake->inbox, space);
	*ret = space;
	return 0;
}

int intake_add_feed(struct intake *intake, struct space *space, struct source *source,
		    struct nfl_listener *listener)
{
	struct feed *feed = feed_new(source, listener, space);
	int r;

	if (!feed)
		return -ENOMEM;
	/* Before there is a packet of it, and before it can fail. */
	registry_set_state(intake->room.registry, source, SOURCE_LISTENING, NULL);
	r = watch_fd(intake, nfl_listener_fd(listener), &feed->watch);
	if (r < 0) {
		feed->listener = NULL; /* stays the caller's */
		feed_free(feed);
		return r;
	}
	inbox_add_feed(&intake->inbox, feed);
	return 0;
}

void intake_remove_space(struct intake *intake, struct space *space, const char *detail)
{
	inbox_remove_space(&intake->inbox, space, detail);
}

int intake_remove_feed(struct intake *intake, struct space *space, struct source *source,
		       const char *detail)
{
	const struct errand errand = {.space = space, .source = source, .detail = detail};

	return inbox_add_errand(&intake->inbox, &errand);
}

int intake_configure(struct intake *intake, struct space *space, struct source *source,
		     const struct nfl_listener_options *options)
{
	const struct errand errand = {.space = space, .source = source, .options = *options};

	return inbox_add_errand(&intake->inbox, &errand);
}

/* --- the thread: packets ----------------------------------------------------------------- */

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
	if (intake->events.failed)
		intake->events.failed(feed->source, intake->events.data);
	return 0;
}

static void update_links(struct intake *intake, struct space *space)
{
	int r = links_update(space->links);
	char text[128];

	for (struct feed *feed = space->feeds; feed; feed = feed->next)
		feed_rename(feed);
	if (r >= 0 || r == -EAGAIN)
		return;
	/* The socket is of no more use: what is known is kept, what changes is not seen. */
	(void)epoll_ctl(intake->epoll_fd, EPOLL_CTL_DEL, links_fd(space->links), NULL);
	log_warn("links.failed", "error=%s effect=\"interface names no longer follow\"",
		 log_quote(text, sizeof(text), strerrordesc_np(-r)));
}

static void wake(struct intake *intake)
{
	if (!intake->room.published)
		return;
	intake->room.published = false;
	intake->events.wake(intake->events.data);
}

/* --- the thread: the inbox --------------------------------------------------------------- */

/* Another listener takes the place of one that failed. */
static void drop_failed(struct space *space, const struct source *source)
{
	struct feed **place = &space->feeds;

	while (*place) {
		struct feed *feed = *place;

		if (feed->source == source && !feed->listener) {
			*place = feed->next;
			feed_free(feed);
		} else {
			place = &feed->next;
		}
	}
}

static void take_feeds(struct intake *intake, struct feed *feeds)
{
	while (feeds) {
		struct feed *feed = feeds;

		feeds = feed->next;
		drop_failed(feed->space, feed->source);
		feed->next = feed->space->feeds;
		feed->space->feeds = feed;
		/* What came while a group was being bound is in its listener's memory, where epoll
		 * does not see it. */
		while (feed->listener && nfl_listener_has_records(feed->listener))
			(void)read_feed(intake, feed);
		intake->room.published = true; /* that it is read is news */
	}
}

static void take_spaces(struct intake *intake, struct space *spaces)
{
	while (spaces) {
		struct space *space = spaces;

		spaces = space->next;
		space->next = intake->spaces;
		intake->spaces = space;
	}
}

static void unlink_space(struct intake *intake, const struct space *space)
{
	struct space **place = &intake->spaces;

	while (*place != space)
		place = &(*place)->next;
	*place = space->next;
}

/* Where the feed of a source is in its space; what it points to is NULL when there is none. */
static struct feed **find_feed(struct space *space, const struct source *source)
{
	struct feed **place = &space->feeds;

	while (*place && (*place)->source != source)
		place = &(*place)->next;
	return place;
}

/* The listener hears of it first: it cuts what is longer. */
static void configure(struct intake *intake, struct feed *feed,
		      const struct nfl_listener_options *options)
{
	char text[128];
	int r = nfl_listener_note_configured(feed->listener, options);

	if (r == 0)
		r = feed_configure(feed, &intake->room);
	if (r < 0)
		log_warn("listener.not_configured", "netns=%s group=%u error=%s",
			 feed->source->netns, feed->source->group,
			 log_quote(text, sizeof(text), strerrordesc_np(-r)));
	else
		log_info("listener.configured", "netns=%s group=%u", feed->source->netns,
			 feed->source->group);
}

static void run_errand(struct intake *intake, const struct errand *errand)
{
	struct feed **place = find_feed(errand->space, errand->source);
	struct feed *feed = *place;

	if (!feed)
		return;
	if (!errand->detail) {
		if (feed->listener) /* else it has failed, and is opened anew */
			configure(intake, feed, &errand->options);
		return;
	}
	if (feed->listener)
		feed_leave(feed, &intake->room, monotonic_ns() + LEAVE_TIMEOUT_NS);
	registry_set_state(intake->room.registry, feed->source, SOURCE_GONE, errand->detail);
	*place = feed->next;
	feed_free(feed);
	intake->room.published = true;
}

static void run_errands(struct intake *intake, struct errand *first)
{
	while (first) {
		struct errand *errand = first;

		first = errand->next;
		run_errand(intake, errand);
		errand_free(errand);
	}
}

/* Reads what the kernel holds of all groups of a namespace, and has it hand over the batches that it
 * is still filling. */
static void leave_space(struct intake *intake, struct space *space, int64_t deadline_ns)
{
	for (struct feed *feed = space->feeds; feed; feed = feed->next)
		if (feed->listener)
			feed_leave(feed, &intake->room, deadline_ns);
}

static void leave_spaces(struct intake *intake, struct space *leaving)
{
	while (leaving) {
		struct space *space = leaving;

		leaving = space->leaving;
		leave_space(intake, space, monotonic_ns() + LEAVE_TIMEOUT_NS);
		for (struct feed *feed = space->feeds; feed; feed = feed->next)
			registry_set_state(intake->room.registry, feed->source, SOURCE_GONE,
					   space->detail);
		unlink_space(intake, space);
		space_free(space);
		intake->room.published = true;
	}
}

static void take_inbox(struct intake *intake)
{
	struct news news;

	inbox_take(&intake->inbox, &news);
	take_spaces(intake, news.spaces);
	take_feeds(intake, news.feeds);
	run_errands(intake, news.errands);
	leave_spaces(intake, news.leaving);
}

/* --- the thread -------------------------------------------------------------------------- */

static void do_round(struct intake *intake)
{
	struct epoll_event events[ROUND_EVENTS];
	int count =
	    epoll_wait(intake->epoll_fd, events, ROUND_EVENTS, gears_timeout(&intake->gears));
	bool has_inbox = false;

	intake->room.round = (struct rest_round){0};
	intake->room.shifting = false;
	intake->room.load = 0;
	intake->room.now_ns = monotonic_ns();
	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		switch (watch->kind) {
		case WATCH_INBOX:
			has_inbox = true; /* frees what other events are about, so it comes last */
			break;
		case WATCH_FEED:
			(void)read_feed(intake, (struct feed *)watch);
			break;
		case WATCH_SPACE:
			update_links(intake, (struct space *)watch);
			break;
		}
	}
	if (has_inbox)
		take_inbox(intake);
	wake(intake);
}

/* After the wake: who sends needs the time as well. */
static void end_round(struct intake *intake)
{
	int64_t now_ns = monotonic_ns();
	int64_t length_ns = rest_length(&intake->rest, &intake->room.round, now_ns);
	struct timespec time = {.tv_nsec = length_ns};

	gears_shift(&intake->gears, intake->spaces, &intake->room, now_ns);
	if (length_ns > 0)
		(void)nanosleep(&time, NULL);
}

static void *run(void *data)
{
	struct intake *intake = data;
	int64_t deadline_ns;

	(void)pthread_setname_np(pthread_self(), "intake"); /* another's needs a file to write */
	while (!atomic_load(&intake->is_to_stop)) {
		do_round(intake);
		end_round(intake);
	}
	take_inbox(intake);
	deadline_ns = monotonic_ns() + LEAVE_TIMEOUT_NS;
	for (struct space *space = intake->spaces; space; space = space->next)
		leave_space(intake, space, deadline_ns);
	wake(intake);
	return NULL;
}

int intake_start(struct intake *intake, const struct intake_events *events)
{
	int r;

	intake->events = *events;
	intake->room.events = &intake->events;
	r = pthread_create(&intake->thread, NULL, run, intake);
	if (r)
		return -r;
	intake->started = true;
	return 0;
}

void intake_stop(struct intake *intake)
{
	if (!intake->started)
		return;
	intake->started = false;
	atomic_store(&intake->is_to_stop, true);
	inbox_tell(&intake->inbox);
	(void)pthread_join(intake->thread, NULL);
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	intake_stop(intake);
	inbox_done(&intake->inbox);
	while (intake->spaces) {
		struct space *space = intake->spaces;

		intake->spaces = space->next;
		space_free(space);
	}
	free(intake->room.buffer);
	closep(&intake->epoll_fd);
	free(intake);
}
