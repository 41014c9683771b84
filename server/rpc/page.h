/* SPDX-License-Identifier: MIT */
/*
 * rpc/page.h - pages of a list
 *
 * A token holds the last key of the page before, so nothing is kept between two calls, and what is
 * added or removed meanwhile neither repeats nor hides another entry.
 */
#ifndef RPC_PAGE_H
#define RPC_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct source;
struct status;

struct page {
	size_t size;
	const char *netns; /* begin after this key; NULL: at the beginning */
	uint16_t group;
};

/* Checks a request's paging fields; @ret's text is in the arena. */
bool page_parse(int32_t page_size, const char *token, struct arena *arena, struct page *ret,
		struct status *err);

/* Does the source come after the page before? */
bool page_is_after(const struct page *page, const char *netns, uint16_t group);

/* The token to go on after this key; NULL without memory. */
char *page_token(struct arena *arena, const char *netns, uint16_t group);

#endif
