/* SPDX-License-Identifier: MIT */
/*
 * The list of all sources, in the order (netns, group), and of those that are gone, by when they
 * went. The keeper adds and removes, intake sets states, rpc selects and reads changes. It is
 * short-lived work under the registry's lock: comparing names and taking references.
 */
#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "changes.h"
#include "cleanup.h"
#include "history.h"
#include "source_new.h"

#define ID_BITS        21       /* at most three bytes as a varint, in every packet */
#define SOURCES_MAX    1048576u /* half of all ids, so that a free one is found soon */
#define DRAIN_CHECK_NS INT64_C(1000000000)

/* A source that is gone. */
struct past {
	struct source *source; /* a reference */
	int64_t since_ns;      /* monotonic */
	bool cleared;          /* its packets are */
};

struct registry {
	struct history *history; /* borrowed */
	_Atomic uint64_t order;
	pthread_mutex_t lock;
	struct source **items;  /* [lock] owned, one reference each; ordered */
	size_t count;           /* [lock] */
	size_t cap;             /* [lock] */
	uint64_t added;         /* [lock] sources ever */
	struct past *past;      /* [lock] owned; room for REGISTRY_GONE_MAX; the oldest first */
	size_t past_count;      /* [lock] */
	struct changes changes; /* [lock] */
};

int registry_new(struct history *history, struct registry **ret)
{
	CLEANUP(freep) struct registry *registry = calloc(1, sizeof(*registry));
	CLEANUP(freep) struct past *past = calloc(REGISTRY_GONE_MAX, sizeof(*past));
	int r;

	if (!registry || !past)
		return -ENOMEM;
	r = changes_init(&registry->changes);
	if (r < 0)
		return r;
	r = pthread_mutex_init(&registry->lock, NULL);
	if (r) {
		changes_done(&registry->changes);
		return -r;
	}
	registry->history = history;
	registry->past = TAKE_PTR(past);
	*ret = TAKE_PTR(registry);
	return 0;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	changes_done(&registry->changes);
	for (size_t i = 0; i < registry->count; i++)
		(void)source_unref(registry->items[i]);
	for (size_t i = 0; i < registry->past_count; i++)
		(void)source_unref(registry->past[i].source);
	free(registry->items);
	free(registry->past);
	(void)pthread_mutex_destroy(&registry->lock);
	free(registry);
}

static int compare(const struct source *source, const char *netns, uint16_t group)
{
	int order = strcmp(source->netns, netns);

	return order ? order : (int)source->group - (int)group;
}

/* [lock] Where (netns, group) is, or would be inserted. */
static size_t find_place(const struct registry *registry, const char *netns, uint16_t group,
			 bool *ret_found)
{
	size_t low = 0;
	size_t high = registry->count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(registry->items[middle], netns, group);

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

/* [lock] */
static bool is_id_taken(const struct registry *registry, uint32_t id)
{
	for (size_t i = 0; i < registry->count; i++)
		if (registry->items[i]->id == id)
			return true;
	for (size_t i = 0; i < registry->past_count; i++)
		if (registry->past[i].source->id == id)
			return true;
	return false;
}

/* [lock] An id that tells nothing of how many other sources there are. */
static int pick_id(const struct registry *registry, uint32_t *ret)
{
	uint32_t id;

	do {
		if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
			return -EIO; /* no such system call; a few bytes never come short */
		id &= (UINT32_C(1) << ID_BITS) - 1;
	} while (id == 0 || is_id_taken(registry, id));
	*ret = id;
	return 0;
}

/* [lock] Room for one more. */
static int grow(struct registry *registry)
{
	size_t cap = registry->cap ? 2 * registry->cap : 16;
	struct source **items;

	if (registry->count < registry->cap)
		return 0;
	if (registry->count == SOURCES_MAX)
		return -ENOSPC;
	items = reallocarray(registry->items, cap, sizeof(struct source *));
	if (!items)
		return -ENOMEM;
	registry->items = items;
	registry->cap = cap;
	return 0;
}

/* [lock] */
static int add(struct registry *registry, const struct source_spec *spec, struct source **ret)
{
	bool found;
	size_t place = find_place(registry, spec->netns, spec->group, &found);
	uint32_t id;
	int r;

	if (found)
		return -EEXIST;
	r = grow(registry);
	if (r < 0)
		return r;
	r = pick_id(registry, &id);
	if (r < 0)
		return r;
	r = source_new(registry->history, spec, id, registry->added, ret);
	if (r < 0)
		return r;
	memmove(registry->items + place + 1, registry->items + place,
		(registry->count - place) * sizeof(struct source *));
	registry->items[place] = *ret;
	registry->count++;
	registry->added++;
	changes_add(&registry->changes, *ret);
	return 0;
}

int registry_add(struct registry *registry, const struct source_spec *spec, struct source **ret)
{
	int r;

	(void)pthread_mutex_lock(&registry->lock);
	r = add(registry, spec, ret);
	(void)pthread_mutex_unlock(&registry->lock);
	return r;
}

void registry_set_state(struct registry *registry, struct source *source, enum source_state state,
			const char *detail)
{
	(void)pthread_mutex_lock(&registry->lock);
	if (source_set_status(source, state, detail))
		changes_add(&registry->changes, source);
	if (state == SOURCE_GONE)
		history_log_close(source->log);
	(void)pthread_mutex_unlock(&registry->lock);
}

/* --- sources that are gone ---------------------------------------------------------------- */

static bool is_drained(struct source *source)
{
	struct source_status status;

	source_status(source, &status);
	return status.state == SOURCE_GONE;
}

/* [lock] Nobody knows the oldest one any more. */
static void forget_oldest(struct registry *registry)
{
	struct source *source = registry->past[0].source;

	history_log_clear(source->log);
	(void)source_unref(source);
	registry->past_count--;
	memmove(registry->past, registry->past + 1, registry->past_count * sizeof(struct past));
}

void registry_remove(struct registry *registry, struct source *source, int64_t now_ns)
{
	bool found;
	size_t place;

	(void)pthread_mutex_lock(&registry->lock);
	place = find_place(registry, source->netns, source->group, &found);
	if (found && registry->items[place] == source) {
		registry->count--;
		memmove(registry->items + place, registry->items + place + 1,
			(registry->count - place) * sizeof(struct source *));
		if (registry->past_count == REGISTRY_GONE_MAX)
			forget_oldest(registry);
		registry->past[registry->past_count++] =
		    (struct past){.source = source, .since_ns = now_ns};
	}
	(void)pthread_mutex_unlock(&registry->lock);
}

/* [lock] Returns when to look at it again. */
static int64_t expire(struct past *past, int64_t now_ns)
{
	if (past->cleared)
		return INT64_MAX;
	if (now_ns < past->since_ns + REGISTRY_GONE_KEEP_NS)
		return past->since_ns + REGISTRY_GONE_KEEP_NS;
	if (!is_drained(past->source)) /* its log is still written to */
		return now_ns + DRAIN_CHECK_NS;
	history_log_clear(past->source->log);
	past->cleared = true;
	return INT64_MAX;
}

int64_t registry_expire(struct registry *registry, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX;

	(void)pthread_mutex_lock(&registry->lock);
	for (size_t i = 0; i < registry->past_count; i++) {
		int64_t again_ns = expire(&registry->past[i], now_ns);

		if (again_ns < next_ns)
			next_ns = again_ns;
	}
	(void)pthread_mutex_unlock(&registry->lock);
	return next_ns;
}

/* --- selecting ---------------------------------------------------------------------------- */

static bool is_netns_in(const char *netns, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(netns, names[i]) == 0)
			return true;
	return count == 0;
}

static bool is_group_in(uint16_t group, const uint32_t *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (group == groups[i])
			return true;
	return count == 0;
}

bool source_matches(const struct source *source, const struct source_query *query)
{
	return is_netns_in(source->netns, query->netns, query->netns_count) &&
	       is_group_in(source->group, query->groups, query->group_count);
}

static void select_one(struct source *source, const struct source_query *query,
		       struct source_list *list)
{
	if (source_matches(source, query))
		list->items[list->count++] = source_ref(source);
}

/* By netns, group, and age: the lives of one namespace follow each other. */
static int compare_lives(const void *a, const void *b)
{
	const struct source *left = *(struct source *const *)a;
	const struct source *right = *(struct source *const *)b;
	int order = compare(left, right->netns, right->group);

	if (order != 0)
		return order;
	return source_age(left) < source_age(right) ? -1 : 1;
}

/* [lock] */
static int select_all(struct registry *registry, const struct source_query *query,
		      struct source_list *list)
{
	size_t past = query->gone ? registry->past_count : 0;
	size_t room = registry->count + past;

	list->change = registry_change_end(registry);
	if (room == 0)
		return 0;
	list->items = calloc(room, sizeof(struct source *));
	if (!list->items)
		return -ENOMEM;
	for (size_t i = 0; i < past; i++)
		select_one(registry->past[i].source, query, list);
	for (size_t i = 0; i < registry->count; i++)
		select_one(registry->items[i], query, list);
	if (past > 0)
		qsort(list->items, list->count, sizeof(struct source *), compare_lives);
	return 0;
}

int registry_select(struct registry *registry, const struct source_query *query,
		    struct source_list *ret)
{
	struct source_list list = {0};
	int r;

	(void)pthread_mutex_lock(&registry->lock);
	r = select_all(registry, query, &list);
	(void)pthread_mutex_unlock(&registry->lock);
	if (r == 0)
		*ret = list;
	return r;
}

void source_list_done(struct source_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		(void)source_unref(list->items[i]);
	free(list->items);
	*list = (struct source_list){0};
}

/* --- changes and order --------------------------------------------------------------------- */

uint64_t registry_change_end(const struct registry *registry)
{
	return atomic_load_explicit(&registry->changes.end, memory_order_acquire);
}

int registry_changes(struct registry *registry, uint64_t *cursor, struct source_change *ret,
		     size_t max)
{
	int r;

	(void)pthread_mutex_lock(&registry->lock);
	r = changes_read(&registry->changes, cursor, ret, max);
	(void)pthread_mutex_unlock(&registry->lock);
	return r;
}

void registry_set_order(struct registry *registry, uint64_t order)
{
	atomic_store_explicit(&registry->order, order, memory_order_release);
}

uint64_t registry_order(const struct registry *registry)
{
	return atomic_load_explicit(&registry->order, memory_order_acquire);
}
