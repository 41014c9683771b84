/* SPDX-License-Identifier: MIT */
/* source/changes.h - the newest changes of sources, numbered; private to the room */
#ifndef SOURCE_CHANGES_H
#define SOURCE_CHANGES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define CHANGES_MAX 4096

/* All but `end` has the registry's lock. */
struct changes {
	struct source_change *ring; /* owned; change n is at n % CHANGES_MAX; NULL: none yet */
	_Atomic uint64_t end;       /* number of the next one */
};

/* 0 or -ENOMEM. */
int changes_init(struct changes *changes);
void changes_done(struct changes *changes);

/* The source is as it is now. Forgets the oldest change when there are CHANGES_MAX. */
void changes_add(struct changes *changes, struct source *source);

/* As registry_changes(). */
int changes_read(const struct changes *changes, uint64_t *cursor, struct source_change *ret,
		 size_t max);

#endif
