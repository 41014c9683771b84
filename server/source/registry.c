/* SPDX-License-Identifier: MIT */
/*
 * The list of all sources, in the order (netns, group). Main adds to it, rpc selects from it. It is
 * short-lived work under the registry's lock: comparing names and taking references.
 */
#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "source_new.h"

#define ID_BITS     21       /* at most three bytes as a varint, in every packet */
#define SOURCES_MAX 1048576u /* half of all ids, so that a free one is found soon */

struct registry {
	struct history *history; /* borrowed */
	pthread_mutex_t lock;
	struct source **items; /* [lock] owned, one reference each; ordered */
	size_t count;          /* [lock] */
	size_t cap;            /* [lock] */
};

int registry_new(struct history *history, struct registry **ret)
{
	CLEANUP(freep) struct registry *registry = calloc(1, sizeof(*registry));
	int r;

	if (!registry)
		return -ENOMEM;
	r = pthread_mutex_init(&registry->lock, NULL);
	if (r)
		return -r;
	registry->history = history;
	*ret = TAKE_PTR(registry);
	return 0;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->count; i++)
		(void)source_unref(registry->items[i]);
	free(registry->items);
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
static int add(struct registry *registry, const char *netns, uint16_t group, size_t log_bytes,
	       struct source **ret)
{
	bool found;
	size_t place = find_place(registry, netns, group, &found);
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
	r = source_new(registry->history, log_bytes, netns, group, id, ret);
	if (r < 0)
		return r;
	memmove(registry->items + place + 1, registry->items + place,
		(registry->count - place) * sizeof(struct source *));
	registry->items[place] = *ret;
	registry->count++;
	return 0;
}

int registry_add(struct registry *registry, const char *netns, uint16_t group, size_t log_bytes,
		 struct source **ret)
{
	int r;

	(void)pthread_mutex_lock(&registry->lock);
	r = add(registry, netns, group, log_bytes, ret);
	(void)pthread_mutex_unlock(&registry->lock);
	return r;
}

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

int registry_select(struct registry *registry, const char *const *netns, size_t netns_count,
		    const uint32_t *groups, size_t group_count, struct source_list *ret)
{
	struct source_list list = {0};
	int r = 0;

	(void)pthread_mutex_lock(&registry->lock);
	if (registry->count > 0)
		list.items = calloc(registry->count, sizeof(struct source *));
	if (registry->count > 0 && !list.items)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < registry->count; i++) {
		struct source *source = registry->items[i];

		if (is_netns_in(source->netns, netns, netns_count) &&
		    is_group_in(source->group, groups, group_count))
			list.items[list.count++] = source_ref(source);
	}
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
