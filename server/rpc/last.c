/* SPDX-License-Identifier: MIT */
/*
 * last.c: each source's history is gone through backwards, some records at a time and those
 * forwards, until N match or it is at its beginning: the last N of all sources are among the last N
 * of each. Called by subscribe.c.
 */
#include "last.h"

#include "filters.h"
#include "history.h"
#include "source.h"
#include "subscription.h"

#define STEP_RECORDS 256 /* gone back at once */
#define TURN_STEPS   8   /* before other streams get their turn */

static bool is_complete(const struct subscription *sub, const struct follow *follow)
{
	struct history_cursor oldest;

	if (follow->matches >= sub->terms.last)
		return true;
	history_seek_oldest(follow->source->log, &oldest);
	return follow->searched <= oldest.record;
}

static uint64_t count_in_span(const struct subscription *sub, const struct follow *follow,
			      const struct history_span *span, struct history_cursor *cursor)
{
	const uint8_t *at = span->bytes;
	uint64_t matches = 0;

	while (at < span->bytes + span->len && cursor->record < follow->searched) {
		const struct wire_stored *stored = (const struct wire_stored *)(const void *)at;

		matches += filters_pass(sub, follow, stored);
		at += stored->total;
		history_advance(cursor, stored->total, 1);
	}
	return matches;
}

/* Matching records from one place to where the last step began. */
static uint64_t count_from(const struct subscription *sub, const struct follow *follow,
			   uint64_t record)
{
	struct history_cursor cursor;
	struct history_span span;
	uint64_t matches = 0, lost;

	history_seek_record(follow->source->log, record, &cursor);
	while (cursor.record < follow->searched &&
	       history_read(follow->source->log, &cursor, &span, &lost)) {
		matches += count_in_span(sub, follow, &span, &cursor);
		history_release(&span);
	}
	return matches;
}

static void go_back(const struct subscription *sub, struct follow *follow)
{
	uint64_t from = follow->searched > STEP_RECORDS ? follow->searched - STEP_RECORDS : 0;

	follow->matches += count_from(sub, follow, from);
	follow->searched = from;
}

bool last_is_searching(const struct subscription *sub)
{
	if (sub->terms.start != START_LAST || !filters_exist(sub))
		return false;
	for (size_t i = 0; i < sub->follow_count; i++)
		if (!is_complete(sub, sub->follows[i]))
			return true;
	return false;
}

void last_search(struct subscription *sub)
{
	unsigned steps = TURN_STEPS;

	for (size_t i = 0; i < sub->follow_count; i++) {
		while (!is_complete(sub, sub->follows[i])) {
			if (steps-- == 0)
				return;
			go_back(sub, sub->follows[i]);
		}
	}
}

uint64_t last_surplus(const struct subscription *sub)
{
	uint64_t found = 0;

	for (size_t i = 0; i < sub->follow_count; i++)
		found += sub->follows[i]->matches;
	return found > sub->terms.last ? found - sub->terms.last : 0;
}
