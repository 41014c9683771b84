/* SPDX-License-Identifier: MIT */
/*
 * table.c - open addressing with linear probing; at most half full
 *
 * Looked up for every packet, changed when an interface comes or goes. Indexes are mostly small and
 * dense, so they are their own hash. A removal moves later entries of the run back, so that no
 * marks of removed entries gather over the life of a host that makes and drops many interfaces.
 */
#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

static size_t home(const struct table *table, uint32_t index)
{
	return index & (table->capacity - 1);
}

static size_t after(const struct table *table, size_t slot)
{
	return (slot + 1) & (table->capacity - 1);
}

/* Where the index is, or the free place where it would be. Capacity is not 0. */
static struct table_entry *slot_of(const struct table *table, uint32_t index)
{
	size_t slot = home(table, index);

	while (table->entries[slot].index && table->entries[slot].index != index)
		slot = after(table, slot);
	return &table->entries[slot];
}

static int grow(struct table *table)
{
	struct table larger = {.capacity = table->capacity ? table->capacity * 2 : CAPACITY_MIN};

	larger.entries = calloc(larger.capacity, sizeof(*larger.entries));
	if (!larger.entries)
		return -ENOMEM;
	larger.count = table->count;
	for (size_t i = 0; i < table->capacity; i++) {
		const struct table_entry *entry = &table->entries[i];

		if (entry->index)
			*slot_of(&larger, entry->index) = *entry;
	}
	free(table->entries);
	*table = larger;
	return 0;
}

void table_done(struct table *table)
{
	free(table->entries);
	*table = (struct table){0};
}

int table_set(struct table *table, uint32_t index, struct nfl_bytes name, uint32_t generation)
{
	struct table_entry *entry;
	int r;

	if (!index)
		return -EINVAL;
	if (table->count >= table->capacity / 2) {
		r = grow(table);
		if (r < 0)
			return r;
	}
	entry = slot_of(table, index);
	if (!entry->index)
		table->count++;
	entry->index = index;
	entry->generation = generation;
	entry->len = name.len < sizeof(entry->name) ? name.len : sizeof(entry->name);
	if (entry->len)
		memcpy(entry->name, name.data, entry->len);
	return 0;
}

/* Whether an entry at `slot` may move to the free place: not when its home lies between the two. */
static bool may_move(const struct table *table, size_t free_slot, size_t slot)
{
	size_t mask = table->capacity - 1;
	size_t from_home = (slot - home(table, table->entries[slot].index)) & mask;

	return from_home >= ((slot - free_slot) & mask);
}

static void remove_at(struct table *table, size_t free_slot)
{
	for (size_t slot = after(table, free_slot); table->entries[slot].index;
	     slot = after(table, slot)) {
		if (may_move(table, free_slot, slot)) {
			table->entries[free_slot] = table->entries[slot];
			free_slot = slot;
		}
	}
	table->entries[free_slot].index = 0;
	table->count--;
}

void table_remove(struct table *table, uint32_t index)
{
	struct table_entry *entry;

	if (!index || !table->capacity)
		return;
	entry = slot_of(table, index);
	if (entry->index)
		remove_at(table, (size_t)(entry - table->entries));
}

void table_keep(struct table *table, uint32_t generation)
{
	for (size_t slot = 0; slot < table->capacity;) {
		const struct table_entry *entry = &table->entries[slot];

		/* What moves into the place is looked at next. */
		if (entry->index && entry->generation != generation)
			remove_at(table, slot);
		else
			slot++;
	}
}

struct nfl_bytes table_find(const struct table *table, uint32_t index)
{
	const struct table_entry *entry;

	if (!index || !table->capacity)
		return (struct nfl_bytes){0};
	entry = slot_of(table, index);
	if (!entry->index)
		return (struct nfl_bytes){0};
	return (struct nfl_bytes){.data = (const uint8_t *)entry->name, .len = entry->len};
}
