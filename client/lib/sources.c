/* SPDX-License-Identifier: MIT */
/* A sorted array: ids are given in ascending order, so that adding one is an append. */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first source whose id is not below. */
static size_t lower_bound(const struct sources *sources, uint32_t id)
{
	size_t low = 0, high = sources->count;

	if (high > 0 && sources->items[high - 1]->id < id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sources->items[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t source_bytes(const struct nfl_client_source *source)
{
	return sizeof(*source) + strlen(source->netns) + strlen(source->detail) + 2;
}

/* One allocation: the struct and behind it its two texts. */
static struct nfl_client_source *source_copy(const struct nfl_client_source *source)
{
	size_t netns_size = strlen(source->netns) + 1;
	struct nfl_client_source *copy = malloc(source_bytes(source));
	char *text;

	if (!copy)
		return NULL;
	text = (char *)(copy + 1);
	*copy = *source;
	copy->netns = memcpy(text, source->netns, netns_size);
	copy->detail = strcpy(text + netns_size, source->detail);
	return copy;
}

static int sources_reserve(struct sources *sources)
{
	size_t capacity = sources->capacity ? sources->capacity * 2 : 16;
	struct nfl_client_source **grown;

	if (sources->count < sources->capacity)
		return 0;
	if (sources->count >= SOURCES_MAX)
		return -EBADMSG;
	grown = realloc(sources->items, capacity * sizeof(struct nfl_client_source *));
	if (!grown)
		return -ENOMEM;
	sources->items = grown;
	sources->capacity = capacity;
	return 0;
}

static int sources_insert(struct sources *sources, size_t at, struct nfl_client_source *owned)
{
	int r = sources_reserve(sources);

	if (r < 0)
		return r;
	memmove(sources->items + at + 1, sources->items + at,
		(sources->count - at) * sizeof(struct nfl_client_source *));
	sources->items[at] = owned;
	sources->count++;
	return 0;
}

int sources_put(struct sources *sources, const struct nfl_client_source *source)
{
	size_t at = lower_bound(sources, source->id);
	size_t bytes = source_bytes(source);
	struct nfl_client_source *copy;
	int r;

	if (bytes > SOURCES_BYTES_MAX - sources->held_bytes)
		return -EBADMSG;
	copy = source_copy(source);
	if (!copy)
		return -ENOMEM;
	if (at < sources->count && sources->items[at]->id == source->id) {
		sources->held_bytes -= source_bytes(sources->items[at]);
		free(sources->items[at]);
		sources->items[at] = copy;
	} else {
		r = sources_insert(sources, at, copy);
		if (r < 0) {
			free(copy);
			return r;
		}
	}
	sources->held_bytes += bytes;
	sources->last = copy;
	return 0;
}

const struct nfl_client_source *sources_find(struct sources *sources, uint32_t id)
{
	size_t at;

	if (sources->last && sources->last->id == id)
		return sources->last;
	at = lower_bound(sources, id);
	if (at == sources->count || sources->items[at]->id != id)
		return NULL;
	sources->last = sources->items[at];
	return sources->last;
}

void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free(sources->items[i]);
	free(sources->items);
	*sources = (struct sources){0};
}
