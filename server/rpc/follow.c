/* SPDX-License-Identifier: MIT */
/*
 * A cursor into one source's log, with the losses between its records.
 *
 * What counts as lost before the subscription. Every record's header has the source's losses up to
 * and including the gap before it, and the source has the same totals as counters, which intake
 * updates before it publishes. A live subscription begins with the cursor at the end of the log
 * and the counters of that moment, taken together: a record published in between would have its
 * gap in the counters already and go unreported, so then both are taken again. What the counters
 * hold was found before the subscription began and is not its loss; what is found later is, also
 * when the kernel dropped it earlier, for nobody can know.
 *
 * Counters may run ahead of records (a loss is counted when found, published with the next packet),
 * so totals are compared as signed differences: one that is behind what was seen is no news.
 */
#include "follow.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "wire.h"

#define BASELINE_TRIES 100 /* one is enough unless packets come faster than these few loads */

static void set_baseline(struct follow *follow)
{
	const struct source *source = follow->source;

	for (int i = 0; i < BASELINE_TRIES; i++) {
		history_seek_end(source->log, &follow->cursor);
		follow->lost[LOSS_KERNEL_SOCKET] = (uint32_t)atomic_load(&source->lost_kernel);
		follow->lost[LOSS_DECODE] = (uint32_t)atomic_load(&source->lost_decode);
		if (history_end(source->log) == follow->cursor.record)
			return;
	}
}

struct follow *follow_new(struct source *source)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return NULL;
	follow->source = source_ref(source);
	follow->end = UINT64_MAX;
	set_baseline(follow);
	return follow;
}

void follow_free(struct follow *follow)
{
	(void)source_unref(follow->source);
	free(follow);
}

void follow_place(struct follow *follow, const struct history_cursor *cursor, uint32_t lost_kernel,
		  uint32_t lost_decode)
{
	follow->cursor = *cursor;
	follow->lost[LOSS_KERNEL_SOCKET] = lost_kernel;
	follow->lost[LOSS_DECODE] = lost_decode;
}

void follow_place_first(struct follow *follow)
{
	struct history_cursor first = {0};

	follow_place(follow, &first, 0, 0);
}

void follow_stop(struct follow *follow)
{
	uint64_t end = history_end(follow->source->log);

	if (end < follow->end)
		follow->end = end;
}

uint64_t follow_pending(const struct follow *follow)
{
	uint64_t end = history_end(follow->source->log);

	if (end > follow->end)
		end = follow->end;
	return end > follow->cursor.record ? end - follow->cursor.record : 0;
}

bool follow_open(struct follow *follow, uint64_t *ret_lost)
{
	follow->open = history_read(follow->source->log, &follow->cursor, &follow->span, ret_lost);
	follow->at = follow->open ? follow->span.bytes : NULL;
	if (follow->cursor.record > follow->end) { /* what lies behind the end is not missed */
		*ret_lost -= follow->cursor.record - follow->end;
		follow->cursor.record = follow->end;
	}
	if (follow->cursor.record == follow->end)
		follow_close(follow);
	return follow->open;
}

void follow_close(struct follow *follow)
{
	if (follow->open)
		history_release(&follow->span);
	follow->open = false;
}

void follow_take(struct follow *follow, const struct wire_stored *stored)
{
	history_advance(&follow->cursor, stored->total, 1);
	follow->at += stored->total;
	if (follow->at == follow->span.bytes + follow->span.len ||
	    follow->cursor.record >= follow->end)
		follow_close(follow);
}

uint32_t follow_gap(struct follow *follow, enum loss_stage stage, uint32_t total)
{
	uint32_t gap = total - follow->lost[stage];

	if (gap == 0 || gap > INT32_MAX)
		return 0;
	follow->lost[stage] = total;
	return gap;
}

void follow_forgive(struct follow *follow, const struct wire_stored *stored)
{
	follow->lost[LOSS_KERNEL_SOCKET] = stored->lost_kernel;
	follow->lost[LOSS_DECODE] = stored->lost_decode;
}
