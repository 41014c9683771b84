/* SPDX-License-Identifier: MIT */
/* The four questions of nfl/client.h: what is asked, and the answer in the public structs. */
#include <errno.h>

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

#include "ask.h"
#include "cleanup.h"
#include "convert.h"

#define SERVICE   "/nflog.v1.NflogService/"
#define PAGE_SIZE 5000 /* what the contract caps at */

/* --- namespaces -------------------------------------------------------------------------- */

static int netns_from_proto(struct arena *arena, const Nflog__V1__Netns *netns,
			    struct nfl_client_netns *ret)
{
	uint16_t *groups = arena_extend(arena, NULL, 0, netns->n_groups, sizeof(*groups));

	if (!groups)
		return -EBADMSG;
	for (size_t i = 0; i < netns->n_groups; i++) {
		if (netns->groups[i] > UINT16_MAX)
			return -EBADMSG;
		groups[i] = (uint16_t)netns->groups[i];
	}
	*ret = (struct nfl_client_netns){
	    .name = netns->name,
	    .inode = netns->inode,
	    .groups = groups,
	    .group_count = netns->n_groups,
	    .last_packet_time_ns = time_from_proto(netns->last_packet_time),
	};
	return 0;
}

static int netns_page(struct question *q, char **token)
{
	Nflog__V1__ListNetnsRequest request = NFLOG__V1__LIST_NETNS_REQUEST__INIT;
	Nflog__V1__ListNetnsResponse *page = NULL;
	struct nfl_client_netns *items;
	int r;

	request.page_size = PAGE_SIZE;
	request.page_token = *token;
	r = ask(q, SERVICE "ListNetns", &request.base, &nflog__v1__list_netns_response__descriptor,
		&page);
	if (r < 0)
		return r;
	items = question_extend(q, page->n_netns, sizeof(*items));
	if (!items)
		return question_unusable(q);
	for (size_t i = 0; i < page->n_netns; i++)
		if (netns_from_proto(&q->answer->arena, page->netns[i], &items[q->count++]) < 0)
			return question_unusable(q);
	*token = page->next_page_token;
	return 0;
}

int nfl_client_list_netns(struct nfl_client *client, int timeout_ms,
			  struct nfl_client_netns_list **ret, struct nfl_client_error *err)
{
	CLEANUP(question_done) struct question q;
	int r = question_begin(&q, client, timeout_ms, ret, err);

	if (r == 0)
		r = ask_pages(&q, netns_page);
	if (r < 0)
		return r;
	q.answer->netns = (struct nfl_client_netns_list){.items = q.items, .count = q.count};
	*ret = &TAKE_PTR(q.answer)->netns;
	return 0;
}

void nfl_client_netns_list_free(struct nfl_client_netns_list *list)
{
	answer_free(list);
}

/* --- sources ----------------------------------------------------------------------------- */

static int sources_page(struct question *q, char **token)
{
	Nflog__V1__ListSourcesRequest request = NFLOG__V1__LIST_SOURCES_REQUEST__INIT;
	Nflog__V1__ListSourcesResponse *page = NULL;
	struct nfl_client_source *items;
	int r;

	request.page_size = PAGE_SIZE;
	request.page_token = *token;
	r = ask(q, SERVICE "ListSources", &request.base,
		&nflog__v1__list_sources_response__descriptor, &page);
	if (r < 0)
		return r;
	items = question_extend(q, page->n_sources, sizeof(*items));
	if (!items)
		return question_unusable(q);
	for (size_t i = 0; i < page->n_sources; i++)
		if (source_from_proto(page->sources[i], &items[q->count++]) < 0)
			return question_unusable(q);
	*token = page->next_page_token;
	return 0;
}

int nfl_client_list_sources(struct nfl_client *client, int timeout_ms,
			    struct nfl_client_source_list **ret, struct nfl_client_error *err)
{
	CLEANUP(question_done) struct question q;
	int r = question_begin(&q, client, timeout_ms, ret, err);

	if (r == 0)
		r = ask_pages(&q, sources_page);
	if (r < 0)
		return r;
	q.answer->sources = (struct nfl_client_source_list){.items = q.items, .count = q.count};
	*ret = &TAKE_PTR(q.answer)->sources;
	return 0;
}

void nfl_client_source_list_free(struct nfl_client_source_list *list)
{
	answer_free(list);
}

/* --- statistics -------------------------------------------------------------------------- */

static int source_stats_from_proto(const Nflog__V1__SourceStats *stats,
				   struct nfl_client_source_stats *ret)
{
	*ret = (struct nfl_client_source_stats){
	    .packets_received = stats->packets_received,
	    .bytes_received = stats->bytes_received,
	    .packets_lost_kernel = stats->packets_lost_kernel,
	    .socket_overruns = stats->socket_overruns,
	    .packets_lost_decode = stats->packets_lost_decode,
	    .ring_packets = stats->ring_packets,
	    .ring_capacity_bytes = stats->ring_capacity_bytes,
	    .ring_used_bytes = stats->ring_used_bytes,
	    .oldest_packet_time_ns = time_from_proto(stats->oldest_packet_time),
	    .newest_packet_time_ns = time_from_proto(stats->newest_packet_time),
	    .datagrams_foreign = stats->datagrams_foreign,
	};
	return source_from_proto(stats->source, &ret->source);
}

static void subscription_stats_from_proto(const Nflog__V1__SubscriptionStats *stats,
					  struct nfl_client_subscription_stats *ret)
{
	*ret = (struct nfl_client_subscription_stats){
	    .subscription_id = stats->subscription_id,
	    .client_label = stats->client_label,
	    .peer = stats->peer,
	    .start_time_ns = time_from_proto(stats->start_time),
	    .packets_sent = stats->packets_sent,
	    .bytes_sent = stats->bytes_sent,
	    .packets_filtered = stats->packets_filtered,
	    .packets_lost = stats->packets_lost,
	    .lag_bytes = stats->lag_bytes,
	    .max_lag_bytes = stats->max_lag_bytes,
	    .lag_ms = ms_from_proto(stats->lag),
	};
}

static int stats_from_proto(const Nflog__V1__GetStatsResponse *message, struct answer *answer)
{
	struct nfl_client_source_stats *sources =
	    arena_extend(&answer->arena, NULL, 0, message->n_sources, sizeof(*sources));
	struct nfl_client_subscription_stats *subscriptions =
	    arena_extend(&answer->arena, NULL, 0, message->n_subscriptions, sizeof(*subscriptions));

	if (!sources || !subscriptions)
		return -EBADMSG;
	for (size_t i = 0; i < message->n_sources; i++)
		if (source_stats_from_proto(message->sources[i], &sources[i]) < 0)
			return -EBADMSG;
	for (size_t i = 0; i < message->n_subscriptions; i++)
		subscription_stats_from_proto(message->subscriptions[i], &subscriptions[i]);
	answer->stats = (struct nfl_client_stats){
	    .time_ns = time_from_proto(message->time),
	    .sources = sources,
	    .source_count = message->n_sources,
	    .subscriptions = subscriptions,
	    .subscription_count = message->n_subscriptions,
	};
	return 0;
}

int nfl_client_get_stats(struct nfl_client *client, int timeout_ms, struct nfl_client_stats **ret,
			 struct nfl_client_error *err)
{
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	CLEANUP(question_done) struct question q;
	Nflog__V1__GetStatsResponse *message = NULL;
	int r = question_begin(&q, client, timeout_ms, ret, err);

	if (r == 0)
		r = ask(&q, SERVICE "GetStats", &request.base,
			&nflog__v1__get_stats_response__descriptor, &message);
	if (r < 0)
		return r;
	if (stats_from_proto(message, q.answer) < 0)
		return question_unusable(&q);
	*ret = &TAKE_PTR(q.answer)->stats;
	return 0;
}

void nfl_client_stats_free(struct nfl_client_stats *stats)
{
	answer_free(stats);
}

/* --- the server -------------------------------------------------------------------------- */

static int info_from_proto(const Nflog__V1__GetServerInfoResponse *message, struct answer *answer)
{
	const char **features =
	    arena_extend(&answer->arena, NULL, 0, message->n_features, sizeof(*features));

	if (!features)
		return -EBADMSG;
	for (size_t i = 0; i < message->n_features; i++)
		features[i] = message->features[i];
	answer->info = (struct nfl_client_server_info){
	    .version = message->version,
	    .server_epoch = message->server_epoch,
	    .host_name = message->host_name,
	    .start_time_ns = time_from_proto(message->start_time),
	    .config_load_time_ns = time_from_proto(message->config_load_time),
	    .tenant = message->tenant,
	    .principal = message->principal,
	    .features = features,
	    .feature_count = message->n_features,
	};
	if (message->limits) {
		answer->info.max_subscriptions = message->limits->max_subscriptions;
		answer->info.max_batch_packets = message->limits->max_batch_packets;
		answer->info.max_batch_bytes = message->limits->max_batch_bytes;
		answer->info.max_lag_bytes = message->limits->max_lag_bytes;
		answer->info.max_payload_bytes = message->limits->max_payload_bytes;
		answer->info.max_filters = message->limits->max_filters;
	}
	return 0;
}

int nfl_client_get_server_info(struct nfl_client *client, int timeout_ms,
			       struct nfl_client_server_info **ret, struct nfl_client_error *err)
{
	Nflog__V1__GetServerInfoRequest request = NFLOG__V1__GET_SERVER_INFO_REQUEST__INIT;
	CLEANUP(question_done) struct question q;
	Nflog__V1__GetServerInfoResponse *message = NULL;
	int r = question_begin(&q, client, timeout_ms, ret, err);

	if (r == 0)
		r = ask(&q, SERVICE "GetServerInfo", &request.base,
			&nflog__v1__get_server_info_response__descriptor, &message);
	if (r < 0)
		return r;
	if (info_from_proto(message, q.answer) < 0)
		return question_unusable(&q);
	*ret = &TAKE_PTR(q.answer)->info;
	return 0;
}

void nfl_client_server_info_free(struct nfl_client_server_info *info)
{
	answer_free(info);
}
