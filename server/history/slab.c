/* SPDX-License-Identifier: MIT */
/* Counted blocks of records: made by a log's writer, freed by whoever lets go last. */
#include "slab.h"

#include <stdlib.h>

struct history_slab *slab_new(size_t cap)
{
	struct history_slab *slab = malloc(slab_footprint(cap));

	if (!slab)
		return NULL;
	atomic_init(&slab->refs, 1);
	slab->cap = cap;
	slab->first_record = 0;
	slab->first_byte = 0;
	slab->used = 0;
	slab->published = 0;
	return slab;
}

struct history_slab *slab_ref(struct history_slab *slab)
{
	/* The caller holds a reference or the log's lock, so nothing has to be ordered. */
	(void)atomic_fetch_add_explicit(&slab->refs, 1, memory_order_relaxed);
	return slab;
}

void slab_unref(struct history_slab *slab)
{
	if (!slab)
		return;
	/* acq_rel: every holder's reads happen before the free. */
	if (atomic_fetch_sub_explicit(&slab->refs, 1, memory_order_acq_rel) == 1)
		free(slab);
}
