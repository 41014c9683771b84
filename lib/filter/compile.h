/* SPDX-License-Identifier: MIT */
/* filter/compile.h - terms as they come from callers, checked and compiled */
#ifndef FILTER_COMPILE_H
#define FILTER_COMPILE_H

#include "bpf.h"
#include "check.h"

struct term {
	struct check *checks; /* owned; in the order of enum field_id; none: everything matches */
	size_t count;
	struct bpf_step *program; /* owned; NULL: none */
};

struct term_list {
	struct term *terms; /* owned */
	size_t count;
};

/* What a filter has used of its limits. */
struct spent {
	size_t values;
	size_t masked;
	size_t glob_words;
	size_t instructions;
};

/**
 * compile_terms - @count terms of the list @name ("include")
 * Returns 0, -EINVAL, -E2BIG (with @err) or -ENOMEM; term_list_done() ends it in every case.
 */
int compile_terms(const char *name, const struct nfl_filter_term *terms, size_t count,
		  struct spent *spent, struct term_list *ret, struct nfl_error *err);
void term_list_done(struct term_list *list);

#endif
