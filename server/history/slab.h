/* SPDX-License-Identifier: MIT */
/*
 * history/slab.h - a counted block of records; private to the room
 *
 * Bytes are written once, by the log's writer, and never change below `published`. A slab belongs
 * to its log and to every span that was read from it; the last one frees it.
 */
#ifndef HISTORY_SLAB_H
#define HISTORY_SLAB_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct history_slab {
	_Atomic uint32_t refs;
	size_t cap;            /* const: bytes of data */
	uint64_t first_record; /* const: number of its first record */
	uint64_t first_byte;   /* const: bytes in the log before it */
	size_t used;           /* writer only: bytes appended */
	size_t published;      /* [log->lock]: bytes that readers may see */
	alignas(8) uint8_t data[];
};

/* Memory of a slab with this many bytes of data, as budgets count it. */
static inline size_t slab_footprint(size_t cap)
{
	return sizeof(struct history_slab) + cap;
}

/* One reference, the caller's; NULL without memory. */
struct history_slab *slab_new(size_t cap);
struct history_slab *slab_ref(struct history_slab *slab);
void slab_unref(struct history_slab *slab);

#endif
