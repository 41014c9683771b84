/* SPDX-License-Identifier: MIT */
/*
 * filter/glob.h - a whole text against a pattern: '*' any run of bytes, '?' one byte
 *
 * All places in the pattern that the text so far may have led to are bits of a few words, moved by
 * one table look-up for each byte of the text. So a text costs its length, whatever the pattern.
 */
#ifndef FILTER_GLOB_H
#define FILTER_GLOB_H

#include <nfl/record.h>

#define GLOB_MAX_BYTES 255
#define GLOB_WORDS     ((GLOB_MAX_BYTES + 64) / 64)

struct glob {
	uint64_t *table;           /* owned; for each byte the places from which it leads on */
	uint64_t star[GLOB_WORDS]; /* places where any byte may be passed over */
	uint16_t words;            /* in use */
	uint16_t end;              /* the place behind the last character */
};

/* Words that a pattern takes: 2 KiB of memory and one step for each byte of a text. */
size_t glob_words(struct nfl_bytes pattern);

/* @pattern: at most GLOB_MAX_BYTES, borrowed. Returns 0 or -ENOMEM. */
int glob_init(struct glob *glob, struct nfl_bytes pattern);
void glob_done(struct glob *glob);
bool glob_matches(const struct glob *glob, struct nfl_bytes text);

#endif
