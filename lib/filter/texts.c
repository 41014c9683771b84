/* SPDX-License-Identifier: MIT */
/*
 * texts.c: texts and beginnings of texts are sorted, so that a packet costs a binary search for each
 * list; only globs are tried one by one. Called by check.c.
 */
#include "texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(struct nfl_bytes left, struct nfl_bytes right)
{
	uint32_t len = left.len < right.len ? left.len : right.len;
	int order = len ? memcmp(left.data, right.data, len) : 0;

	return order ? order : (left.len > right.len) - (left.len < right.len);
}

static int compare_items(const void *a, const void *b)
{
	return compare(*(const struct nfl_bytes *)a, *(const struct nfl_bytes *)b);
}

static bool begins_with(struct nfl_bytes text, struct nfl_bytes start)
{
	return start.len <= text.len &&
	       (!start.len || memcmp(text.data, start.data, start.len) == 0);
}

/* The last item that does not come after the text; NULL: all do. */
static const struct nfl_bytes *find(const struct text_list *list, struct nfl_bytes text)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(list->items[middle], text) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &list->items[low - 1] : NULL;
}

static void free_text(const struct nfl_bytes *text)
{
	void *data;

	memcpy(&data, &text->data, sizeof(data)); /* ours, const only for who matches */
	free(data);
}

static void list_done(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free_text(&list->items[i]);
	free(list->items);
}

/* What begins with another start is of no use: then find() meets the only one that may fit. */
static void drop_covered(struct text_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (kept && begins_with(list->items[i], list->items[kept - 1]))
			free_text(&list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static int add_text(struct text_list *list, struct nfl_bytes text)
{
	uint8_t *copy = malloc((size_t)text.len + 1); /* an empty one has an address, too */

	if (!copy)
		return -ENOMEM;
	if (text.len)
		memcpy(copy, text.data, text.len);
	list->items[list->count++] = (struct nfl_bytes){copy, text.len};
	return 0;
}

void texts_simplify(struct nfl_match *match)
{
	uint32_t len = match->text.len;
	uint32_t plain = 0;

	if (match->kind != NFL_MATCH_GLOB)
		return;
	while (plain < len && match->text.data[plain] != '*' && match->text.data[plain] != '?')
		plain++;
	if (plain == len) {
		match->kind = NFL_MATCH_EXACT;
	} else if (plain + 1 == len && match->text.data[plain] == '*') {
		match->kind = NFL_MATCH_STARTS_WITH;
		match->text.len = plain;
	}
}

static int add(struct texts *texts, struct nfl_match match)
{
	int r = 0;

	texts_simplify(&match);
	switch (match.kind) {
	case NFL_MATCH_EXACT:
		return add_text(&texts->exact, match.text);
	case NFL_MATCH_STARTS_WITH:
		return add_text(&texts->starts, match.text);
	case NFL_MATCH_GLOB:
		r = glob_init(&texts->globs[texts->glob_count], match.text);
		texts->glob_count += r == 0;
		break;
	}
	return r;
}

int texts_init(struct texts *texts, const struct nfl_match *matches, size_t count)
{
	*texts = (struct texts){
	    .exact.items = calloc(count, sizeof(*texts->exact.items)),
	    .starts.items = calloc(count, sizeof(*texts->starts.items)),
	    .globs = calloc(count, sizeof(*texts->globs)),
	};
	if (!texts->exact.items || !texts->starts.items || !texts->globs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (add(texts, matches[i]) < 0)
			return -ENOMEM;
	qsort(texts->exact.items, texts->exact.count, sizeof(*texts->exact.items), compare_items);
	qsort(texts->starts.items, texts->starts.count, sizeof(*texts->starts.items),
	      compare_items);
	drop_covered(&texts->starts);
	return 0;
}

void texts_done(struct texts *texts)
{
	list_done(&texts->exact);
	list_done(&texts->starts);
	for (size_t i = 0; i < texts->glob_count; i++)
		glob_done(&texts->globs[i]);
	free(texts->globs);
}

bool texts_match(const struct texts *texts, struct nfl_bytes text)
{
	const struct nfl_bytes *found = find(&texts->exact, text);

	if (found && compare(*found, text) == 0)
		return true;
	found = find(&texts->starts, text);
	if (found && begins_with(text, *found))
		return true;
	for (size_t i = 0; i < texts->glob_count; i++)
		if (glob_matches(&texts->globs[i], text))
			return true;
	return false;
}
