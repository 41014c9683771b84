/* SPDX-License-Identifier: MIT */
/*
 * Merging: a heap of the sources that have records, by the arrival order in the records' headers;
 * runs of the first are composed into one buffer, the message that gRPC sends. Nothing is encoded
 * here and nothing allocated for a record.
 *
 * Order across sources: intake publishes in order of arrival, one datagram after the other. A
 * source found empty may get a record just before another source gets a later one, so after every
 * read of a span the sources outside the heap are asked again. Then what they get from now on is
 * later than everything in the spans held.
 */
#include "merge.h"

#include <grpc/slice.h>

#include "source.h"
#include "subscription.h"
#include "wire.h"

struct builder {
	struct subscription *sub;
	struct batch *batch;
	uint8_t *buffer;
	size_t used;
	size_t cap;
	uint32_t packets_max;
};

static uint64_t order_of(const struct follow *follow)
{
	return follow_peek(follow)->order;
}

static void swap(struct follow **a, struct follow **b)
{
	struct follow *held = *a;

	*a = *b;
	*b = held;
}

static void sift_up(struct subscription *sub, size_t i)
{
	for (; i > 0; i = (i - 1) / 2) {
		size_t parent = (i - 1) / 2;

		if (order_of(sub->heap[parent]) <= order_of(sub->heap[i]))
			return;
		swap(&sub->heap[parent], &sub->heap[i]);
	}
}

/* After the first one has changed. */
static void sift_down(struct subscription *sub)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= sub->heap_count)
			return;
		if (child + 1 < sub->heap_count &&
		    order_of(sub->heap[child + 1]) < order_of(sub->heap[child]))
			child++;
		if (order_of(sub->heap[i]) <= order_of(sub->heap[child]))
			return;
		swap(&sub->heap[i], &sub->heap[child]);
		i = child;
	}
}

/* Reads a source's next span; a loss found on the way may end the batch. */
static bool open_follow(struct builder *builder, struct follow *follow)
{
	uint64_t lost;
	bool open = follow_open(follow, &lost);

	if (lost > 0 && subscription_lose(builder->sub, follow, LOSS_HISTORY, lost))
		builder->batch->stop = true;
	return open;
}

/* Takes sources with news into the heap until those outside have none. */
static void fill_heap(struct builder *builder)
{
	struct subscription *sub = builder->sub;
	bool again = true;

	while (again && !builder->batch->stop) {
		again = false;
		for (size_t i = 0; i < sub->follow_count; i++) {
			struct follow *follow = sub->follows[i];

			if (follow->open || follow_pending(follow) == 0)
				continue;
			if (!open_follow(builder, follow))
				continue;
			sub->heap[sub->heap_count] = follow;
			sift_up(sub, sub->heap_count++);
			again = sub->follow_count > 1;
		}
	}
}

static void drop_first(struct subscription *sub)
{
	sub->heap[0] = sub->heap[--sub->heap_count];
	sift_down(sub);
}

/* The first source's span may be used up: read on, or leave the heap. */
static void renew_first(struct builder *builder)
{
	struct subscription *sub = builder->sub;
	struct follow *first = sub->heap[0];

	if (first->open) {
		sift_down(sub);
		return;
	}
	if (follow_pending(first) > 0 && open_follow(builder, first))
		sift_down(sub);
	else
		drop_first(sub);
	fill_heap(builder);
}

/* The order up to which records of the first source come before all others. */
static uint64_t run_end(const struct subscription *sub)
{
	uint64_t end = UINT64_MAX;

	for (size_t i = 1; i < sub->heap_count && i <= 2; i++)
		if (order_of(sub->heap[i]) < end)
			end = order_of(sub->heap[i]);
	return end;
}

/* Is there room for one more? A stored record is never shorter than what is composed of it. */
static bool has_room(const struct builder *builder, const struct wire_stored *stored)
{
	const struct terms *terms = &builder->sub->terms;
	size_t room = builder->cap - builder->used;

	if (builder->batch->packets == builder->packets_max)
		return false;
	return stored->total <= room ||
	       wire_composed_len(stored, terms->view, terms->payload_limit) <= room;
}

static void take_run(struct builder *builder, struct follow *follow, uint64_t end)
{
	const struct terms *terms = &builder->sub->terms;
	struct batch *batch = builder->batch;

	while (follow->open && !batch->full) {
		const struct wire_stored *stored = follow_peek(follow);

		if (stored->order > end)
			return;
		if (subscription_check_gaps(builder->sub, follow, stored->lost_kernel,
					    stored->lost_decode)) {
			batch->stop = true;
			return;
		}
		if (!has_room(builder, stored)) {
			batch->full = true;
			return;
		}
		builder->used += wire_compose(builder->buffer + builder->used, stored, terms->view,
					      terms->payload_limit);
		batch->packets++;
		follow_take(follow, stored);
	}
}

/* As much as can be needed: what waits, a batch at most, the first record at least. */
static size_t buffer_size(const struct subscription *sub)
{
	const struct terms *terms = &sub->terms;
	size_t first =
	    wire_composed_len(follow_peek(sub->heap[0]), terms->view, terms->payload_limit);
	uint64_t waiting = 0;

	for (size_t i = 0; i < sub->heap_count && waiting < terms->batch_bytes; i++)
		waiting += history_lag_bytes(sub->heap[i]->source->log, &sub->heap[i]->cursor);
	if (waiting > terms->batch_bytes)
		waiting = terms->batch_bytes;
	return waiting > first ? waiting : first;
}

static void build(struct builder *builder)
{
	struct subscription *sub = builder->sub;
	struct batch *batch = builder->batch;
	uint8_t header[WIRE_BATCH_HEADER_MAX];
	grpc_slice packets;

	builder->cap = buffer_size(sub);
	packets = grpc_slice_malloc_large(builder->cap);
	builder->buffer = GRPC_SLICE_START_PTR(packets);
	while (sub->heap_count > 0 && !batch->full && !batch->stop) {
		take_run(builder, sub->heap[0], run_end(sub));
		if (!batch->full && !batch->stop)
			renew_first(builder);
	}
	if (batch->packets == 0) {
		grpc_slice_unref(packets);
		return;
	}
	GRPC_SLICE_SET_LENGTH(packets, builder->used);
	batch->slices[0] = grpc_slice_from_copied_buffer((const char *)header,
							 wire_batch_header(header, builder->used));
	batch->slices[1] = packets;
}

static uint32_t packets_max(const struct subscription *sub)
{
	uint64_t left = sub->terms.max_packets - atomic_load(&sub->packets_sent);

	return left < sub->terms.batch_packets ? (uint32_t)left : sub->terms.batch_packets;
}

void merge_batch(struct subscription *sub, struct batch *ret)
{
	struct builder builder = {.sub = sub, .batch = ret, .packets_max = packets_max(sub)};

	*ret = (struct batch){0};
	(void)pthread_mutex_lock(&sub->lock);
	fill_heap(&builder);
	if (sub->heap_count > 0 && !ret->stop)
		build(&builder);
	/* Spans are not held on to while the message travels: they would keep slabs alive. */
	while (sub->heap_count > 0)
		follow_close(sub->heap[--sub->heap_count]);
	(void)pthread_mutex_unlock(&sub->lock);
}
