/* SPDX-License-Identifier: MIT */
/* filter/texts.h - sets of texts and of patterns, made once and then searched */
#ifndef FILTER_TEXTS_H
#define FILTER_TEXTS_H

#include <nfl/filter.h>

#include "glob.h"

struct text_list {
	struct nfl_bytes *items; /* owned, and what they point to; sorted */
	size_t count;
};

struct texts {
	struct text_list exact;
	struct text_list starts; /* none of them begins with another */
	struct glob *globs;      /* owned */
	size_t glob_count;
};

/* A glob that is no more than a text, or the beginning of one, becomes that: @match is changed. */
void texts_simplify(struct nfl_match *match);

/* @matches: valid, borrowed. 0 or -ENOMEM; texts_done() ends it in both cases. */
int texts_init(struct texts *texts, const struct nfl_match *matches, size_t count);
void texts_done(struct texts *texts);
bool texts_match(const struct texts *texts, struct nfl_bytes text);

#endif
