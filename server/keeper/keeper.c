/* SPDX-License-Identifier: MIT */
/*
 * The names that are read, in the order of their texts, and the thread that follows the namespaces.
 *
 * The opener reports what has changed. A report is carried out when it is complete: what is gone is let
 * go before anything is opened, because a namespace may have moved from one name to another.
 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "name.h"
#include "opener.h"
#include "source.h"

#define AGAIN_NS NS_PER_S

/* What main wants to be done on the keeper's thread; it waits meanwhile. */
struct command {
	struct rules *rules; /* to be taken; NULL: the opener is to reload */
	struct nfl_error *err;
	int r;
	bool is_done; /* [lock] */
};

struct keeper {
	struct house house;
	struct name **names; /* owned, in the order of shown */
	size_t count;
	size_t cap;
	bool is_scanned;     /* one report is complete */
	bool awaits_rules;   /* the opener has new ones already, what it reports is by them */
	bool is_incomplete;  /* a name of a report found no memory */
	bool was_incomplete; /* the report before, and it was told */
	int64_t again_ns;  /* when all names are to be reported again, for want of some; or never */
	int64_t expire_ns; /* when sources that are gone are to be looked at */
	int wake_fd;       /* eventfd */
	pthread_t thread;
	bool started;
	void (*changed)(void *data); /* const */
	void *data;                  /* const, borrowed */
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct command *command; /* [lock] borrowed; NULL: none is to be carried out */
	_Atomic bool is_to_stop;
	_Atomic bool has_dead; /* intake told of one */
	_Atomic bool is_lost;
	_Atomic size_t sources;
	_Atomic size_t listening;
};

/* --- names ------------------------------------------------------------------------------- */

/* Where a name is, or would be inserted. */
static size_t find_place(const struct keeper *keeper, const char *shown, bool *ret_found)
{
	size_t low = 0;
	size_t high = keeper->count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(keeper->names[middle]->shown, shown);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct keeper *keeper)
{
	size_t cap = keeper->cap ? 2 * keeper->cap : 16;
	struct name **names;

	if (keeper->count < keeper->cap)
		return 0;
	names = reallocarray(keeper->names, cap, sizeof(struct name *));
	if (!names)
		return -ENOMEM;
	keeper->names = names;
	keeper->cap = cap;
	return 0;
}

/* The name, which is made when there is none yet. NULL without memory. */
static struct name *need_name(struct keeper *keeper, const char *shown, bool is_named)
{
	bool found;
	size_t place = find_place(keeper, shown, &found);
	struct name *name;

	if (found)
		return keeper->names[place];
	if (make_room(keeper) < 0 || name_new(&keeper->house, shown, is_named, &name) < 0)
		return NULL;
	memmove(keeper->names + place + 1, keeper->names + place,
		(keeper->count - place) * sizeof(struct name *));
	keeper->names[place] = name;
	keeper->count++;
	return name;
}

/* Names that do not exist, and that no rule names by itself, are not kept. */
static void drop_names(struct keeper *keeper)
{
	size_t kept = 0;

	for (size_t i = 0; i < keeper->count; i++) {
		struct name *name = keeper->names[i];

		if (name->is_there || name->is_named)
			keeper->names[kept++] = name;
		else
			name_free(&keeper->house, name);
	}
	keeper->count = kept;
}

/* Each rule that names one namespace has a name, whether it exists or not. */
static int add_literals(struct keeper *keeper)
{
	const struct rules *rules = &keeper->house.rules;

	for (size_t i = 0; i < rules->literals; i++) {
		struct name *name = need_name(keeper, rules->items[i].text, true);

		if (!name)
			return -ENOMEM;
		name_wait(&keeper->house, name);
	}
	return 0;
}

/* --- reports ----------------------------------------------------------------------------- */

static void note_space(struct keeper *keeper, const struct opener_event *event)
{
	struct name *name = need_name(keeper, event->shown, false);

	if (!name) {
		keeper->is_incomplete = true;
		return;
	}
	name->is_unseen = false;
	name->is_arrived = event->is_there;
	name->next_dev = event->dev;
	name->next_inode = event->inode;
	if (!event->is_there)
		name->is_unseen = true; /* as one that a whole report does not have */
}

static bool is_other(const struct name *name)
{
	return name->dev != name->next_dev || name->inode != name->next_inode;
}

/* What could not be looked at before may well be what is there now. */
static bool is_gone(const struct name *name)
{
	return name->is_unseen || (name->is_arrived && is_other(name) && name->inode);
}

static void finish_report(struct keeper *keeper, int64_t now_ns)
{
	for (size_t i = 0; i < keeper->count; i++) {
		struct name *name = keeper->names[i];

		if (name->is_there && is_gone(name)) {
			name_vanish(&keeper->house, name, now_ns);
			keeper->expire_ns = 0;
		}
		name->is_unseen = false;
	}
	for (size_t i = 0; i < keeper->count; i++) {
		struct name *name = keeper->names[i];

		if (name->is_arrived && (!name->is_there || is_other(name)))
			name_appear(name, name->next_dev, name->next_inode, now_ns);
		name->is_arrived = false;
	}
	drop_names(keeper);
	keeper->is_scanned = true;
	if (keeper->is_incomplete && !keeper->was_incomplete)
		log_warn("keeper.memory", "effect=\"a namespace is read later\"");
	keeper->again_ns = keeper->is_incomplete ? now_ns + AGAIN_NS : INT64_MAX;
	keeper->was_incomplete = keeper->is_incomplete;
	keeper->is_incomplete = false;
}

static void take_event(const struct opener_event *event, void *data)
{
	struct keeper *keeper = data;

	switch (event->kind) {
	case OPENER_ALL:
		for (size_t i = 0; i < keeper->count; i++) {
			keeper->names[i]->is_unseen = true;
			keeper->names[i]->is_arrived = false; /* by a report that was cut short */
		}
		break;
	case OPENER_SPACE:
		note_space(keeper, event);
		break;
	case OPENER_END:
		finish_report(keeper, monotonic_ns());
		break;
	}
}

/* --- one turn ---------------------------------------------------------------------------- */

static void open_due(struct keeper *keeper, int64_t now_ns)
{
	for (size_t i = 0; i < keeper->count; i++)
		name_open(&keeper->house, keeper->names[i], now_ns);
	keeper->house.has_freed = false;
}

static void find_dead(struct keeper *keeper, int64_t now_ns)
{
	for (size_t i = 0; i < keeper->count; i++)
		name_find_dead(&keeper->house, keeper->names[i], now_ns);
}

static void note_lost(struct keeper *keeper)
{
	if (atomic_exchange(&keeper->is_lost, true))
		return;
	log_error("opener.lost", "effect=\"what is read goes on, nothing new is opened\"");
	keeper->house.has_news = true;
}

/* Else nothing is opened, and reports wait. */
static bool is_following(const struct keeper *keeper)
{
	return !keeper->house.is_lost && !keeper->awaits_rules;
}

static void turn(struct keeper *keeper, int64_t now_ns)
{
	struct house *house = &keeper->house;

	if (atomic_exchange(&keeper->has_dead, false))
		find_dead(keeper, now_ns);
	if (now_ns >= keeper->again_ns) {
		keeper->again_ns = INT64_MAX;
		opener_report_again(house->opener);
	}
	if (is_following(keeper) && opener_take(house->opener, take_event, keeper) < 0)
		house->is_lost = true;
	if (is_following(keeper))
		open_due(keeper, monotonic_ns()); /* what was reported just now, too */
	if (house->is_lost)
		note_lost(keeper);
	if (now_ns >= keeper->expire_ns)
		keeper->expire_ns = registry_expire(house->registry, now_ns);
	atomic_store(&keeper->sources, house->sources);
	atomic_store(&keeper->listening, house->listening);
	if (house->has_news)
		keeper->changed(keeper->data);
	house->has_news = false;
}

static bool wait_for_opener(const struct keeper *keeper, int64_t deadline_ns)
{
	struct pollfd readable = {.fd = opener_fd(keeper->house.opener), .events = POLLIN};
	int64_t left_ms = (deadline_ns - monotonic_ns()) / NS_PER_MS + 1;

	return opener_has_events(keeper->house.opener) ||
	       (left_ms > 0 && poll(&readable, 1, (int)left_ms) != 0);
}

int keeper_scan(struct keeper *keeper, int timeout_ms)
{
	int64_t deadline_ns = monotonic_ns() + timeout_ms * NS_PER_MS;

	do {
		if (!wait_for_opener(keeper, deadline_ns))
			return -ETIMEDOUT;
		turn(keeper, monotonic_ns());
	} while (!keeper->is_scanned && !keeper->house.is_lost);
	if (keeper->house.is_lost)
		return -EPIPE;
	for (size_t i = 0; i < keeper->count; i++)
		if (!keeper->names[i]->is_there)
			log_warn("listener.waiting", "netns=%s error=\"does not exist\"",
				 keeper->names[i]->shown);
	return 0;
}

/* --- commands ---------------------------------------------------------------------------- */

static int set_rules(struct keeper *keeper, struct rules *rules, int64_t now_ns)
{
	struct house *house = &keeper->house;
	struct rules before = house->rules;
	int r = 0;

	keeper->awaits_rules = false;
	house->rules = *rules;
	*rules = (struct rules){0};
	for (size_t i = 0; i < keeper->count; i++) {
		struct name *name = keeper->names[i];
		int renewed =
		    name_renew(house, name, rules_name(&house->rules, name->shown), now_ns);

		if (renewed < 0)
			r = renewed;
		else if (name->is_named && !name->is_there)
			name_wait(house, name);
	}
	rules_done(&before);
	drop_names(keeper);
	keeper->expire_ns = 0;
	house->has_news = true;
	return r < 0 ? r : add_literals(keeper);
}

static void reload(struct keeper *keeper, struct command *command)
{
	command->r = opener_reload(keeper->house.opener, command->err);
	if (command->r == 0)
		keeper->awaits_rules = true;
}

static void carry_out(struct keeper *keeper)
{
	struct command *command;

	(void)pthread_mutex_lock(&keeper->lock);
	command = keeper->command;
	(void)pthread_mutex_unlock(&keeper->lock);
	if (!command)
		return;
	if (command->rules)
		command->r = set_rules(keeper, command->rules, monotonic_ns());
	else
		reload(keeper, command);
	(void)pthread_mutex_lock(&keeper->lock);
	keeper->command = NULL;
	command->is_done = true;
	(void)pthread_cond_signal(&keeper->done);
	(void)pthread_mutex_unlock(&keeper->lock);
}

/* --- the thread -------------------------------------------------------------------------- */

static int64_t next_turn(const struct keeper *keeper)
{
	int64_t next_ns = keeper->expire_ns;

	if (keeper->again_ns < next_ns)
		next_ns = keeper->again_ns;
	for (size_t i = 0; i < keeper->count && is_following(keeper); i++)
		if (keeper->names[i]->retry_ns < next_ns)
			next_ns = keeper->names[i]->retry_ns;
	return next_ns;
}

static void wait_for_turn(struct keeper *keeper)
{
	const struct house *house = &keeper->house;
	struct pollfd fds[] = {
	    {.fd = keeper->wake_fd, .events = POLLIN},
	    {.fd = is_following(keeper) ? opener_fd(house->opener) : -1, .events = POLLIN}};
	int64_t next_ns = next_turn(keeper);
	int64_t wait_ns = next_ns - monotonic_ns();
	struct timespec timeout = {0};
	uint64_t wakes;

	if (is_following(keeper) && opener_has_events(house->opener))
		return;
	if (wait_ns > 0) {
		timeout.tv_sec = (time_t)(wait_ns / NS_PER_S);
		timeout.tv_nsec = (long)(wait_ns % NS_PER_S);
	}
	if (ppoll(fds, 2, next_ns == INT64_MAX ? NULL : &timeout, NULL) > 0 && fds[0].revents)
		(void)!read(keeper->wake_fd, &wakes,
			    sizeof(wakes)); /* what it tells is elsewhere */
}

static void *run(void *data)
{
	struct keeper *keeper = data;

	(void)pthread_setname_np(pthread_self(), "keeper"); /* another's needs a file to write */
	while (!atomic_load(&keeper->is_to_stop)) {
		turn(keeper, monotonic_ns());
		carry_out(keeper);
		wait_for_turn(keeper);
	}
	return NULL;
}

/* --- life -------------------------------------------------------------------------------- */

static void keeper_freep(struct keeper **keeper)
{
	keeper_free(*keeper);
}

static int init(struct keeper *keeper)
{
	int r = pthread_mutex_init(&keeper->lock, NULL);

	if (r == 0)
		r = pthread_cond_init(&keeper->done, NULL);
	if (r)
		return -r;
	keeper->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return keeper->wake_fd < 0 ? -errno : add_literals(keeper);
}

int keeper_new(const struct keeper_options *options, struct opener *opener,
	       struct registry *registry, struct intake *intake, struct keeper **ret)
{
	CLEANUP(keeper_freep) struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->house = (struct house){
	    .rules = *options->rules,
	    .opener = opener,
	    .registry = registry,
	    .intake = intake,
	    .log_bytes = options->log_bytes,
	};
	keeper->changed = options->changed;
	keeper->data = options->data;
	keeper->expire_ns = INT64_MAX;
	keeper->again_ns = INT64_MAX;
	keeper->wake_fd = -1;
	r = init(keeper);
	if (r < 0) {
		keeper->house.rules = (struct rules){0}; /* stay the caller's */
		return r;
	}
	*options->rules = (struct rules){0};
	*ret = TAKE_PTR(keeper);
	return 0;
}

int keeper_start(struct keeper *keeper)
{
	int r;

	atomic_store(&keeper->is_to_stop, false);
	r = pthread_create(&keeper->thread, NULL, run, keeper);
	if (r)
		return -r;
	keeper->started = true;
	return 0;
}

static void wake(struct keeper *keeper)
{
	const uint64_t one = 1;

	(void)!write(keeper->wake_fd, &one, sizeof(one)); /* full: it is awake */
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper->started)
		return;
	keeper->started = false;
	atomic_store(&keeper->is_to_stop, true);
	wake(keeper);
	(void)pthread_join(keeper->thread, NULL);
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper_stop(keeper);
	for (size_t i = 0; i < keeper->count; i++)
		name_free(&keeper->house, keeper->names[i]);
	free(keeper->names);
	rules_done(&keeper->house.rules);
	closep(&keeper->wake_fd);
	(void)pthread_cond_destroy(&keeper->done);
	(void)pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

/* Has the thread do it, and waits. */
static int have_done(struct keeper *keeper, struct command *command)
{
	(void)pthread_mutex_lock(&keeper->lock);
	keeper->command = command;
	wake(keeper);
	while (!command->is_done)
		(void)pthread_cond_wait(&keeper->done, &keeper->lock);
	(void)pthread_mutex_unlock(&keeper->lock);
	return command->r;
}

int keeper_reload(struct keeper *keeper, struct nfl_error *err)
{
	struct command command = {.err = err};

	return have_done(keeper, &command);
}

int keeper_set_rules(struct keeper *keeper, struct rules *rules)
{
	struct command command = {.rules = rules};

	return have_done(keeper, &command);
}

bool keeper_is_lost(const struct keeper *keeper)
{
	return atomic_load(&keeper->is_lost);
}

void keeper_feed_failed(struct keeper *keeper)
{
	atomic_store(&keeper->has_dead, true);
	wake(keeper);
}

struct keeper_counts keeper_counts(const struct keeper *keeper)
{
	return (struct keeper_counts){.sources = atomic_load(&keeper->sources),
				      .listening = atomic_load(&keeper->listening)};
}
