/* SPDX-License-Identifier: MIT */
/* Sorted arrays: a reader sees few streams, and the sources of one in ascending order. */
#include "places.h"

#include <stdlib.h>
#include <string.h>

static void stream_free(struct place_stream *stream)
{
	free(stream->key);
	free(stream->items);
	sources_done(&stream->sources);
	free(stream);
}

/* Index of the first stream whose key is not below. */
static size_t find_stream(const struct places *places, const char *key)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(places->streams[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void forget_stream(struct places *places, size_t at)
{
	places->total -= places->streams[at]->count;
	stream_free(places->streams[at]);
	places->count--;
	memmove(places->streams + at, places->streams + at + 1,
		(places->count - at) * sizeof(struct place_stream *));
}

/* A log of more than anybody reads at once, or a hostile one. */
static void forget_oldest(struct places *places)
{
	size_t oldest = 0;

	for (size_t i = 1; i < places->count; i++)
		if (places->streams[i]->used < places->streams[oldest]->used)
			oldest = i;
	forget_stream(places, oldest);
}

static struct place_stream *add_stream(struct places *places, size_t at, const char *key)
{
	struct place_stream **grown =
	    reallocarray(places->streams, places->count + 1, sizeof(struct place_stream *));
	struct place_stream *stream;

	if (!grown)
		return NULL;
	places->streams = grown;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->key = strdup(key);
	if (!stream->key) {
		free(stream);
		return NULL;
	}
	memmove(grown + at + 1, grown + at, (places->count - at) * sizeof(struct place_stream *));
	grown[at] = stream;
	places->count++;
	return stream;
}

struct place_stream *places_open(struct places *places, const char *key)
{
	size_t at = find_stream(places, key);
	struct place_stream *stream = NULL;

	if (at < places->count && strcmp(places->streams[at]->key, key) == 0) {
		stream = places->streams[at];
	} else {
		/* Each stream counts for one place more: those without any are bounded, too. */
		if (places->count > 0 && places->total + places->count >= PLACES_MAX) {
			forget_oldest(places);
			at = find_stream(places, key);
		}
		stream = add_stream(places, at, key);
	}
	if (stream)
		stream->used = ++places->uses;
	return stream;
}

void places_done(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		stream_free(places->streams[i]);
	free(places->streams);
	*places = (struct places){0};
}

/* Index of the first place whose id is not below. */
static size_t find_place(const struct place_stream *stream, uint32_t source_id)
{
	size_t low = 0, high = stream->count;

	if (high > 0 && stream->items[high - 1].source_id < source_id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stream->items[middle].source_id < source_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct place *add_place(struct places *places, struct place_stream *stream, size_t at,
			       uint32_t source_id)
{
	size_t capacity = stream->capacity ? stream->capacity * 2 : 4;
	struct place *grown;

	if (stream->count > SOURCES_MAX)
		return NULL;
	if (stream->count == stream->capacity) {
		grown = reallocarray(stream->items, capacity, sizeof(*grown));
		if (!grown)
			return NULL;
		stream->items = grown;
		stream->capacity = capacity;
	}
	memmove(stream->items + at + 1, stream->items + at,
		(stream->count - at) * sizeof(struct place));
	stream->items[at] = (struct place){.source_id = source_id, .shown_id = ++places->ids};
	stream->count++;
	places->total++;
	return &stream->items[at];
}

struct place *places_get(struct places *places, struct place_stream *stream, uint32_t source_id)
{
	size_t at = stream->last;

	if (at >= stream->count || stream->items[at].source_id != source_id)
		at = find_place(stream, source_id);
	stream->last = at;
	if (at < stream->count && stream->items[at].source_id == source_id)
		return &stream->items[at];
	return add_place(places, stream, at, source_id);
}

bool place_has(const struct place *place, uint64_t sequence)
{
	/* The newest range is the last, and nearly all that comes lies behind it. */
	for (size_t i = place->range_count; i > 0; i--) {
		const struct place_range *range = &place->ranges[i - 1];

		if (sequence > range->last)
			return false;
		if (sequence > range->after)
			return true;
	}
	return false;
}

static void remove_ranges(struct place *place, size_t at, size_t count)
{
	place->range_count -= (uint32_t)count;
	memmove(place->ranges + at, place->ranges + at + count,
		(place->range_count - at) * sizeof(place->ranges[0]));
}

void place_forget(struct place *place)
{
	place->arriving = (struct place_range){0};
	place->arrived = 0;
}

/* Sequences of the range that no segment has covered yet. */
static uint64_t count_new(const struct place *place, const struct place_range *range)
{
	uint64_t count = range->last - range->after;

	for (size_t i = 0; i < place->range_count; i++) {
		const struct place_range *there = &place->ranges[i];
		uint64_t after = there->after > range->after ? there->after : range->after;
		uint64_t last = there->last < range->last ? there->last : range->last;

		if (last > after)
			count -= last - after;
	}
	return count;
}

void place_settle(struct place *place)
{
	struct place_range range = place->arriving;
	uint64_t fresh = range.last ? count_new(place, &range) : 0;
	size_t at = 0, end;

	if (fresh > place->arrived)
		place->holes += fresh - place->arrived;
	place_forget(place);
	if (range.last == 0)
		return;
	while (at < place->range_count && place->ranges[at].last < range.after)
		at++;
	for (end = at; end < place->range_count && place->ranges[end].after <= range.last; end++) {
		if (place->ranges[end].after < range.after)
			range.after = place->ranges[end].after;
		if (place->ranges[end].last > range.last)
			range.last = place->ranges[end].last;
	}
	remove_ranges(place, at, end - at);
	if (place->range_count == PLACE_RANGES) {
		place->ranges[1].after = place->ranges[0].after;
		remove_ranges(place, 0, 1);
		at = at > 0 ? at - 1 : 0;
		if (at == 0 && range.last < place->ranges[0].last)
			return; /* it lies in the hole that was given up, or before it */
	}
	memmove(place->ranges + at + 1, place->ranges + at,
		(place->range_count - at) * sizeof(place->ranges[0]));
	place->ranges[at] = range;
	place->range_count++;
}
