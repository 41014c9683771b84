/* SPDX-License-Identifier: MIT */
/*
 * Subscribe: the request is checked, its sources are found, the subscription begins where it is to,
 * `started` goes out. From then on the pump drives it. What is published while `started` is on its
 * way is found by the look after it.
 */
#include "subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/filter.h>

#include "arena.h"
#include "changes.h"
#include "cleanup.h"
#include "filters.h"
#include "grants.h"
#include "last.h"
#include "log.h"
#include "messages.h"
#include "policy.h"
#include "pump.h"
#include "select.h"
#include "server.h"
#include "source.h"
#include "start.h"
#include "subscription.h"
#include "times.h"
#include "token.h"

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
	started->resume_status = sub->resume_status;
	started->batch = policy_in_force(terms, arena);
	started->slow_consumer_policy =
	    terms->disconnect_slow
		? NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT
		: NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DROP_OLDEST;
	started->max_lag_bytes = terms->max_lag_bytes;
	started->view = (Nflog__V1__PacketView)terms->view; /* the same values */
	started->payload_limit = terms->payload_limit;
	started->heartbeat_interval = times_new_duration(arena, terms->heartbeat_ns);
	return started->batch && started->heartbeat_interval && list_sources(sub, started, arena);
}

static const char *start_name(enum start_kind kind)
{
	switch (kind) {
	case START_LIVE:
		return "live";
	case START_RESUME:
		return "resume";
	case START_LAST:
		return "last";
	case START_OLDEST:
		return "oldest";
	case START_SINCE:
		return "since";
	}
	return "";
}

/* The call is a stream already. */
static void send_started(struct subscription *sub, Nflog__V1__Started *started)
{
	Nflog__V1__SubscribeResponse response = NFLOG__V1__SUBSCRIBE_RESPONSE__INIT;
	char peer[2 * CALL_PEER_MAX];
	char label[4 * REQUEST_LABEL_MAX + 3];

	log_info("subscription.started",
		 "id=%s tenant=%s peer=%s label=%s sources=%zu view=%d start=%s", sub->id,
		 sub->tenant_name, log_quote(peer, sizeof(peer), sub->peer),
		 log_quote(label, sizeof(label), sub->label), sub->follow_count,
		 (int)sub->terms.view, start_name(sub->terms.start));
	response.event_case = NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_STARTED;
	response.started = started;
	(void)call_send_and(sub->call, &response.base, token_slice(sub));
}

/* Where the stream begins is known, or found now. */
static bool prepare(struct subscription *sub, const struct token *token,
		    Nflog__V1__Started *started, struct arena *arena, struct status *err)
{
	return start_place(sub, token, err) &&
	       (build_started(sub, started, arena) || status_set_memory(err));
}

/* --- the stream ---------------------------------------------------------------------------- */

static void end_search(struct subscription *sub)
{
	Nflog__V1__Started started = NFLOG__V1__STARTED__INIT;
	CLEANUP(arena_done) struct arena arena;
	struct status status;

	arena_init(&arena, SIZE_MAX);
	sub->searching = false;
	if (prepare(sub, NULL, &started, &arena, &status)) {
		send_started(sub, &started);
		return;
	}
	subscription_end(sub, status.code, status.text);
	call_finish(sub->call, &status);
}

static void look(struct call *call)
{
	struct subscription *sub = call->state;

	if (!sub->searching) {
		pump_look(sub);
		return;
	}
	if (!grants_renew(sub)) {
		call_finish(call, &sub->end);
		return;
	}
	last_search(sub);
	if (last_is_searching(sub))
		call_set_timer(call, call->cq->now_ns); /* passes after a poll of the network */
	else
		end_search(sub);
}

static void sent(struct call *call)
{
	pump_sent(call->state);
}

static void stop(struct call *call)
{
	struct subscription *sub = call->state;
	struct status status;

	if (!sub->searching) {
		pump_stop(sub);
		return;
	}
	status_set(&status, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	subscription_end(sub, status.code, status.text);
	call_finish(call, &status);
}

static void release(struct call *call)
{
	subscription_free(call->state);
}

static const struct stream stream = {.look = look, .sent = sent, .stop = stop, .free = release};

/* --- the request --------------------------------------------------------------------------- */

/* A subscription that cannot begin. */
static void give_up(struct subscription *sub, const struct status *status)
{
	call_finish(sub->call, status);
	subscription_end(sub, status->code, status->text);
	subscription_free(sub);
}

/* What the client asked for, checked. */
struct wish {
	const Nflog__V1__SubscribeRequest *request;
	struct terms terms;
	struct token token;        /* of START_RESUME */
	struct nfl_filter *filter; /* owned; NULL: none */
	uint64_t order;            /* of arrival, when the sources were not looked for yet */
};

/* Sources are found and the terms are clear. */
static int make(struct call *call, struct wish *wish, struct source_list *sources,
		struct subscription **ret)
{
	struct rpc *rpc = call->cq->rpc;
	struct subscription *sub;
	int r = subscription_new(&rpc->live, call, &wish->terms, wish->request->client_label,
				 sources, call->access.tenant->limits.subscriptions, &sub);

	if (r < 0)
		return r;
	sub->order = wish->order;
	sub->filter = TAKE_PTR(wish->filter);
	r = selection_copy(wish->request, &sub->selection);
	if (r < 0) {
		subscription_free(sub);
		return r;
	}
	*ret = sub;
	return 0;
}

static void refuse(struct call *call, int error)
{
	struct status status;

	if (error == -EUSERS)
		status_set(&status, GRPC_STATUS_RESOURCE_EXHAUSTED,
			   "too many subscriptions: %u are allowed",
			   call->access.tenant->limits.subscriptions);
	else
		status_set_memory(&status);
	call_finish(call, &status);
}

static void begin(struct call *call, struct wish *wish, struct source_list *sources)
{
	const struct token *token = wish->terms.start == START_RESUME ? &wish->token : NULL;
	Nflog__V1__Started started = NFLOG__V1__STARTED__INIT;
	CLEANUP(arena_done) struct arena arena;
	struct subscription *sub;
	struct status status;
	int r;

	arena_init(&arena, SIZE_MAX); /* as large as our own list of sources makes it */
	r = make(call, wish, sources, &sub);
	if (r < 0) {
		refuse(call, r);
		return;
	}
	start_note_ends(sub);
	sub->searching = last_is_searching(sub);
	if (!sub->searching && !prepare(sub, token, &started, &arena, &status)) {
		give_up(sub, &status);
		return;
	}
	call_start_stream(call, &stream, sub);
	if (sub->searching)
		call_set_timer(call, call->cq->now_ns);
	else
		send_started(sub, &started);
}

static bool read_token(const struct rpc *rpc, struct wish *wish, struct arena *arena,
		       struct status *err)
{
	const ProtobufCBinaryData *bytes;
	int r;

	if (wish->terms.start != START_RESUME)
		return true;
	bytes = &wish->request->start->resume_token;
	r = token_parse(rpc, bytes->data, bytes->len, arena, &wish->token);
	if (r == -EBADMSG)
		return status_set(err, GRPC_STATUS_INVALID_ARGUMENT,
				  "start.resume_token: expected a token of this service");
	return r == 0 || status_set_memory(err);
}

void subscribe(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	struct rpc *rpc = call->cq->rpc;
	struct wish wish = {.request = (const void *)message,
			    .order = registry_order(rpc->registry)};
	struct source_list sources;
	struct status status;

	if (!select_check(call, wish.request, &status) ||
	    !request_terms(wish.request, call->access.tenant, &wish.terms, &status) ||
	    !filters_make(wish.request, call->access.tenant->limits.filters, arena, &wish.filter,
			  &status) ||
	    !read_token(rpc, &wish, arena, &status) ||
	    !select_sources(call, wish.request, &wish.terms, &sources, &status)) {
		call_finish(call, &status);
	} else {
		begin(call, &wish, &sources);
		source_list_done(&sources);
	}
	nfl_filter_free(wish.filter);
}
