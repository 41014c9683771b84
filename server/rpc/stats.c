/* SPDX-License-Identifier: MIT */
/* GetStats: counters of sources and of live subscriptions. */
#include <string.h>

#include "arena.h"
#include "cleanup.h"
#include "clock.h"
#include "history.h"
#include "messages.h"
#include "policy.h"
#include "select.h"
#include "server.h"
#include "source.h"
#include "times.h"
#include "unary.h"

#define ANSWER_ARENA_MAX ((size_t)67108864)

static bool fill_times(Nflog__V1__SourceStats *stats, const struct source *source,
		       struct arena *arena)
{
	int64_t newest_ns = atomic_load(&source->last_packet_ns);
	struct history_cursor oldest;

	history_seek_oldest(source->log, &oldest);
	stats->oldest_packet_time = messages_record_time(arena, source, &oldest);
	if (newest_ns > 0)
		stats->newest_packet_time = times_new_timestamp(arena, newest_ns);
	return newest_ns == 0 || stats->newest_packet_time;
}

static Nflog__V1__SourceStats *source_stats(struct source *source, struct arena *arena)
{
	Nflog__V1__SourceStats *stats = arena_alloc(arena, sizeof(*stats));
	struct history_stats history;

	if (!stats)
		return NULL;
	nflog__v1__source_stats__init(stats);
	history_log_stats(source->log, &history);
	stats->source = messages_source(arena, source);
	stats->packets_received = atomic_load(&source->packets);
	stats->bytes_received = atomic_load(&source->bytes);
	stats->packets_lost_kernel = atomic_load(&source->lost_kernel);
	stats->packets_lost_decode = atomic_load(&source->lost_decode);
	stats->socket_overruns = atomic_load(&source->overruns);
	stats->datagrams_foreign = atomic_load(&source->foreign);
	stats->ring_packets = history.records;
	stats->ring_capacity_bytes = history.bytes_max;
	stats->ring_used_bytes = history.bytes_used;
	return stats->source && fill_times(stats, source, arena) ? stats : NULL;
}

static bool fill_sources(const struct source_list *list, Nflog__V1__GetStatsResponse *response,
			 struct arena *arena)
{
	response->sources = arena_alloc(arena, (list->count + 1) * sizeof(*response->sources));
	if (!response->sources)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		response->sources[i] = source_stats(list->items[i], arena);
		if (!response->sources[i])
			return false;
		response->n_sources++;
	}
	return true;
}

/* Age of the oldest record that waits; NULL when none does. */
static Google__Protobuf__Duration *lag_of(struct subscription *sub, struct arena *arena)
{
	int64_t now_ns = realtime_ns();
	int64_t lag_ns = -1;

	(void)pthread_mutex_lock(&sub->lock); /* sources come and go */
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];
		Google__Protobuf__Timestamp *time;
		struct history_cursor cursor = follow->cursor;
		int64_t age_ns;

		time = messages_record_time(arena, follow->source, &cursor);
		if (!time)
			continue;
		age_ns = now_ns - (time->seconds * NS_PER_S + time->nanos);
		if (age_ns < 0)
			age_ns = 0; /* the clock was set back */
		if (age_ns > lag_ns)
			lag_ns = age_ns;
	}
	(void)pthread_mutex_unlock(&sub->lock);
	return lag_ns < 0 ? NULL : times_new_duration(arena, lag_ns);
}

static Nflog__V1__SubscriptionStats *subscription_stats(struct subscription *sub,
							struct arena *arena)
{
	Nflog__V1__SubscriptionStats *stats = arena_alloc(arena, sizeof(*stats));

	if (!stats)
		return NULL;
	nflog__v1__subscription_stats__init(stats);
	stats->subscription_id = messages_text(arena, sub->id); /* copies: the list's lock ends */
	stats->client_label = messages_text(arena, sub->label);
	stats->peer = messages_text(arena, sub->peer);
	stats->start_time = times_new_timestamp(arena, sub->start_time_ns);
	stats->packets_sent = atomic_load(&sub->packets_sent);
	stats->bytes_sent = atomic_load(&sub->bytes_sent);
	stats->packets_filtered = atomic_load(&sub->packets_filtered);
	stats->packets_lost = atomic_load(&sub->packets_lost);
	stats->lag_bytes = subscription_lag_bytes(sub);
	stats->max_lag_bytes = sub->terms.max_lag_bytes;
	stats->lag = lag_of(sub, arena);
	return stats->subscription_id && stats->client_label && stats->peer && stats->start_time
		   ? stats
		   : NULL;
}

/* [list's lock] Those of the tenant; an admin sees all. */
static bool fill_subscriptions(const struct subscriptions *list, const struct tenant *tenant,
			       Nflog__V1__GetStatsResponse *response, struct arena *arena)
{
	response->subscriptions =
	    arena_alloc(arena, (list->count + 1) * sizeof(*response->subscriptions));
	if (!response->subscriptions)
		return false;
	for (struct subscription *sub = list->first; sub; sub = sub->next) {
		Nflog__V1__SubscriptionStats *stats;

		if (!tenant->admin && strcmp(sub->tenant_name, tenant->name) != 0)
			continue;
		stats = subscription_stats(sub, arena);

		if (!stats)
			return false;
		response->subscriptions[response->n_subscriptions++] = stats;
	}
	return true;
}

void get_stats(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Nflog__V1__GetStatsRequest *request = (const void *)message;
	Nflog__V1__GetStatsResponse response = NFLOG__V1__GET_STATS_RESPONSE__INIT;
	struct subscriptions *live = &call->cq->rpc->live;
	CLEANUP(arena_done) struct arena answer;
	CLEANUP(source_list_done) struct source_list list = {0};
	Google__Protobuf__Timestamp time;
	struct status status;
	bool built;

	(void)arena;
	arena_init(&answer, ANSWER_ARENA_MAX);
	if (!select_netns(call, request->netns, request->n_netns, &list, &status)) {
		call_finish(call, &status);
		return;
	}
	times_timestamp(realtime_ns(), &time);
	response.time = &time;
	(void)pthread_mutex_lock(&live->lock);
	built = fill_subscriptions(live, call->access.tenant, &response, &answer);
	(void)pthread_mutex_unlock(&live->lock);
	built = built && fill_sources(&list, &response, &answer);
	call_reply_built(call, built, &response.base);
}
