/* SPDX-License-Identifier: MIT */
/*
 * Entries lie in an array and never move. Chains of a hash table find a key, a heap of entry
 * numbers finds the one with the least weight. Halving every weight keeps the heap's order.
 */
#include "heavy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define NONE UINT16_MAX

struct heavy {
	uint16_t capacity;
	uint16_t count;
	uint16_t bucket_count;
	struct heavy_entry *entries; /* owned */
	uint16_t *heap;              /* owned; entry numbers, the least weight first */
	uint16_t *buckets;           /* owned; first entry of each chain, or NONE */
};

static void heavy_freep(struct heavy **heavy)
{
	heavy_free(*heavy);
}

void heavy_free(struct heavy *heavy)
{
	if (!heavy)
		return;
	free(heavy->entries);
	free(heavy->heap);
	free(heavy->buckets);
	free(heavy);
}

int heavy_new(uint16_t capacity, struct heavy **ret)
{
	CLEANUP(heavy_freep) struct heavy *heavy = calloc(1, sizeof(*heavy));

	if (!heavy)
		return -ENOMEM;
	heavy->capacity = capacity;
	heavy->bucket_count = (uint16_t)(2 * capacity);
	heavy->entries = calloc(capacity, sizeof(*heavy->entries));
	heavy->heap = calloc(capacity, sizeof(*heavy->heap));
	heavy->buckets = calloc(heavy->bucket_count, sizeof(*heavy->buckets));
	if (!heavy->entries || !heavy->heap || !heavy->buckets)
		return -ENOMEM;
	heavy_clear(heavy);
	*ret = TAKE_PTR(heavy);
	return 0;
}

void heavy_clear(struct heavy *heavy)
{
	heavy->count = 0;
	for (uint16_t i = 0; i < heavy->bucket_count; i++)
		heavy->buckets[i] = NONE;
}

/* --- heap -------------------------------------------------------------------------------- */

static uint64_t weight_at(const struct heavy *heavy, uint16_t place)
{
	return heavy->entries[heavy->heap[place]].weight;
}

static void heap_swap(struct heavy *heavy, uint16_t a, uint16_t b)
{
	uint16_t entry = heavy->heap[a];

	heavy->heap[a] = heavy->heap[b];
	heavy->heap[b] = entry;
	heavy->entries[heavy->heap[a]].heap_place = a;
	heavy->entries[heavy->heap[b]].heap_place = b;
}

/* An entry's weight has grown. */
static void heap_sink(struct heavy *heavy, uint16_t place)
{
	for (;;) {
		uint16_t least = place;

		for (unsigned child = 2U * place + 1; child <= 2U * place + 2; child++)
			if (child < heavy->count &&
			    weight_at(heavy, (uint16_t)child) < weight_at(heavy, least))
				least = (uint16_t)child;
		if (least == place)
			return;
		heap_swap(heavy, place, least);
		place = least;
	}
}

/* A new entry, at the end, may weigh less than those above it. */
static void heap_rise(struct heavy *heavy, uint16_t place)
{
	while (place > 0) {
		uint16_t above = (uint16_t)((place - 1) / 2);

		if (weight_at(heavy, above) <= weight_at(heavy, place))
			return;
		heap_swap(heavy, place, above);
		place = above;
	}
}

/* --- chains ------------------------------------------------------------------------------ */

/* FNV-1a. Keys that somebody makes to collide cost no more than the table's capacity each. */
static uint16_t *bucket_of(struct heavy *heavy, const uint8_t *key, size_t len)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ key[i]) * UINT32_C(16777619);
	return &heavy->buckets[hash % heavy->bucket_count];
}

static void chain_remove(struct heavy *heavy, uint16_t number)
{
	const struct heavy_entry *entry = &heavy->entries[number];
	uint16_t *link = bucket_of(heavy, entry->key, entry->key_len);

	while (*link != number)
		link = &heavy->entries[*link].next_in_chain;
	*link = entry->next_in_chain;
}

static struct heavy_entry *find(struct heavy *heavy, const void *key, size_t len)
{
	uint16_t number = *bucket_of(heavy, key, len);

	while (number != NONE) {
		struct heavy_entry *entry = &heavy->entries[number];

		if (entry->key_len == len && memcmp(entry->key, key, len) == 0)
			return entry;
		number = entry->next_in_chain;
	}
	return NULL;
}

/* ----------------------------------------------------------------------------------------- */

/* Gives the key an entry of its own: a free one, or that of the key with the least weight. */
static struct heavy_entry *enter(struct heavy *heavy, const void *key, size_t len)
{
	bool full = heavy->count == heavy->capacity;
	uint16_t number = full ? heavy->heap[0] : heavy->count;
	struct heavy_entry *entry = &heavy->entries[number];
	uint16_t *bucket = bucket_of(heavy, key, len);
	uint64_t weight = full ? entry->weight : 0;
	uint16_t place = full ? 0 : number;

	if (full)
		chain_remove(heavy, number);
	*entry = (struct heavy_entry){
	    .weight = weight,
	    .lower_bound = full,
	    .key_len = (uint16_t)len,
	    .heap_place = place,
	    .next_in_chain = *bucket,
	};
	memcpy(entry->key, key, len);
	*bucket = number;
	if (!full) {
		heavy->heap[place] = number;
		heavy->count++;
		heap_rise(heavy, place);
	}
	return entry;
}

void heavy_add(struct heavy *heavy, const void *key, size_t len, const struct heavy_counts *counts)
{
	struct heavy_entry *entry;

	if (len > HEAVY_KEY_MAX)
		len = HEAVY_KEY_MAX;
	entry = find(heavy, key, len);
	if (!entry)
		entry = enter(heavy, key, len);
	entry->total.packets += counts->packets;
	entry->total.bytes += counts->bytes;
	entry->total.lost += counts->lost;
	entry->weight += counts->packets;
	heap_sink(heavy, entry->heap_place);
}

void heavy_tick(struct heavy *heavy, double seconds)
{
	for (uint16_t i = 0; i < heavy->count && seconds > 0; i++) {
		struct heavy_entry *entry = &heavy->entries[i];

		entry->packet_rate =
		    (double)(entry->total.packets - entry->before.packets) / seconds;
		entry->byte_rate = (double)(entry->total.bytes - entry->before.bytes) / seconds;
		entry->before = entry->total;
		entry->weight /= 2;
	}
}

size_t heavy_copy(const struct heavy *heavy, struct heavy_entry *to)
{
	if (heavy->count > 0)
		memcpy(to, heavy->entries, heavy->count * sizeof(*to));
	return heavy->count;
}
