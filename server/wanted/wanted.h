/* SPDX-License-Identifier: MIT */
/*
 * wanted/wanted.h - which groups of a namespace to read, and how
 *
 * Several rules may name the same (namespace, group): it is bound once, with the larger copy range
 * and the lower latency of all. Pure: looks at texts, opens nothing.
 */
#ifndef WANTED_WANTED_H
#define WANTED_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/listener.h>

#include "presence.h"

struct history_account;

/* How a source is read and charged. */
struct wanted {
	struct nfl_listener_options options; /* without the namespace */
	struct history_account *account;     /* borrowed; NULL: no limit of a tenant */
	uint64_t account_bytes;              /* its budget, to compare; UINT64_MAX: none */
};

struct rule {
	char *text; /* owned: of the selector */
	enum presence_kind kind;
	uint16_t first; /* groups */
	uint16_t last;
	struct wanted wanted; /* of each of them; options.group is not used */
};

struct rules {
	struct rule *items; /* owned */
	size_t count;
	size_t cap;
	size_t literals; /* of the items, which come first */
};

/* @text: copied; @rule: all but its text. 0 or -ENOMEM. */
int rules_add(struct rules *rules, const char *text, const struct rule *rule);
/* After the last one was added. */
void rules_sort(struct rules *rules);
void rules_done(struct rules *rules);

/**
 * rules_find - what to read of a namespace
 * @shown: as presence shows it
 * @ret: owned by the caller, in the order of groups; NULL when @ret_count is 0
 * Returns 0 or -ENOMEM.
 */
int rules_find(const struct rules *rules, const char *shown, struct wanted **ret,
	       size_t *ret_count);

/* How to read one group of a namespace, without allocating. False: not at all; @ret is untouched. */
bool rules_get(const struct rules *rules, const char *shown, uint16_t group, struct wanted *ret);
/* Is any group of such a namespace read? */
bool rules_meet(const struct rules *rules, const char *shown);
/* Does a rule name this namespace by itself, not by a glob? */
bool rules_name(const struct rules *rules, const char *shown);

#endif
