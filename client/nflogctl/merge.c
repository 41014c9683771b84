/* SPDX-License-Identifier: MIT */
/*
 * Whoever reads a stream has it for that time: main as long as events are at hand, which is most of
 * them in a busy stream, its thread while there are none. The lock passes it from one to the other.
 */
#include "merge.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cleanup.h"
#include "clock.h"

/* So long a server may take for the next response of its history, or to connect for it. */
#define REPLAY_PATIENCE_NS NS_PER_S

enum feed_state {
	FEED_EMPTY, /* no stream */
	FEED_TAKEN, /* main has the event: the stream is to be read on */
	FEED_ASKED, /* the thread reads */
	FEED_READY, /* an event is at hand, or the end */
};

struct feed {
	struct merge *merge;
	pthread_t thread;
	bool started;                     /* there is a thread to be joined */
	struct nfl_client_stream *stream; /* borrowed */
	enum feed_state state;            /* [merge->lock] */
	int result;                       /* of nfl_client_next() */
	bool away;                        /* not connected: nobody waits for it */
	bool replays;                     /* history, whose packets are old: others wait for it */
	int64_t asked_ns;                 /* monotonic: since when the thread reads */
	int64_t ahead_ns;                 /* the server's clock, at least; 0: not */
	struct nfl_client_event event;
};

struct merge {
	pthread_mutex_t lock;
	pthread_cond_t ready; /* for main, by CLOCK_MONOTONIC */
	pthread_cond_t asked; /* for the threads */
	bool stopping;        /* [lock] */
	bool hurries;         /* nothing is held back any more */
	int64_t window_ns;
	size_t count;
	struct feed feeds[];
};

/* --- the threads ------------------------------------------------------------------------- */

static void *read_feed(void *data)
{
	struct feed *feed = data;
	struct merge *merge = feed->merge;

	(void)pthread_mutex_lock(&merge->lock);
	while (!merge->stopping) {
		int r;

		if (feed->state != FEED_ASKED) {
			(void)pthread_cond_wait(&merge->asked, &merge->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&merge->lock);
		r = nfl_client_next(feed->stream, -1, &feed->event);
		(void)pthread_mutex_lock(&merge->lock);
		feed->result = r;
		feed->state = FEED_READY;
		(void)pthread_cond_signal(&merge->ready);
	}
	(void)pthread_mutex_unlock(&merge->lock);
	return NULL;
}

static void merge_freep(struct merge **merge)
{
	merge_free(*merge);
}

/* By the clock that deadlines have. */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(condition, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

int merge_new(size_t count, int64_t window_ns, struct merge **ret)
{
	CLEANUP(merge_freep)
	struct merge *merge = calloc(1, sizeof(*merge) + count * sizeof(merge->feeds[0]));

	if (!merge)
		return -ENOMEM;
	(void)pthread_mutex_init(&merge->lock, NULL);
	init_condition(&merge->ready);
	init_condition(&merge->asked);
	merge->count = count;
	merge->window_ns = window_ns;
	for (size_t i = 0; i < count; i++) {
		struct feed *feed = &merge->feeds[i];
		int r;

		feed->merge = merge;
		r = -pthread_create(&feed->thread, NULL, read_feed, feed);
		if (r < 0)
			return r;
		feed->started = true;
	}
	*ret = TAKE_PTR(merge);
	return 0;
}

void merge_free(struct merge *merge)
{
	if (!merge)
		return;
	(void)pthread_mutex_lock(&merge->lock);
	merge->stopping = true;
	(void)pthread_cond_broadcast(&merge->asked);
	(void)pthread_mutex_unlock(&merge->lock);
	for (size_t i = 0; i < merge->count; i++) {
		struct feed *feed = &merge->feeds[i];

		nfl_client_cancel(feed->stream);
		if (feed->started)
			(void)pthread_join(feed->thread, NULL);
	}
	(void)pthread_cond_destroy(&merge->asked);
	(void)pthread_cond_destroy(&merge->ready);
	(void)pthread_mutex_destroy(&merge->lock);
	free(merge);
}

/* --- reading on -------------------------------------------------------------------------- */

/* The thread is to read. The lock is held. */
static void ask(struct feed *feed)
{
	feed->state = FEED_ASKED;
	feed->asked_ns = monotonic_ns();
	(void)pthread_cond_broadcast(&feed->merge->asked);
}

void merge_set(struct merge *merge, size_t at, struct nfl_client_stream *stream, bool replays)
{
	struct feed *feed = &merge->feeds[at];

	(void)pthread_mutex_lock(&merge->lock);
	feed->stream = stream;
	feed->away = true; /* until it has started */
	feed->replays = replays;
	feed->ahead_ns = 0;
	ask(feed);
	(void)pthread_mutex_unlock(&merge->lock);
}

void merge_drop(struct merge *merge, size_t at)
{
	struct feed *feed = &merge->feeds[at];

	nfl_client_cancel(feed->stream);
	(void)pthread_mutex_lock(&merge->lock);
	while (feed->state == FEED_ASKED)
		(void)pthread_cond_wait(&merge->ready, &merge->lock);
	feed->state = FEED_EMPTY;
	feed->stream = NULL;
	(void)pthread_mutex_unlock(&merge->lock);
}

/* Reads what is at hand, else leaves it to the thread. The lock is held. */
static void read_on(struct feed *feed)
{
	int r = nfl_client_next(feed->stream, 0, &feed->event);

	if (r == -ETIMEDOUT) {
		ask(feed);
		return;
	}
	feed->result = r;
	feed->state = FEED_READY;
}

static void note_clock(struct feed *feed)
{
	int64_t ahead_ns = feed->event.packet->record.receive_time_ns - realtime_ns();

	if (ahead_ns > feed->ahead_ns)
		feed->ahead_ns = ahead_ns;
}

static int64_t packet_time(const struct feed *feed)
{
	return feed->event.packet->record.receive_time_ns;
}

/* --- whose turn it is -------------------------------------------------------------------- */

/* What is no packet has its place in its own stream alone. */
static bool goes_at_once(const struct feed *feed)
{
	return feed->result != 1 || feed->event.type != NFL_CLIENT_PACKET;
}

/* The feed whose event goes first, of those that have one at hand; NULL: none has. */
static struct feed *find_first(struct merge *merge)
{
	struct feed *first = NULL;

	for (size_t i = 0; i < merge->count; i++) {
		struct feed *feed = &merge->feeds[i];

		if (feed->state != FEED_READY)
			continue;
		if (goes_at_once(feed))
			return feed;
		note_clock(feed);
		if (!first || packet_time(feed) < packet_time(first))
			first = feed;
	}
	return first;
}

/* How long the packet is held back yet, because others could still bring an older one. */
static int64_t hold_ns(const struct merge *merge, const struct feed *first)
{
	int64_t window_ns, longest_ns = 0;

	if (goes_at_once(first) || merge->hurries)
		return 0;
	window_ns = packet_time(first) - first->ahead_ns + merge->window_ns - realtime_ns();
	for (size_t i = 0; i < merge->count; i++) {
		const struct feed *feed = &merge->feeds[i];
		int64_t left_ns = feed->away ? 0 : window_ns;

		if (feed->state != FEED_ASKED)
			continue;
		if (feed->replays)
			left_ns = feed->asked_ns + REPLAY_PATIENCE_NS - monotonic_ns();
		if (left_ns > longest_ns)
			longest_ns = left_ns;
	}
	return longest_ns;
}

static void wait_ready(struct merge *merge, int64_t until_ns)
{
	const struct timespec until = {.tv_sec = until_ns / NS_PER_S,
				       .tv_nsec = until_ns % NS_PER_S};

	(void)pthread_cond_timedwait(&merge->ready, &merge->lock, &until);
}

/* Waits for the turn of one of them; NULL when the time is over. The lock is held. */
static struct feed *wait_turn(struct merge *merge, int64_t until_ns)
{
	for (;;) {
		struct feed *first = find_first(merge);
		int64_t left_ns = first ? hold_ns(merge, first) : 0;
		int64_t now_ns = monotonic_ns();

		if (first && left_ns <= 0)
			return first;
		if (now_ns >= until_ns)
			return NULL;
		if (first && now_ns + left_ns < until_ns)
			wait_ready(merge, now_ns + left_ns);
		else
			wait_ready(merge, until_ns);
	}
}

/* The event at hand is the caller's now. */
static int take(struct feed *feed, struct nfl_client_event *ret)
{
	if (feed->result != 1) {
		feed->state = FEED_EMPTY;
		feed->stream = NULL;
		return MERGE_ENDED;
	}
	feed->state = FEED_TAKEN;
	if (feed->event.type == NFL_CLIENT_STARTED)
		feed->away = false;
	if (feed->event.type == NFL_CLIENT_RECONNECTING)
		feed->away = true;
	if (feed->event.type == NFL_CLIENT_CAUGHT_UP || feed->away)
		feed->replays = false;
	*ret = feed->event;
	return 1;
}

int merge_next(struct merge *merge, int timeout_ms, size_t *ret_at, struct nfl_client_event *ret)
{
	int64_t until_ns = monotonic_ns() + timeout_ms * NS_PER_MS;
	struct feed *feed;
	int r = -ETIMEDOUT;

	(void)pthread_mutex_lock(&merge->lock);
	for (size_t i = 0; i < merge->count; i++)
		if (merge->feeds[i].state == FEED_TAKEN)
			read_on(&merge->feeds[i]);
	feed = wait_turn(merge, until_ns);
	if (feed) {
		*ret_at = (size_t)(feed - merge->feeds);
		r = take(feed, ret);
	}
	(void)pthread_mutex_unlock(&merge->lock);
	return r;
}

void merge_hurry(struct merge *merge)
{
	merge->hurries = true;
}

int merge_rest(struct merge *merge, size_t at, struct nfl_client_event *ret)
{
	struct feed *feed = &merge->feeds[at];
	int r = -ETIMEDOUT;

	(void)pthread_mutex_lock(&merge->lock);
	if (feed->state == FEED_TAKEN)
		read_on(feed);
	if (feed->state == FEED_READY)
		r = take(feed, ret);
	(void)pthread_mutex_unlock(&merge->lock);
	return r;
}

int merge_result(const struct merge *merge, size_t at)
{
	return merge->feeds[at].result;
}
