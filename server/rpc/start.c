/* SPDX-License-Identifier: MIT */
/*
 * Places cursors. What is told of losses before a place: nothing, and everything after it.
 *
 * Every record's header has the source's losses up to and including the gap before it. So a stream
 * that begins with a source's first record takes all of its losses, one that begins later those that
 * the header before does not have, and one that begins at the end those that the source's counters
 * do not have yet (follow_new() has read them). A token says what was reported.
 *
 * A source that the token does not name had nothing when it was written, or everything of it had
 * been sent: the order of arrival tells which, for what came until then and what came later never
 * belong to the same source (see struct subscription).
 */
#include "start.h"

#include <inttypes.h>

#include "cleanup.h"
#include "filters.h"
#include "history.h"
#include "last.h"
#include "server.h"
#include "source.h"
#include "subscription.h"
#include "token.h"
#include "wire.h"

static const struct wire_stored *stored_at(const struct history_span *span)
{
	return (const struct wire_stored *)(const void *)span->bytes;
}

/* The first record held, and where there is none the end. */
static struct history_cursor oldest_of(const struct follow *follow)
{
	struct history_cursor oldest;

	history_seek_oldest(follow->source->log, &oldest);
	return oldest;
}

/* The losses before the record at a place that is not the first one, as the header of the record
 * before it has them; when that is gone, of the first that is not. False: none is held. */
static bool find_totals(const struct follow *follow, uint64_t record, struct wire_stored *ret)
{
	struct history_cursor before;
	struct history_span span;
	uint64_t lost;

	history_seek_record(follow->source->log, record - 1, &before);
	if (!history_read(follow->source->log, &before, &span, &lost))
		return false;
	*ret = *stored_at(&span);
	history_release(&span);
	return true;
}

/* Begins at a record whose losses before it are not the subscriber's. */
static void place(struct follow *follow, const struct history_cursor *cursor)
{
	struct wire_stored stored = {0};

	if (cursor->record >= follow->cursor.record)
		return; /* the end, as follow_new() has found it */
	if (cursor->record == 0 || find_totals(follow, cursor->record, &stored))
		follow_place(follow, cursor, stored.lost_kernel, stored.lost_decode);
}

static void place_oldest(struct subscription *sub)
{
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct history_cursor oldest = oldest_of(sub->follows[i]);

		place(sub->follows[i], &oldest);
	}
}

static bool is_before_time(const void *record, void *data)
{
	const struct wire_stored *stored = record;
	const int64_t *since_ns = data;

	return stored->time_ns < *since_ns;
}

/* How much of a span lies in front of the first record that is not before the time. */
static size_t skip_before_time(const struct history_span *span, int64_t since_ns,
			       uint64_t *ret_records)
{
	size_t at = 0;

	*ret_records = 0;
	while (at < span->len) {
		const struct wire_stored *stored = (const void *)(span->bytes + at);

		if (!is_before_time(stored, &since_ns))
			return at;
		at += stored->total;
		++*ret_records;
	}
	return at;
}

/* The first record of the time or later, one record after the other: the clock was set back, so that
 * their times are in no order. */
static void seek_each(struct history_log *log, int64_t since_ns, struct history_cursor *ret)
{
	struct history_span span;
	uint64_t gone, records;
	bool found = false;

	history_seek_oldest(log, ret);
	while (!found && history_read(log, ret, &span, &gone)) {
		size_t len = skip_before_time(&span, since_ns, &records);

		found = len < span.len;
		history_advance(ret, len, records);
		history_release(&span);
	}
}

static void place_since(struct subscription *sub)
{
	for (size_t i = 0; i < sub->follow_count; i++) {
		const struct source *source = sub->follows[i]->source;
		struct history_cursor cursor;

		if (atomic_load_explicit(&source->is_set_back, memory_order_relaxed))
			seek_each(source->log, sub->terms.since_ns, &cursor);
		else
			history_seek(source->log, is_before_time, &sub->terms.since_ns, &cursor);
		place(sub->follows[i], &cursor);
	}
}

/* Where last_search() has found enough. */
static void place_matches(struct subscription *sub)
{
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];
		struct history_cursor cursor = oldest_of(follow);

		if (follow->searched > cursor.record)
			history_seek_record(follow->source->log, follow->searched, &cursor);
		place(follow, &cursor);
	}
	sub->skip = last_surplus(sub);
}

/* The last N of all sources are among the last N of each. */
static void place_last(struct subscription *sub)
{
	uint64_t found = 0;

	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];
		struct history_cursor cursor = oldest_of(follow);

		if (follow->replay_end > sub->terms.last &&
		    follow->replay_end - sub->terms.last > cursor.record)
			history_seek_record(follow->source->log,
					    follow->replay_end - sub->terms.last, &cursor);
		place(follow, &cursor);
		if (follow->cursor.record < follow->replay_end)
			found += follow->replay_end - follow->cursor.record;
	}
	sub->skip = found > sub->terms.last ? found - sub->terms.last : 0;
}

/* --- resume -------------------------------------------------------------------------------- */

struct resume {
	struct subscription *sub;
	const struct token *token;
	uint64_t missing; /* records that are no longer held */
	struct status *err;
};

/* Goes on at a record, or, when it is gone, at the first that is held. */
static void go_on(struct resume *resume, struct follow *follow, uint64_t record,
		  uint32_t lost_kernel, uint32_t lost_decode)
{
	struct subscription *sub = resume->sub;
	struct history_cursor cursor = oldest_of(follow);
	uint64_t missing = cursor.record > record ? cursor.record - record : 0;
	uint64_t skipped = missing < sub->skip ? missing : sub->skip;

	if (missing == 0)
		history_seek_record(follow->source->log, record, &cursor);
	follow_place(follow, &cursor, lost_kernel, lost_decode);
	sub->skip -= skipped; /* these would have been left out, too */
	resume->missing += missing - skipped;
	if (missing > skipped)
		(void)subscription_lose(sub, follow, LOSS_HISTORY, missing - skipped);
}

static bool go_on_at(struct resume *resume, struct follow *follow, const struct token_place *at)
{
	if (at->record > follow->replay_end)
		return status_set(resume->err, GRPC_STATUS_INVALID_ARGUMENT,
				  "start.resume_token: not issued by this server");
	if (at->history > 0)
		(void)subscription_lose(resume->sub, follow, LOSS_HISTORY, at->history);
	if (at->rate_limit > 0)
		(void)subscription_lose(resume->sub, follow, LOSS_RATE_LIMIT, at->rate_limit);
	go_on(resume, follow, at->record, at->lost_kernel, at->lost_decode);
	return true;
}

static bool is_before_order(const void *record, void *data)
{
	const struct wire_stored *stored = record;
	const uint64_t *order = data;

	return stored->order <= *order;
}

/* Where a source begins that the token does not name. */
static void go_on_unnamed(struct resume *resume, struct follow *follow)
{
	uint64_t order = resume->token->order;
	struct history_cursor oldest = oldest_of(follow);
	struct history_cursor cursor;

	history_seek(follow->source->log, is_before_order, &order, &cursor);
	if (atomic_load(&follow->source->last_order) <= order && cursor.record > 0)
		place(follow, &cursor); /* at the end */
	else if (cursor.record <= oldest.record)
		go_on(resume, follow, 0, 0, 0);
	else
		place(follow, &cursor);
}

/* A source that the token names and the request does not cover. False: the request is wrong. */
static bool check_foreign(struct resume *resume, const struct source_list *all, uint32_t source_id)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i]->id == source_id)
			return status_set(resume->err, GRPC_STATUS_INVALID_ARGUMENT,
					  "start.resume_token: issued for other netns or groups");
	resume->sub->lost_unknown = true;
	return true;
}

static bool is_followed(const struct subscription *sub, uint32_t source_id)
{
	for (size_t i = 0; i < sub->follow_count; i++)
		if (sub->follows[i]->source->id == source_id)
			return true;
	return false;
}

/* How many places are not of sources that are followed. */
static size_t count_foreign(const struct resume *resume)
{
	size_t foreign = resume->token->count;

	for (size_t i = 0; i < resume->sub->follow_count; i++)
		foreign -= token_find(resume->token, resume->sub->follows[i]->source->id) != NULL;
	return foreign;
}

static bool check_places(struct resume *resume)
{
	const struct subscription *sub = resume->sub;
	const struct source_query query = {.gone = true};
	CLEANUP(source_list_done) struct source_list all = {0};

	if (count_foreign(resume) == 0)
		return true;
	if (registry_select(sub->call->cq->rpc->registry, &query, &all) < 0)
		return status_set_memory(resume->err);
	/* What the tenant may not see is as unknown as what was forgotten. */
	access_filter(sub->call->access.tenant, &all);
	for (size_t i = 0; i < resume->token->count; i++) {
		uint32_t id = resume->token->places[i].source_id;

		if (!is_followed(sub, id) && !check_foreign(resume, &all, id))
			return false;
	}
	return true;
}

static bool check_strict(const struct resume *resume)
{
	const struct subscription *sub = resume->sub;

	if (!sub->terms.strict_resume)
		return true;
	if (sub->resume_status == NFLOG__V1__RESUME_STATUS__RESUME_STATUS_EPOCH_CHANGED)
		return status_set(resume->err, GRPC_STATUS_OUT_OF_RANGE,
				  "start.resume_token: the server was restarted");
	if (sub->lost_unknown)
		return status_set(resume->err, GRPC_STATUS_OUT_OF_RANGE,
				  "start.resume_token: a source that it names is no longer known");
	if (resume->missing > 0)
		return status_set(resume->err, GRPC_STATUS_OUT_OF_RANGE,
				  "start.resume_token: %" PRIu64
				  " packets are no longer in the history",
				  resume->missing);
	return true;
}

static bool go_on_all(struct resume *resume)
{
	struct subscription *sub = resume->sub;

	sub->skip = resume->token->skip;
	sub->lost_unknown = resume->token->lost_unknown;
	if (!check_places(resume))
		return false;
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];
		const struct token_place *at = token_find(resume->token, follow->source->id);

		if (!at)
			go_on_unnamed(resume, follow);
		else if (!go_on_at(resume, follow, at))
			return false;
	}
	return true;
}

static bool place_resume(struct subscription *sub, const struct token *token, struct status *err)
{
	/* In another epoch nothing was sent yet. */
	static const struct token nothing = {0};
	bool same = token->epoch == sub->call->cq->rpc->epoch_number;
	struct resume resume = {.sub = sub, .token = same ? token : &nothing, .err = err};

	if (!go_on_all(&resume))
		return false;
	if (!same)
		sub->resume_status = NFLOG__V1__RESUME_STATUS__RESUME_STATUS_EPOCH_CHANGED;
	else if (resume.missing > 0 || sub->lost_unknown)
		sub->resume_status = NFLOG__V1__RESUME_STATUS__RESUME_STATUS_GAP;
	else
		sub->resume_status = NFLOG__V1__RESUME_STATUS__RESUME_STATUS_CONTINUED;
	return check_strict(&resume);
}

/* ------------------------------------------------------------------------------------------- */

static bool has_losses(const struct follow *follow)
{
	for (unsigned stage = 0; stage < LOSS_STAGES; stage++)
		if (follow->losses[stage].pending > 0)
			return true;
	return false;
}

/* Sources that are gone and have nothing to tell are not even named. */
static void drop_idle_gone(struct subscription *sub, const struct token *token)
{
	for (size_t i = sub->follow_count; i-- > 0;) {
		struct follow *follow = sub->follows[i];
		struct source_status status;

		source_status(follow->source, &status);
		if (status.state == SOURCE_GONE && follow_pending(follow) == 0 &&
		    !has_losses(follow) && !(token && token_find(token, follow->source->id)))
			subscription_unfollow(sub, follow);
	}
}

/* [sub->lock] */
static bool place_all(struct subscription *sub, const struct token *token, struct status *err)
{
	switch (sub->terms.start) {
	case START_RESUME:
		return place_resume(sub, token, err);
	case START_LAST:
		if (filters_exist(sub))
			place_matches(sub);
		else
			place_last(sub);
		break;
	case START_OLDEST:
		place_oldest(sub);
		break;
	case START_SINCE:
		place_since(sub);
		break;
	case START_LIVE:
		break;
	}
	return true;
}

void start_note_ends(struct subscription *sub)
{
	if (sub->terms.start == START_LIVE)
		return;
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];

		follow->replay_end = history_end(follow->source->log);
		follow->searched = follow->replay_end;
		if (!sub->terms.follow)
			follow->end = follow->replay_end;
	}
}

bool start_place(struct subscription *sub, const struct token *token, struct status *err)
{
	bool placed;

	if (sub->terms.start == START_LIVE)
		return true;
	(void)pthread_mutex_lock(&sub->lock);
	placed = place_all(sub, token, err);
	(void)pthread_mutex_unlock(&sub->lock);
	if (!placed)
		return false;
	drop_idle_gone(sub, token);
	sub->replaying = sub->terms.follow;
	return true;
}
