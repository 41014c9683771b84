/* SPDX-License-Identifier: MIT */
/*
 * A change is a hint: what is told is the source's state as it is now, unless it was told already.
 * So a state that comes and goes while the stream is busy is told once, and a stream that was away
 * for so long that changes are forgotten looks at everything again, by the same way.
 */
#include "changes.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "events.h"
#include "messages.h"
#include "server.h"
#include "source.h"
#include "subscription.h"
#include "wire.h"

#define CHANGES_AT_ONCE 16

static struct registry *registry_of(const struct subscription *sub)
{
	return sub->call->cq->rpc->registry;
}

static uint64_t hash(uint64_t value, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len-- > 0) /* FNV-1a */
		value = (value ^ *p++) * UINT64_C(0x100000001b3);
	return value;
}

/* Stands for a status, whose text is too long to be kept for each source of each stream. */
static uint64_t fingerprint(const struct source_status *status)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	value = hash(value, &status->state, sizeof(status->state));
	value = hash(value, &status->since_ns, sizeof(status->since_ns));
	return hash(value, status->detail, strlen(status->detail));
}

static void set_gone(struct subscription *sub, struct follow *follow)
{
	if (!follow->gone)
		sub->gone_count++;
	follow->gone = true;
}

Nflog__V1__Source *changes_describe(struct subscription *sub, struct follow *follow,
				    struct arena *arena)
{
	struct source_status status;

	source_status(follow->source, &status);
	follow->told = fingerprint(&status);
	if (status.state == SOURCE_GONE)
		set_gone(sub, follow);
	return messages_source_as(arena, follow->source, &status);
}

static bool is_live(const struct subscription *sub)
{
	return sub->terms.follow && !sub->draining && !sub->ending;
}

bool changes_are_due(const struct subscription *sub)
{
	return is_live(sub) &&
	       (sub->untold_first || registry_change_end(registry_of(sub)) > sub->change);
}

static void queue_untold(struct subscription *sub, struct follow *follow)
{
	if (follow->untold)
		return;
	follow->untold = true;
	follow->next_untold = NULL;
	if (sub->untold_first)
		sub->untold_last->next_untold = follow;
	else
		sub->untold_first = follow;
	sub->untold_last = follow;
}

static struct source_query query_of(const struct subscription *sub)
{
	return (struct source_query){
	    .netns = (const char *const *)sub->selection.netns,
	    .netns_count = sub->selection.netns_count,
	    .groups = sub->selection.groups,
	    .group_count = sub->selection.group_count,
	};
}

static int join(struct subscription *sub, struct source *source)
{
	struct follow *follow;
	int r = subscription_follow(sub, source, &follow);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&sub->lock);
	follow_place_first(follow);
	(void)pthread_mutex_unlock(&sub->lock);
	queue_untold(sub, follow);
	return 0;
}

/*
 * A source that is not followed has just been added, or is none of ours: not asked for, or gone,
 * which was told already or happened before the stream began. One that is added waits.
 */
static int take_change(struct subscription *sub, const struct source_change *change)
{
	struct follow *follow = subscription_find(sub, change->source->id);
	struct source_query query = query_of(sub);
	struct wire_cut cut;

	if (follow)
		queue_untold(sub, follow);
	else if (change->status.state == SOURCE_WAITING && source_matches(change->source, &query) &&
		 access_cut(sub->call->access.tenant, change->source, &cut))
		return join(sub, change->source);
	return 0;
}

/* Was a source added after what this stream has seen? One that has a record up to there was followed
 * already, or was deleted before the stream began. */
static bool is_new(const struct subscription *sub, struct source *source)
{
	struct history_cursor oldest = {0};
	struct history_span span;
	struct source_status status;
	uint64_t order, lost;

	if (history_read(source->log, &oldest, &span, &lost)) {
		order = ((const struct wire_stored *)(const void *)span.bytes)->order;
		history_release(&span);
		return order > sub->order;
	}
	source_status(source, &status);
	return history_end(source->log) == 0 && status.state != SOURCE_GONE;
}

/* Changes that were not read are forgotten: every source may have another state, or be new, also one
 * that is gone again. */
static int take_all(struct subscription *sub)
{
	CLEANUP(source_list_done) struct source_list list = {0};
	struct source_query query = query_of(sub);
	int r;

	query.gone = true;
	r = registry_select(registry_of(sub), &query, &list);
	access_filter(sub->call->access.tenant, &list);

	for (size_t i = 0; i < sub->follow_count; i++)
		queue_untold(sub, sub->follows[i]);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		if (!subscription_find(sub, list.items[i]->id) && is_new(sub, list.items[i]))
			r = join(sub, list.items[i]);
	sub->change = list.change;
	return r;
}

int changes_join_granted(struct subscription *sub)
{
	CLEANUP(source_list_done) struct source_list list = {0};
	const struct source_query query = query_of(sub);
	struct follow *follow;
	int r;

	if (!is_live(sub))
		return 0;
	r = registry_select(registry_of(sub), &query, &list);
	access_filter(sub->call->access.tenant, &list);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		if (subscription_find(sub, list.items[i]->id))
			continue;
		r = subscription_follow(sub, list.items[i], &follow); /* at the end of its log */
		if (r == 0)
			queue_untold(sub, follow);
	}
	return r;
}

static void unqueue_untold(struct subscription *sub, struct follow *follow)
{
	struct follow **place = &sub->untold_first;
	struct follow *before = NULL;

	if (!follow->untold)
		return;
	while (*place != follow) {
		before = *place;
		place = &before->next_untold;
	}
	*place = follow->next_untold;
	if (sub->untold_last == follow)
		sub->untold_last = before;
	follow->untold = false;
}

void changes_let_go(struct subscription *sub, struct follow *follow)
{
	unqueue_untold(sub, follow);
	for (unsigned stage = 0; stage < LOSS_STAGES; stage++)
		sub->losses_pending -= follow->losses[stage].pending > 0;
	sub->gone_count -= follow->gone;
	subscription_unfollow(sub, follow);
}

static int read_changes(struct subscription *sub)
{
	struct source_change changes[CHANGES_AT_ONCE];
	int r;

	while ((r = registry_changes(registry_of(sub), &sub->change, changes, CHANGES_AT_ONCE)) >
	       0) {
		int taken = 0;

		for (int i = 0; i < r; i++) {
			if (taken == 0)
				taken = take_change(sub, &changes[i]);
			(void)source_unref(changes[i].source);
		}
		if (taken < 0)
			return taken;
	}
	return r == -EOVERFLOW ? take_all(sub) : r;
}

static void end_without_memory(struct subscription *sub)
{
	subscription_end(sub, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
}

static void tell(struct subscription *sub, struct follow *follow,
		 const struct source_status *status)
{
	follow->told = fingerprint(status);
	if (!events_send_source(sub, follow, status))
		end_without_memory(sub);
}

/* It has come and gone before this stream has looked: its packets must not be those of an unknown. */
static void announce_gone(struct subscription *sub, struct follow *follow,
			  const struct source_status *gone)
{
	struct source_status before = {.state = SOURCE_WAITING, .since_ns = gone->since_ns};

	if (history_end(follow->source->log) > 0)
		before.state = SOURCE_LISTENING;
	tell(sub, follow, &before);
}

/* Of those that may have another state, tells the first one that has. */
static bool tell_next(struct subscription *sub)
{
	while (sub->untold_first) {
		struct follow *follow = sub->untold_first;
		struct source_status status;

		sub->untold_first = follow->next_untold;
		follow->untold = false;
		source_status(follow->source, &status);
		if (status.state == SOURCE_GONE)
			set_gone(sub, follow);
		if (status.state == SOURCE_GONE && follow->told == 0)
			announce_gone(sub, follow, &status);
		else if (status.state != SOURCE_GONE && fingerprint(&status) != follow->told)
			tell(sub, follow, &status);
		else
			continue;
		return true;
	}
	return false;
}

static bool has_losses(const struct follow *follow)
{
	for (unsigned stage = 0; stage < LOSS_STAGES; stage++)
		if (follow->losses[stage].pending > 0)
			return true;
	return false;
}

/* Everything of a source that is gone was sent: says so, and lets go of it. */
static void let_go(struct subscription *sub, struct follow *follow)
{
	struct source_status status;

	source_status(follow->source, &status);
	if (fingerprint(&status) != follow->told)
		tell(sub, follow, &status);
	sub->gone_count--;
	subscription_unfollow(sub, follow);
}

static bool tell_gone(struct subscription *sub)
{
	if (sub->gone_count == 0)
		return false;
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];

		if (!follow->gone || follow_pending(follow) > 0)
			continue;
		if (subscription_check_source(sub, follow))
			return true;
		if (has_losses(follow))
			continue; /* reported when the next report may come */
		let_go(sub, follow);
		return true;
	}
	return false;
}

bool changes_step(struct subscription *sub)
{
	if (!is_live(sub))
		return false;
	if (registry_change_end(registry_of(sub)) > sub->change && read_changes(sub) < 0) {
		end_without_memory(sub);
		return true;
	}
	return tell_next(sub) || tell_gone(sub);
}
