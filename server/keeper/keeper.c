/* SPDX-License-Identifier: MIT */
/*
 * The names that are read, in the order of their texts, and the thread that follows the namespaces.
 *
 * A scan of presence comes in the same order, so both are walked side by side. Names that vanished
 * are let go before any is opened: a namespace may have moved from one to another.
 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "name.h"
#include "presence.h"
#include "source.h"

struct keeper {
	struct house house;
	struct presence *presence; /* owned */
	struct name **names;       /* owned, in the order of shown */
	size_t count;
	int64_t expire_ns; /* when sources that are gone are to be looked at */
	int wake_fd;       /* eventfd */
	pthread_t thread;
	bool started;
	bool scan_failed;            /* the last one */
	void (*changed)(void *data); /* const */
	void *data;                  /* const, borrowed */
	_Atomic bool is_to_stop;
	_Atomic bool has_dead; /* intake told of one */
	_Atomic size_t sources;
	_Atomic size_t listening;
};

/* --- names ------------------------------------------------------------------------------- */

/* Takes in what a scan says of one name, NULL where it has none of it. */
static void update_name(struct keeper *keeper, struct name *name,
			const struct presence_space *space, int64_t now_ns)
{
	/* What could not be looked at before may well be what is there now. */
	bool was_unknown = name->path && !name->inode;

	if (name->path && (!space || (!name_is(name, space) && !was_unknown))) {
		name_vanish(&keeper->house, name, now_ns);
		keeper->expire_ns = 0;
	}
	if (space && !name_is(name, space) && name_appear(name, space, now_ns) < 0)
		log_warn("keeper.memory", "netns=%s effect=\"found again by a later scan\"",
			 name->shown);
}

/* A name that a scan has and we have not. NULL without memory. */
static struct name *find_new(struct keeper *keeper, const struct presence_space *space)
{
	struct name *name = NULL;

	if (name_new(&keeper->house, space->shown, false, &name) < 0)
		log_warn("keeper.memory", "netns=%s effect=\"found again by a later scan\"",
			 space->shown);
	return name;
}

/* Walks names and spaces side by side. @merged has room for both. */
static size_t merge(struct keeper *keeper, const struct presence_list *list, struct name **merged,
		    int64_t now_ns)
{
	size_t count = 0;
	size_t n = 0;
	size_t s = 0;

	while (n < keeper->count || s < list->count) {
		int order = n == keeper->count ? 1
			    : s == list->count
				? -1
				: strcmp(keeper->names[n]->shown, list->items[s].shown);
		const struct presence_space *space = order >= 0 ? &list->items[s++] : NULL;
		struct name *name = order <= 0 ? keeper->names[n++] : find_new(keeper, space);

		if (!name)
			continue;
		update_name(keeper, name, space, now_ns);
		if (name->path || name->is_named)
			merged[count++] = name;
		else
			name_free(&keeper->house, name);
	}
	return count;
}

static void reconcile(struct keeper *keeper, int64_t now_ns)
{
	CLEANUP(presence_list_done) struct presence_list list = {0};
	struct name **merged;
	int r = presence_scan(keeper->presence, now_ns, &list);

	if (r < 0 && !keeper->scan_failed)
		log_warn("keeper.scan", "error=\"%s\" effect=\"looking again each second\"",
			 strerrordesc_np(-r));
	keeper->scan_failed = r < 0;
	if (r < 0)
		return;
	merged = calloc(keeper->count + list.count + 1, sizeof(struct name *));
	if (!merged) {
		log_warn("keeper.memory", "effect=\"a later scan will do\"");
		return;
	}
	keeper->count = merge(keeper, &list, merged, now_ns);
	free(keeper->names);
	keeper->names = merged;
}

/* Each rule that names one namespace has a name, whether it exists or not. */
static int add_literals(struct keeper *keeper)
{
	const struct rules *rules = keeper->house.rules;

	keeper->names = calloc(rules->literals + 1, sizeof(struct name *));
	if (!keeper->names)
		return -ENOMEM;
	for (size_t i = 0; i < rules->literals; i++) {
		const char *text = rules->items[i].text;
		int r;

		if (i > 0 && strcmp(rules->items[i - 1].text, text) == 0)
			continue;
		r = name_new(&keeper->house, text, true, &keeper->names[keeper->count]);
		if (r < 0)
			return r;
		name_wait(&keeper->house, keeper->names[keeper->count++]);
	}
	return 0;
}

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

/* --- one turn ---------------------------------------------------------------------------- */

static void turn(struct keeper *keeper, int64_t now_ns)
{
	struct house *house = &keeper->house;

	if (atomic_exchange(&keeper->has_dead, false))
		find_dead(keeper, now_ns);
	if (presence_is_due(keeper->presence, now_ns))
		reconcile(keeper, now_ns);
	open_due(keeper, now_ns);
	if (now_ns >= keeper->expire_ns)
		keeper->expire_ns = registry_expire(house->registry, now_ns);
	atomic_store(&keeper->sources, house->sources);
	atomic_store(&keeper->listening, house->listening);
	if (house->has_news)
		keeper->changed(keeper->data);
	house->has_news = false;
}

void keeper_scan(struct keeper *keeper)
{
	turn(keeper, monotonic_ns());
	for (size_t i = 0; i < keeper->count; i++)
		if (!keeper->names[i]->path)
			log_warn("listener.waiting", "netns=%s error=\"does not exist\"",
				 keeper->names[i]->shown);
}

static int64_t next_turn(const struct keeper *keeper)
{
	int64_t next_ns = presence_due(keeper->presence);

	if (keeper->expire_ns < next_ns)
		next_ns = keeper->expire_ns;
	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->names[i]->retry_ns < next_ns)
			next_ns = keeper->names[i]->retry_ns;
	return next_ns;
}

static void wait_for_turn(struct keeper *keeper)
{
	struct pollfd fds[1 + PRESENCE_FDS] = {{.fd = keeper->wake_fd, .events = POLLIN}};
	size_t count = presence_fds(keeper->presence, fds + 1);
	int64_t wait_ns = next_turn(keeper) - monotonic_ns();
	struct timespec timeout = {0};
	uint64_t wakes;

	if (wait_ns > 0) {
		timeout.tv_sec = (time_t)(wait_ns / NS_PER_S);
		timeout.tv_nsec = (long)(wait_ns % NS_PER_S);
	}
	if (ppoll(fds, 1 + count, &timeout, NULL) < 0)
		count = 0; /* no memory: the time is over soon */
	else if (fds[0].revents)
		(void)!read(keeper->wake_fd, &wakes,
			    sizeof(wakes)); /* what it tells is elsewhere */
	presence_take(keeper->presence, fds + 1, count, monotonic_ns());
}

static void *run(void *data)
{
	struct keeper *keeper = data;

	while (!atomic_load(&keeper->is_to_stop)) {
		turn(keeper, monotonic_ns());
		wait_for_turn(keeper);
	}
	return NULL;
}

/* --- life -------------------------------------------------------------------------------- */

static void keeper_freep(struct keeper **keeper)
{
	keeper_free(*keeper);
}

static int new_presence(const struct keeper_options *options, struct presence **ret)
{
	const struct rules *rules = options->rules;
	CLEANUP(freep)
	struct presence_selector *selectors =
	    calloc(rules->count + 1, sizeof(struct presence_selector));
	size_t count = 0;

	if (!selectors)
		return -ENOMEM;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (i == 0 || strcmp(rule[-1].text, rule->text) != 0)
			selectors[count++] = (struct presence_selector){rule->kind, rule->text};
	}
	return presence_new(selectors, count, options->names, ret);
}

int keeper_new(const struct keeper_options *options, struct registry *registry,
	       struct intake *intake, struct keeper **ret)
{
	CLEANUP(keeper_freep) struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->house = (struct house){
	    .rules = options->rules,
	    .registry = registry,
	    .intake = intake,
	    .log_bytes = options->log_bytes,
	};
	keeper->changed = options->changed;
	keeper->data = options->data;
	keeper->expire_ns = INT64_MAX;
	keeper->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (keeper->wake_fd < 0)
		return -errno;
	r = new_presence(options, &keeper->presence);
	if (r == 0)
		r = add_literals(keeper);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(keeper);
	return 0;
}

int keeper_start(struct keeper *keeper)
{
	int r = pthread_create(&keeper->thread, NULL, run, keeper);

	if (r)
		return -r;
	(void)pthread_setname_np(keeper->thread, "keeper");
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
	presence_free(keeper->presence);
	closep(&keeper->wake_fd);
	free(keeper);
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
