/* SPDX-License-Identifier: MIT */
/*
 * Merging: a heap of the sources that have records, by the arrival order in the records' headers;
 * runs of the first are composed into one buffer, the message that gRPC sends. Nothing is encoded
 * here and nothing allocated for a record.
 *
 * Order across sources: every record up to the watermark was published before the logs are read,
 * so a source that is found without any has none to come. Later ones wait for the next batch. So
 * one pass over the sources is enough.
 *
 * On the way records are passed over that are not to be sent: those before the last N, those beyond
 * the lag allowed, those that a filter holds back, those beyond the rate. That is bounded for each batch, too.
 */
#include "merge.h"

#include <grpc/slice.h>

#include "filters.h"
#include "heap.h"
#include "source.h"
#include "subscription.h"
#include "token.h"
#include "wire.h"

/* Records passed over before other streams get their turn; a filter may cost some microseconds. */
#define PASS_OVER_MAX        8192
#define PASS_OVER_FILTER_MAX 2048

struct builder {
	struct subscription *sub;
	struct batch *batch;
	uint64_t watermark;
	uint8_t *buffer;
	size_t used;
	size_t cap;
	uint32_t packets_max;
	uint32_t pass_over; /* how many may still be */
	size_t replaying;   /* sources whose history is not all read yet */
	bool filters;       /* there are some */
};

static bool is_replaying(const struct follow *follow)
{
	return follow->cursor.record < follow->replay_end;
}

/* The cursor has moved. Where the last source's history ends, the batch does. */
static void note_progress(struct builder *builder, const struct follow *follow, bool was_replaying)
{
	if (builder->sub->replaying && was_replaying && !is_replaying(follow) &&
	    --builder->replaying == 0)
		builder->batch->stop = true;
}

static void pass_over(struct builder *builder, struct follow *follow,
		      const struct wire_stored *stored)
{
	bool was_replaying = is_replaying(follow);

	follow_take(follow, stored);
	note_progress(builder, follow, was_replaying);
	builder->pass_over--;
}

/* Records are gone before they were read. Of the history, those that were to be skipped anyway are
 * no loss. With filters nobody knows how many of them matched: rather some more than the last N. */
static void lose_history(struct builder *builder, struct follow *follow, uint64_t lost,
			 bool was_replaying)
{
	struct subscription *sub = builder->sub;

	if (was_replaying && sub->skip > 0) {
		uint64_t skipped = lost < sub->skip ? lost : sub->skip;

		sub->skip -= skipped;
		lost -= skipped;
		if (follow->open)
			follow_forgive(follow, follow_peek(follow));
	}
	if (lost > 0 && subscription_lose(sub, follow, LOSS_HISTORY, lost))
		builder->batch->stop = true;
}

/* Reads a source's next span; false: it has no record up to the watermark. */
static bool open_follow(struct builder *builder, struct follow *follow)
{
	bool was_replaying = is_replaying(follow);
	uint64_t lost;

	if (follow_pending(follow) == 0)
		return false;
	(void)follow_open(follow, &lost);
	if (lost > 0)
		lose_history(builder, follow, lost, was_replaying);
	note_progress(builder, follow, was_replaying);
	if (follow->open && follow_peek(follow)->order > builder->watermark)
		follow_close(follow);
	return follow->open;
}

/* Takes all sources that have records into the heap, and notes what they have lost. */
static void fill_heap(struct builder *builder)
{
	struct subscription *sub = builder->sub;

	for (size_t i = 0; sub->replaying && i < sub->follow_count; i++)
		builder->replaying += is_replaying(sub->follows[i]);
	for (size_t i = 0; i < sub->follow_count; i++)
		if (open_follow(builder, sub->follows[i]))
			heap_push(sub, sub->follows[i]);
	sub->begun = true;
}

/* The first source has moved on: its span may be used up, its records too late. */
static void renew_first(struct builder *builder)
{
	struct follow *first = builder->sub->heap[0];

	if (first->open && follow_peek(first)->order > builder->watermark)
		follow_close(first);
	else if (!first->open)
		(void)open_follow(builder, first);
	if (first->open)
		heap_renew_first(builder->sub);
	else
		heap_drop_first(builder->sub);
}

static bool passes(const struct builder *builder, const struct follow *follow,
		   const struct wire_stored *stored)
{
	return !builder->filters || filters_pass(builder->sub, follow, stored);
}

/* START_LAST: the records before the last N that pass. */
static void skip_oldest(struct builder *builder)
{
	struct subscription *sub = builder->sub;

	while (sub->heap_count > 0 && sub->skip > 0 && builder->pass_over > 0) {
		struct follow *first = sub->heap[0];
		const struct wire_stored *stored = follow_peek(first);

		if (!is_replaying(first)) { /* arrived while the history was counted */
			sub->skip = 0;
			return;
		}
		sub->skip -= passes(builder, first, stored);
		follow_forgive(first, stored);
		pass_over(builder, first, stored);
		renew_first(builder);
	}
}

static uint64_t lag_bytes(const struct subscription *sub)
{
	uint64_t lag = 0;

	for (size_t i = 0; i < sub->follow_count; i++)
		lag += history_lag_bytes(sub->follows[i]->source->log, &sub->follows[i]->cursor);
	return lag;
}

/* Live streams: what lies further behind than they may be. */
static void drop_lagging(struct builder *builder)
{
	struct subscription *sub = builder->sub;
	uint64_t lag = lag_bytes(sub);

	while (sub->heap_count > 0 && lag > sub->terms.max_lag_bytes && builder->pass_over > 0 &&
	       !sub->ending) {
		struct follow *first = sub->heap[0];
		const struct wire_stored *stored = follow_peek(first);

		if (stored->time_ns > sub->terms.until_ns)
			return;
		lag -= stored->total < lag ? stored->total : lag;
		if (subscription_lose(sub, first, LOSS_HISTORY, 1))
			builder->batch->stop = true;
		pass_over(builder, first, stored);
		renew_first(builder);
	}
}

/* Is there room for one more? A stored record is never shorter than what is composed of it. */
static bool has_room(const struct builder *builder, const struct follow *follow,
		     const struct wire_stored *stored)
{
	const struct terms *terms = &builder->sub->terms;
	size_t room = builder->cap - builder->used;

	if (builder->batch->packets == builder->packets_max)
		return false;
	return stored->total <= room ||
	       wire_composed_len(stored, terms->view, terms->payload_limit, &follow->cut) <= room;
}

static void compose(struct builder *builder, struct follow *follow,
		    const struct wire_stored *stored)
{
	const struct terms *terms = &builder->sub->terms;
	bool was_replaying = is_replaying(follow);

	builder->used += wire_compose(builder->buffer + builder->used, stored, terms->view,
				      terms->payload_limit, &follow->cut);
	builder->batch->packets++;
	builder->sub->replayed += was_replaying;
	follow_take(follow, stored);
	note_progress(builder, follow, was_replaying);
}

static bool is_at_end(const struct builder *builder)
{
	const struct batch *batch = builder->batch;

	return batch->full || batch->stop || batch->over;
}

/* Sends a record, passes it over, or ends the batch before it. */
static void take(struct builder *builder, struct follow *follow, const struct wire_stored *stored)
{
	struct subscription *sub = builder->sub;
	struct batch *batch = builder->batch;

	if (stored->time_ns > sub->terms.until_ns)
		batch->over = true;
	else if (subscription_check_record(sub, follow, stored))
		batch->stop = true;
	else if (!has_room(builder, follow, stored) || builder->pass_over == 0)
		batch->full = true;
	else if (!passes(builder, follow, stored)) {
		batch->filtered++;
		pass_over(builder, follow, stored);
	} else if (rate_take(&sub->rate))
		compose(builder, follow, stored);
	else { /* no packet can follow in this batch, so its report may wait for the end */
		(void)subscription_lose(sub, follow, LOSS_RATE_LIMIT, 1);
		pass_over(builder, follow, stored);
	}
}

/* Takes records of the first source while they come before all others. */
static void take_run(struct builder *builder)
{
	struct follow *first = builder->sub->heap[0];
	uint64_t end = heap_run_end(builder->sub);

	if (end > builder->watermark)
		end = builder->watermark;
	while (first->open && !is_at_end(builder)) {
		const struct wire_stored *stored = follow_peek(first);

		if (stored->order > end)
			return;
		take(builder, first, stored);
	}
}

/* As much as can be needed: what waits, a batch at most, the first record at least. */
static size_t buffer_size(const struct subscription *sub)
{
	const struct terms *terms = &sub->terms;
	const struct follow *next = sub->heap[0];
	size_t first =
	    wire_composed_len(follow_peek(next), terms->view, terms->payload_limit, &next->cut);
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
	while (sub->heap_count > 0 && !is_at_end(builder)) {
		take_run(builder);
		if (!is_at_end(builder))
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
	batch->slices[2] = token_slice(sub);
}

static uint32_t packets_max(const struct subscription *sub)
{
	uint64_t left = sub->terms.max_packets - atomic_load(&sub->packets_sent);

	return left < sub->terms.batch_packets ? (uint32_t)left : sub->terms.batch_packets;
}

static void make(struct builder *builder)
{
	struct subscription *sub = builder->sub;
	struct batch *batch = builder->batch;

	fill_heap(builder);
	if (sub->skip > 0)
		skip_oldest(builder);
	if (sub->terms.max_lag_bytes > 0 && !sub->replaying)
		drop_lagging(builder);
	if (builder->pass_over == 0)
		batch->full = true;
	if (sub->heap_count > 0 && !is_at_end(builder))
		build(builder);
}

void merge_batch(struct subscription *sub, uint64_t watermark, struct batch *ret)
{
	struct builder builder = {.sub = sub,
				  .batch = ret,
				  .watermark = watermark,
				  .packets_max = packets_max(sub),
				  .filters = filters_exist(sub)};

	*ret = (struct batch){0};
	builder.pass_over = builder.filters ? PASS_OVER_FILTER_MAX : PASS_OVER_MAX;
	rate_earn(&sub->rate, sub->call->cq->now_ns);
	(void)pthread_mutex_lock(&sub->lock);
	make(&builder);
	/* Spans are not held on to while the message travels: they would keep slabs alive. */
	while (sub->heap_count > 0)
		follow_close(sub->heap[--sub->heap_count]);
	(void)pthread_mutex_unlock(&sub->lock);
}
