/* SPDX-License-Identifier: MIT */
/* links/table.h - flat hash from interface index to name */
#ifndef LINKS_TABLE_H
#define LINKS_TABLE_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

/* index 0: the place is free; no interface has it. */
struct table_entry {
	uint32_t index;
	uint32_t generation;
	uint32_t len;
	char name[IFNAMSIZ];
};

/* Zero-initialised: empty. */
struct table {
	struct table_entry *entries; /* owned; capacity is a power of two */
	size_t capacity;
	size_t count;
};

void table_done(struct table *table);

/**
 * table_set - add an interface or change its name
 * @name: longer than an interface name can be is cut
 * @generation: kept with it, for table_keep()
 * Returns 0, -EINVAL for index 0, or -ENOMEM; the table is as before then.
 */
int table_set(struct table *table, uint32_t index, struct nfl_bytes name, uint32_t generation);
void table_remove(struct table *table, uint32_t index);
/* Removes every entry of another generation. */
void table_keep(struct table *table, uint32_t generation);
/* Borrowed until the table changes; len 0 when there is none. */
struct nfl_bytes table_find(const struct table *table, uint32_t index);

#endif
