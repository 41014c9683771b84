/* SPDX-License-Identifier: MIT */
/* A sorted array: ids are given in ascending order, and packets come in runs of one source. */
#include "origins.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static size_t lower_bound(const struct origins *origins, uint32_t source_id)
{
	size_t low = 0, high = origins->count;

	if (high > 0 && origins->items[high - 1]->source_id < source_id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (origins->items[middle]->source_id < source_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct origin *add(struct origins *origins, size_t at, uint32_t source_id)
{
	struct origin **grown =
	    reallocarray(origins->items, origins->count + 1, sizeof(struct origin *));
	struct origin *origin;

	if (!grown)
		return NULL;
	origins->items = grown;
	origin = calloc(1, sizeof(*origin));
	if (!origin)
		return NULL;
	origin->source_id = source_id;
	memmove(grown + at + 1, grown + at, (origins->count - at) * sizeof(struct origin *));
	grown[at] = origin;
	origins->count++;
	return origin;
}

struct origin *origins_get(struct origins *origins, uint32_t source_id)
{
	size_t at = origins->last;

	if (at >= origins->count || origins->items[at]->source_id != source_id)
		at = lower_bound(origins, source_id);
	origins->last = at;
	if (at < origins->count && origins->items[at]->source_id == source_id)
		return origins->items[at];
	return add(origins, at, source_id);
}

int origin_name(struct origin *origin, const char *netns, uint16_t group, int state)
{
	if (!origin->netns || strcmp(origin->netns, netns) != 0) {
		char *copy = strdup(netns);

		if (!copy)
			return -ENOMEM;
		free(origin->netns);
		origin->netns = copy;
	}
	origin->group = group;
	origin->state = state;
	origin->is_named = true;
	return 0;
}

static void origin_free(struct origin *origin)
{
	free(origin->netns);
	free(origin);
}

void origins_remove(struct origins *origins, size_t at)
{
	origin_free(origins->items[at]);
	origins->count--;
	memmove(origins->items + at, origins->items + at + 1,
		(origins->count - at) * sizeof(struct origin *));
}

void origins_done(struct origins *origins)
{
	for (size_t i = 0; i < origins->count; i++)
		origin_free(origins->items[i]);
	free(origins->items);
	*origins = (struct origins){0};
}

static size_t put_counts(const struct origin *origin, struct checkpoint_count *to)
{
	size_t count = 0;

	for (uint32_t stage = 0; stage <= LOSS_STAGES; stage++) {
		bool is_covered = stage == LOSS_STAGES;
		uint64_t value = is_covered ? origin->covered : origin->lost[stage];

		if (value == 0)
			continue;
		if (to)
			to[count] = (struct checkpoint_count){
			    origin->source_id, is_covered ? CHECKPOINT_COVERED : stage, value};
		count++;
	}
	return count;
}

int origins_counts(const struct origins *origins, struct checkpoint_count **ret)
{
	struct checkpoint_count *counts;
	size_t count = 0;

	for (size_t i = 0; i < origins->count; i++)
		count += put_counts(origins->items[i], NULL);
	counts = calloc(count + 1, sizeof(*counts));
	if (!counts || count > INT_MAX) {
		free(counts);
		return -ENOMEM;
	}
	count = 0;
	for (size_t i = 0; i < origins->count; i++)
		count += put_counts(origins->items[i], counts + count);
	*ret = counts;
	return (int)count;
}

int origins_restore(struct origins *origins, const struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->count_count; i++) {
		const struct checkpoint_count *count = &checkpoint->counts[i];
		struct origin *origin = origins_get(origins, count->source_id);

		if (!origin)
			return -ENOMEM;
		if (count->stage == CHECKPOINT_COVERED)
			origin->covered = count->count;
		else if (count->stage < LOSS_STAGES)
			origin->lost[count->stage] = count->count;
	}
	return 0;
}

/* Told, and no gap seen: the sequences that come next are missing. */
static uint64_t still_missing(const struct origin *origin)
{
	return origin->told > origin->gaps ? origin->told - origin->gaps : 0;
}

void origin_take_packet(struct origin *origin, uint64_t sequence, uint64_t *ret_after)
{
	uint64_t missing = still_missing(origin);

	/* Of a source whose place is not known, what was told as lost lies just before. */
	if (origin->covered == 0 || origin->covered >= sequence)
		*ret_after = missing < sequence ? sequence - 1 - missing : 0;
	else
		*ret_after = origin->covered;
	origin->gaps += sequence - 1 - *ret_after;
	origin->covered = sequence;
}

void origin_take_loss(struct origin *origin, uint64_t count, uint64_t *ret_after)
{
	uint64_t missing;

	*ret_after = origin->covered;
	origin->told += count;
	missing = still_missing(origin);
	if (origin->covered == 0)
		return; /* the next packet will tell where */
	origin->covered += missing;
	origin->gaps += missing;
}
