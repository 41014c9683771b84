/* SPDX-License-Identifier: MIT */
/*
 * heavy.h - counters by key for those keys that have the most traffic, in bounded memory
 *
 * A table holds a fixed number of keys, whatever comes. When it is full, a new key takes the place
 * of the one with the least traffic of late, and begins with that one's weight (the Space-Saving
 * algorithm of Metwally, Agrawal and El Abbadi): a key that has more than its share of the traffic,
 * one part in as many as the table holds, is always in it. What a key had before it came into the
 * table is not known: its counters are lower bounds, and say so.
 *
 * Threads: none of its own; the caller locks.
 */
#ifndef NFLOGCTL_HEAVY_H
#define NFLOGCTL_HEAVY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAVY_KEY_MAX 320

struct heavy;

struct heavy_counts {
	uint64_t packets;
	uint64_t bytes;
	uint64_t lost;
};

struct heavy_entry {
	struct heavy_counts total;
	struct heavy_counts before; /* as of the last heavy_tick() */
	double packet_rate;         /* a second, between the last two ticks */
	double byte_rate;
	uint64_t weight;  /* packets, halved at each tick */
	bool lower_bound; /* came into a full table: there may have been more */
	uint16_t key_len;
	uint16_t heap_place;
	uint16_t next_in_chain;
	uint8_t key[HEAVY_KEY_MAX];
};

/* @capacity: keys, 1 to 4096. 0 or -ENOMEM. */
int heavy_new(uint16_t capacity, struct heavy **ret);
void heavy_free(struct heavy *heavy);

/* Adds to the counters of a key; one longer than HEAVY_KEY_MAX is cut. */
void heavy_add(struct heavy *heavy, const void *key, size_t len, const struct heavy_counts *counts);

/* Works out the rates: seconds have passed since the last tick; 0 or less: they stay. */
void heavy_tick(struct heavy *heavy, double seconds);

/* Forgets all keys. */
void heavy_clear(struct heavy *heavy);

/* Copies the entries, in no order; room for the capacity is enough. Returns their number. */
size_t heavy_copy(const struct heavy *heavy, struct heavy_entry *to);

#endif
