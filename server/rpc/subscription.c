/* SPDX-License-Identifier: MIT */
/* The state of a subscription: made, counted among the live ones, told of losses, freed. */
#include "subscription.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <nfl/filter.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "policy.h"
#include "source.h"
#include "tally.h"
#include "wire.h"

int subscriptions_init(struct subscriptions *list)
{
	return -pthread_mutex_init(&list->lock, NULL);
}

void subscriptions_done(struct subscriptions *list)
{
	tally_free_all(list->tallies);
	(void)pthread_mutex_destroy(&list->lock);
}

uint32_t subscriptions_count(struct subscriptions *list)
{
	uint32_t count;

	(void)pthread_mutex_lock(&list->lock);
	count = list->count;
	(void)pthread_mutex_unlock(&list->lock);
	return count;
}

/* [lock] By name, so that a reload does not begin to count anew. */
static uint32_t count_of_tenant(const struct subscriptions *list, const char *name)
{
	uint32_t count = 0;

	for (const struct subscription *sub = list->first; sub; sub = sub->next)
		count += strcmp(sub->tenant_name, name) == 0;
	return count;
}

/* [lock] */
static int count_in(struct subscriptions *list, struct subscription *sub, uint32_t max)
{
	if (max > 0 && count_of_tenant(list, sub->tenant_name) >= max)
		return -EUSERS;
	sub->tally = tally_get(&list->tallies, sub->tenant_name);
	if (!sub->tally)
		return -ENOMEM;
	sub->tally->ended.started++;
	sub->list = list;
	sub->next = list->first;
	if (sub->next)
		sub->next->previous = sub;
	list->first = sub;
	list->count++;
	return 0;
}

static int list_add(struct subscriptions *list, struct subscription *sub, uint32_t max)
{
	int r;

	(void)pthread_mutex_lock(&list->lock);
	r = count_in(list, sub, max);
	(void)pthread_mutex_unlock(&list->lock);
	return r;
}

static void list_remove(struct subscription *sub)
{
	struct subscriptions *list = sub->list;

	if (!list)
		return;
	(void)pthread_mutex_lock(&list->lock);
	tally_add(&sub->tally->ended, sub);
	if (sub->next)
		sub->next->previous = sub->previous;
	if (sub->previous)
		sub->previous->next = sub->next;
	else
		list->first = sub->next;
	list->count--;
	(void)pthread_mutex_unlock(&list->lock);
}

/* Random: a counter would tell how many others there are. */
static int make_id(char id[SUBSCRIPTION_ID_MAX])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return -errno;
	(void)snprintf(id, SUBSCRIPTION_ID_MAX, "%016" PRIx64, number);
	return 0;
}

/* Where the follow of a source is, or would be inserted. */
static size_t find_place(const struct subscription *sub, uint32_t source_id)
{
	size_t low = 0;
	size_t high = sub->follow_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sub->follows[middle]->source->id < source_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct follow *subscription_find(const struct subscription *sub, uint32_t source_id)
{
	size_t place = find_place(sub, source_id);

	if (place == sub->follow_count || sub->follows[place]->source->id != source_id)
		return NULL;
	return sub->follows[place];
}

/* [lock] Room for so many; the heap is empty between two batches. */
static int make_room(struct subscription *sub, size_t room)
{
	struct follow **items;

	if (room <= sub->follow_room)
		return 0;
	items = reallocarray(sub->follows, room, sizeof(struct follow *));
	if (!items)
		return -ENOMEM;
	sub->follows = items;
	items = reallocarray(sub->heap, room, sizeof(struct follow *));
	if (!items)
		return -ENOMEM;
	sub->heap = items;
	sub->follow_room = room;
	return 0;
}

/* [lock] */
static void insert(struct subscription *sub, struct follow *follow)
{
	size_t place = find_place(sub, follow->source->id);

	memmove(sub->follows + place + 1, sub->follows + place,
		(sub->follow_count - place) * sizeof(struct follow *));
	sub->follows[place] = follow;
	sub->follow_count++;
}

int subscription_follow(struct subscription *sub, struct source *source, struct follow **ret)
{
	struct follow *follow = follow_new(source);
	int r = 0;

	if (!follow)
		return -ENOMEM;
	/* It was asked before; should it be wrong, nothing of the source is sent. */
	follow->revoked = !access_cut(sub->call->access.tenant, source, &follow->cut);
	sub->revoked_count += follow->revoked;
	(void)pthread_mutex_lock(&sub->lock);
	if (sub->follow_count == sub->follow_room)
		r = make_room(sub, 2 * sub->follow_room);
	if (r == 0)
		insert(sub, follow);
	(void)pthread_mutex_unlock(&sub->lock);
	if (r < 0)
		follow_free(follow);
	else
		*ret = follow;
	return r;
}

void subscription_unfollow(struct subscription *sub, struct follow *follow)
{
	size_t place = find_place(sub, follow->source->id);

	(void)pthread_mutex_lock(&sub->lock);
	sub->follow_count--;
	memmove(sub->follows + place, sub->follows + place + 1,
		(sub->follow_count - place) * sizeof(struct follow *));
	(void)pthread_mutex_unlock(&sub->lock);
	follow_free(follow);
}

static int follow_all(struct subscription *sub, struct source_list *sources)
{
	struct follow *follow;
	int r = make_room(sub, sources->count ? sources->count : 1);

	for (size_t i = 0; r == 0 && i < sources->count; i++)
		r = subscription_follow(sub, sources->items[i], &follow);
	if (r < 0)
		return r;
	sub->change = sources->change;
	source_list_done(sources); /* each follow has a reference of its own */
	return 0;
}

static void release(struct subscription *sub)
{
	list_remove(sub);
	for (size_t i = 0; i < sub->follow_count; i++)
		follow_free(sub->follows[i]);
	free(sub->follows);
	free(sub->heap);
	free(sub->tenant_name);
	nfl_filter_free(sub->filter);
	selection_done(&sub->selection);
	(void)pthread_mutex_destroy(&sub->lock);
	free(sub);
}

static void releasep(struct subscription **sub)
{
	if (*sub)
		release(*sub);
}

int subscription_new(struct subscriptions *list, struct call *call, const struct terms *terms,
		     const char *label, struct source_list *sources, uint32_t max,
		     struct subscription **ret)
{
	CLEANUP(releasep) struct subscription *sub = NULL;
	struct subscription *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return -ENOMEM;
	r = pthread_mutex_init(&made->lock, NULL);
	if (r) {
		free(made);
		return -r;
	}
	sub = made;
	sub->call = call;
	sub->terms = *terms;
	sub->start_time_ns = realtime_ns();
	rate_init(&sub->rate, terms->packets_per_second, call->cq->now_ns);
	sub->sent_ns = call->cq->now_ns;
	sub->begun = terms->start == START_LIVE;
	(void)snprintf(sub->label, sizeof(sub->label), "%s", label);
	call_peer(call, sub->peer);
	sub->tenant_name = strdup(call->access.tenant->name);
	if (!sub->tenant_name)
		return -ENOMEM;
	r = make_id(sub->id);
	if (r < 0)
		return r;
	r = follow_all(sub, sources);
	if (r < 0)
		return r;
	r = list_add(list, sub, max); /* last: now other threads see it */
	if (r < 0)
		return r;
	*ret = TAKE_PTR(sub);
	return 0;
}

static double seconds_since(int64_t time_ns)
{
	return (double)(realtime_ns() - time_ns) / (double)NS_PER_S;
}

static const char *end_text(const struct subscription *sub)
{
	if (sub->call->cancel_text)
		return sub->call->cancel_text;
	if (!sub->ending)
		return sub->draining ? "cut off: the grace time is over" : "the client has gone";
	return sub->end.text;
}

void subscription_free(struct subscription *sub)
{
	char peer[2 * CALL_PEER_MAX];
	char text[2 * CALL_TEXT_MAX];

	log_info("subscription.ended",
		 "id=%s peer=%s reason=%s packets=%" PRIu64 " lost=%" PRIu64 " filtered=%" PRIu64
		 " bytes=%" PRIu64 " seconds=%.1f",
		 sub->id, log_quote(peer, sizeof(peer), sub->peer),
		 log_quote(text, sizeof(text), end_text(sub)), atomic_load(&sub->packets_sent),
		 atomic_load(&sub->packets_lost), atomic_load(&sub->packets_filtered),
		 atomic_load(&sub->bytes_sent), seconds_since(sub->start_time_ns));
	release(sub);
}

uint64_t subscription_pending(const struct subscription *sub)
{
	uint64_t pending = 0;

	for (size_t i = 0; i < sub->follow_count; i++)
		pending += follow_pending(sub->follows[i]);
	return pending;
}

uint64_t subscription_lag_bytes(struct subscription *sub)
{
	uint64_t lag = 0;

	(void)pthread_mutex_lock(&sub->lock);
	for (size_t i = 0; i < sub->follow_count; i++)
		lag += history_lag_bytes(sub->follows[i]->source->log, &sub->follows[i]->cursor);
	(void)pthread_mutex_unlock(&sub->lock);
	return lag;
}

static bool note(struct subscription *sub, struct follow *follow, enum loss_stage stage,
		 uint64_t count, bool lower_bound)
{
	struct loss *loss = &follow->losses[stage];

	if (loss->pending == 0)
		sub->losses_pending++;
	if (lower_bound)
		loss_add_bound(loss, count, realtime_ns());
	else
		loss_add(loss, count, realtime_ns());
	return sub->ending || loss_is_due(loss, sub->call->cq->now_ns);
}

bool subscription_lose(struct subscription *sub, struct follow *follow, enum loss_stage stage,
		       uint64_t count)
{
	/* What was gone before the first look at the history was not missed by being slow. */
	if (stage == LOSS_HISTORY && sub->terms.disconnect_slow && sub->begun)
		subscription_end(sub, GRPC_STATUS_RESOURCE_EXHAUSTED,
				 "slow consumer: packets were overwritten before they were read");
	return note(sub, follow, stage, count, false);
}

/* Notes what totals tell beyond what is known. */
static bool check_totals(struct subscription *sub, struct follow *follow, uint32_t lost_kernel,
			 uint32_t lost_decode, bool lower_bound)
{
	uint32_t kernel = follow_gap(follow, LOSS_KERNEL_SOCKET, lost_kernel);
	uint32_t decode = follow_gap(follow, LOSS_DECODE, lost_decode);
	bool due = false;

	if (kernel > 0)
		due = note(sub, follow, LOSS_KERNEL_SOCKET, kernel, lower_bound);
	if (decode > 0)
		due |= note(sub, follow, LOSS_DECODE, decode, false);
	return due;
}

bool subscription_check_record(struct subscription *sub, struct follow *follow,
			       const struct wire_stored *stored)
{
	if (follow_has_told(follow, stored))
		return false;
	return check_totals(sub, follow, stored->lost_kernel, stored->lost_decode, false);
}

bool subscription_check_source(struct subscription *sub, struct follow *follow)
{
	const struct source *source = follow->source;
	/* Read before and after the total, so that a bound that comes or is settled in between
	 * never passes for exact. */
	bool lower_bound = atomic_load(&source->lost_tail) > 0;
	uint32_t lost_kernel = (uint32_t)atomic_load(&source->lost_kernel);

	lower_bound |= atomic_load(&source->lost_tail) > 0;
	return check_totals(sub, follow, lost_kernel, (uint32_t)atomic_load(&source->lost_decode),
			    lower_bound);
}

void subscription_end(struct subscription *sub, grpc_status_code code, const char *text)
{
	if (sub->ending)
		return;
	sub->ending = true;
	status_set(&sub->end, code, "%s", text);
}
