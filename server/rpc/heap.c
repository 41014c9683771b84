/* SPDX-License-Identifier: MIT */
/* A binary heap by order of arrival. */
#include "heap.h"

#include "subscription.h"
#include "wire.h"

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

void heap_push(struct subscription *sub, struct follow *follow)
{
	size_t i = sub->heap_count++;

	sub->heap[i] = follow;
	for (; i > 0; i = (i - 1) / 2) {
		size_t parent = (i - 1) / 2;

		if (order_of(sub->heap[parent]) <= order_of(sub->heap[i]))
			return;
		swap(&sub->heap[parent], &sub->heap[i]);
	}
}

void heap_renew_first(struct subscription *sub)
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

void heap_drop_first(struct subscription *sub)
{
	sub->heap[0] = sub->heap[--sub->heap_count];
	heap_renew_first(sub);
}

uint64_t heap_run_end(const struct subscription *sub)
{
	uint64_t end = UINT64_MAX;

	for (size_t i = 1; i < sub->heap_count && i <= 2; i++)
		if (order_of(sub->heap[i]) < end)
			end = order_of(sub->heap[i]);
	return end;
}
