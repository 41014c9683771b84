/* SPDX-License-Identifier: MIT */
/*
 * Subscribe: the request is checked, its sources are found, the subscription begins, `started` goes
 * out. From then on the pump drives it. What is published while `started` is on its way is found by
 * the look after it.
 */
#include "subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "changes.h"
#include "log.h"
#include "messages.h"
#include "pump.h"
#include "server.h"
#include "source.h"
#include "subscription.h"
#include "times.h"

static void look(struct call *call)
{
	pump_look(call->state);
}

static void sent(struct call *call)
{
	pump_sent(call->state);
}

static void stop(struct call *call)
{
	pump_stop(call->state);
}

static void release(struct call *call)
{
	subscription_free(call->state);
}

static const struct stream stream = {.look = look, .sent = sent, .stop = stop, .free = release};

static Nflog__V1__BatchPolicy *policy_in_force(const struct terms *terms, struct arena *arena)
{
	Nflog__V1__BatchPolicy *policy = arena_alloc(arena, sizeof(*policy));

	if (!policy)
		return NULL;
	nflog__v1__batch_policy__init(policy);
	policy->max_packets = terms->batch_packets;
	policy->max_bytes = terms->batch_bytes;
	policy->max_delay = times_new_duration(arena, terms->max_delay_ns);
	return policy->max_delay ? policy : NULL;
}

static int compare(const void *a, const void *b)
{
	const Nflog__V1__Source *left = *(Nflog__V1__Source *const *)a;
	const Nflog__V1__Source *right = *(Nflog__V1__Source *const *)b;
	int order = strcmp(left->netns, right->netns);

	return order ? order : (int)left->group - (int)right->group;
}

static bool list_sources(struct subscription *sub, Nflog__V1__Started *started, struct arena *arena)
{
	started->sources = arena_alloc(arena, (sub->follow_count + 1) * sizeof(*started->sources));
	if (!started->sources)
		return false;
	for (size_t i = 0; i < sub->follow_count; i++) {
		started->sources[i] = changes_describe(sub, sub->follows[i], arena);
		if (!started->sources[i])
			return false;
		started->n_sources++;
	}
	qsort(started->sources, started->n_sources, sizeof(*started->sources), compare);
	return true;
}

static bool build_started(struct subscription *sub, Nflog__V1__Started *started,
			  struct arena *arena)
{
	const struct terms *terms = &sub->terms;

	started->subscription_id = sub->id;
	started->server_epoch = sub->call->cq->rpc->epoch;
	started->batch = policy_in_force(terms, arena);
	started->slow_consumer_policy =
	    terms->disconnect_slow
		? NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT
		: NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DROP_OLDEST;
	started->view = (Nflog__V1__PacketView)terms->view; /* the same values */
	started->payload_limit = terms->payload_limit;
	started->heartbeat_interval = times_new_duration(arena, terms->heartbeat_ns);
	return started->batch && started->heartbeat_interval && list_sources(sub, started, arena);
}

static void start(struct call *call, struct subscription *sub, Nflog__V1__Started *started)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	char peer[2 * CALL_PEER_MAX];
	char label[4 * REQUEST_LABEL_MAX + 3];

	log_info("subscription.started", "id=%s peer=%s label=%s sources=%zu view=%d", sub->id,
		 log_quote(peer, sizeof(peer), sub->peer),
		 log_quote(label, sizeof(label), sub->label), sub->follow_count,
		 (int)sub->terms.view);
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_STARTED;
	response.started = started;
	call_start_stream(call, &stream, sub);
	(void)call_send(call, &response.base);
}

/* Sources are found: from here on it can only fail for want of room. */
static void begin(struct call *call, const struct terms *terms,
		  const Nflog__V1__SubscribeRequest *request, struct source_list *sources)
{
	struct rpc *rpc = call->cq->rpc;
	Nflog__V1__Started started = NFLOG__V1__STARTED__INIT;
	struct subscription *sub;
	struct arena arena;
	struct status status;
	int r = subscription_new(&rpc->live, call, terms, request->client_label, sources,
				 rpc->max_subscriptions, &sub);

	if (r < 0) {
		if (r == -EUSERS)
			status_set(&status, GRPC_STATUS_RESOURCE_EXHAUSTED,
				   "too many subscriptions: %u are allowed",
				   rpc->max_subscriptions);
		else
			status_set(&status, GRPC_STATUS_INTERNAL, "out of memory");
		call_finish(call, &status);
		return;
	}
	arena_init(&arena, SIZE_MAX); /* as large as our own list of sources makes it */
	if (selection_copy(request, &sub->selection) == 0 && build_started(sub, &started, &arena)) {
		start(call, sub, &started);
	} else {
		status_set(&status, GRPC_STATUS_INTERNAL, "out of memory");
		call_finish(call, &status);
		subscription_free(sub);
	}
	arena_done(&arena);
}

void subscribe(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Nflog__V1__SubscribeRequest *request = (const void *)message;
	struct rpc *rpc = call->cq->rpc;
	struct source_list sources;
	struct terms terms;
	struct status status;

	(void)arena;
	if (!request_terms(request, rpc->max_payload_bytes, &terms, &status) ||
	    !request_select(rpc, request, &sources, &status)) {
		call_finish(call, &status);
		return;
	}
	terms.packets_per_second = rpc->packets_per_second;
	begin(call, &terms, request, &sources);
	source_list_done(&sources);
}
