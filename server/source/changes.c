/* SPDX-License-Identifier: MIT */
/* A ring of changes. Each holds a reference, so that a source can be told of after it is forgotten. */
#include "changes.h"

#include <errno.h>
#include <stdlib.h>

int changes_init(struct changes *changes)
{
	changes->ring = calloc(CHANGES_MAX, sizeof(*changes->ring));
	return changes->ring ? 0 : -ENOMEM;
}

void changes_done(struct changes *changes)
{
	for (size_t i = 0; changes->ring && i < CHANGES_MAX; i++)
		(void)source_unref(changes->ring[i].source);
	free(changes->ring);
	changes->ring = NULL;
}

void changes_add(struct changes *changes, struct source *source)
{
	uint64_t number = atomic_load_explicit(&changes->end, memory_order_relaxed);
	struct source_change *change = &changes->ring[number % CHANGES_MAX];

	(void)source_unref(change->source);
	change->source = source_ref(source);
	source_status(source, &change->status);
	atomic_store_explicit(&changes->end, number + 1, memory_order_release);
}

int changes_read(const struct changes *changes, uint64_t *cursor, struct source_change *ret,
		 size_t max)
{
	uint64_t end = atomic_load_explicit(&changes->end, memory_order_relaxed);
	int count = 0;

	if (end > CHANGES_MAX && *cursor < end - CHANGES_MAX)
		return -EOVERFLOW;
	for (; (size_t)count < max && *cursor < end; count++) {
		ret[count] = changes->ring[(*cursor)++ % CHANGES_MAX];
		(void)source_ref(ret[count].source);
	}
	return count;
}
