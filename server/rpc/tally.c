/* SPDX-License-Identifier: MIT */
/* Counters that outlive their subscriptions, and all of them for who measures. */
#include "tally.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "inlet.h"
#include "policy.h"
#include "server.h"
#include "source.h"

struct tally *tally_get(struct tally **list, const char *name)
{
	struct tally *tally = *list;

	while (tally && strcmp(tally->name, name) != 0)
		tally = tally->next;
	if (tally)
		return tally;
	tally = calloc(1, sizeof(*tally));
	if (!tally)
		return NULL;
	tally->name = strdup(name);
	if (!tally->name) {
		free(tally);
		return NULL;
	}
	tally->next = *list;
	*list = tally;
	return tally;
}

int tally_tenants(struct tally **list, const struct policy *policy)
{
	const struct tenant *tenant;

	for (size_t i = 0; (tenant = policy_tenant_at(policy, i)); i++)
		if (!tally_get(list, tenant->name))
			return -ENOMEM;
	return 0;
}

void tally_free_all(struct tally *list)
{
	while (list) {
		struct tally *next = list->next;

		free(list->name);
		free(list);
		list = next;
	}
}

void tally_add(struct rpc_tenant_counts *counts, const struct subscription *sub)
{
	counts->packets_sent += atomic_load(&sub->packets_sent);
	counts->bytes_sent += atomic_load(&sub->bytes_sent);
	counts->packets_filtered += atomic_load(&sub->packets_filtered);
	for (int stage = 0; stage < LOSS_STAGES; stage++)
		counts->packets_lost[stage] += atomic_load(&sub->packets_lost_at[stage]);
}

/* What is still to come of it. */
static void add_live(struct rpc_tenant_counts *counts, struct subscription *sub)
{
	counts->subscriptions++;
	(void)pthread_mutex_lock(&sub->lock);
	for (size_t i = 0; i < sub->follow_count; i++) {
		const struct follow *follow = sub->follows[i];
		uint64_t end = history_end(follow->source->log);

		if (end > follow->cursor.record)
			counts->packets_pending += end - follow->cursor.record;
		counts->bytes_pending += history_lag_bytes(follow->source->log, &follow->cursor);
	}
	(void)pthread_mutex_unlock(&sub->lock);
}

/* [list's lock] */
static int count_tenants(const struct subscriptions *list, struct rpc_counts *ret)
{
	size_t count = 0;

	for (const struct tally *tally = list->tallies; tally; tally = tally->next)
		count++;
	ret->tenants = calloc(count + 1, sizeof(*ret->tenants));
	if (!ret->tenants)
		return -ENOMEM;
	for (const struct tally *tally = list->tallies; tally; tally = tally->next) {
		struct rpc_tenant_counts *counts = &ret->tenants[ret->tenant_count];

		*counts = tally->ended;
		counts->name = strdup(tally->name);
		if (!counts->name)
			return -ENOMEM;
		ret->tenant_count++;
		for (struct subscription *sub = list->first; sub; sub = sub->next) {
			if (sub->tally != tally)
				continue;
			tally_add(counts, sub);
			add_live(counts, sub);
		}
	}
	return 0;
}

int rpc_count(struct rpc *rpc, struct rpc_counts *ret)
{
	const struct inlet_counts inlet = inlet_counts();
	CLEANUP(rpc_counts_done)
	struct rpc_counts counts = {
	    .start_time_ns = rpc->start_time_ns,
	    .config_load_time_ns = atomic_load(&rpc->config_load_time_ns),
	    .calls_refused = atomic_load(&rpc->refused),
	    .anonymous_calls = atomic_load(&rpc->anonymous_calls),
	    .cut_overdrawn = inlet.overdrawn,
	    .cut_silent = inlet.silent,
	    .cut_refused = inlet.refused,
	};
	int r;

	(void)pthread_mutex_lock(&rpc->live.lock);
	r = count_tenants(&rpc->live, &counts);
	(void)pthread_mutex_unlock(&rpc->live.lock);
	if (r < 0)
		return r;
	*ret = counts;
	counts = (struct rpc_counts){0};
	return 0;
}

void rpc_counts_done(struct rpc_counts *counts)
{
	for (size_t i = 0; i < counts->tenant_count; i++)
		free(counts->tenants[i].name);
	free(counts->tenants);
}
