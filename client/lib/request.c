/* SPDX-License-Identifier: MIT */
/* What a caller of nfl_client_subscribe() wants, in the contract's words. */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "convert.h"
#include "filters.h"
#include "options.h"

#define LABEL_MAX_BYTES 64
#define KNOWN_FLAGS                                                                                \
	(NFL_CLIENT_NO_RECONNECT | NFL_CLIENT_NO_FOLLOW | NFL_CLIENT_STRICT_RESUME |               \
	 NFL_CLIENT_WAIT_FOR_NETNS)

/* A stream without a history has nothing else to do. */
static bool wants_follow(const struct nfl_client_subscribe_options *options)
{
	return options->start == NFL_CLIENT_START_LIVE || !(options->flags & NFL_CLIENT_NO_FOLLOW);
}

static bool is_start_good(const struct nfl_client_subscribe_options *options)
{
	switch (options->start) {
	case NFL_CLIENT_START_LIVE:
	case NFL_CLIENT_START_OLDEST:
		return true;
	case NFL_CLIENT_START_LAST:
		return options->start_last > 0;
	case NFL_CLIENT_START_SINCE:
		return options->start_time_ns >= 0;
	case NFL_CLIENT_START_SINCE_AGO:
		return options->start_ago_ns >= 0;
	case NFL_CLIENT_START_RESUME:
		return options->resume_token && options->resume_token_len > 0;
	}
	return false;
}

static int check_range(const struct nfl_client_subscribe_options *options)
{
	bool has_history = options->start != NFL_CLIENT_START_LIVE;

	if (!is_start_good(options) || options->until_ns < 0)
		return -EINVAL;
	if (has_history && options->until_ns > 0 && wants_follow(options))
		return -EINVAL;
	return options->flags & NFL_CLIENT_WAIT_FOR_NETNS && !wants_follow(options) ? -EINVAL : 0;
}

static int check_options(const struct nfl_client_subscribe_options *options)
{
	if (options->flags & ~KNOWN_FLAGS || options->view > NFL_CLIENT_VIEW_RAW ||
	    options->slow_policy > NFL_CLIENT_SLOW_DISCONNECT)
		return -EINVAL;
	if ((options->netns_count > 0 && !options->netns) ||
	    (options->group_count > 0 && !options->groups) ||
	    (options->include_count > 0 && !options->include) ||
	    (options->exclude_count > 0 && !options->exclude))
		return -EINVAL;
	for (size_t i = 0; i < options->netns_count; i++)
		if (!options->netns[i])
			return -EINVAL;
	if (options->label && strlen(options->label) > LABEL_MAX_BYTES)
		return -EINVAL;
	return check_range(options);
}

static int put_sources(const struct nfl_client_subscribe_options *options, struct arena *arena,
		       Nflog__V1__SubscribeRequest *request)
{
	request->netns = arena_extend(arena, NULL, 0, options->netns_count, sizeof(char *));
	request->groups = arena_extend(arena, NULL, 0, options->group_count, sizeof(uint32_t));
	if (!request->netns || !request->groups)
		return -ENOMEM;
	for (size_t i = 0; i < options->netns_count; i++) {
		request->netns[i] = arena_strdup(arena, options->netns[i]);
		if (!request->netns[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < options->group_count; i++)
		request->groups[i] = options->groups[i];
	request->n_netns = options->netns_count;
	request->n_groups = options->group_count;
	return 0;
}

static Google__Protobuf__Duration *make_duration(struct arena *arena, int64_t ns)
{
	Google__Protobuf__Duration *duration = arena_alloc(arena, sizeof(*duration));

	if (!duration)
		return NULL;
	google__protobuf__duration__init(duration);
	duration->seconds = ns / NS_PER_S;
	duration->nanos = (int32_t)(ns % NS_PER_S);
	return duration;
}

static Google__Protobuf__Timestamp *make_time(struct arena *arena, int64_t ns)
{
	Google__Protobuf__Timestamp *time = arena_alloc(arena, sizeof(*time));

	if (!time)
		return NULL;
	google__protobuf__timestamp__init(time);
	time->seconds = ns / NS_PER_S;
	time->nanos = (int32_t)(ns % NS_PER_S);
	return time;
}

static int put_token(const struct nfl_client_subscribe_options *options, struct arena *arena,
		     Nflog__V1__StartPosition *start)
{
	void *copy = arena_alloc(arena, options->resume_token_len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, options->resume_token, options->resume_token_len);
	start->position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start->resume_token = (ProtobufCBinaryData){.data = copy, .len = options->resume_token_len};
	return 0;
}

static int put_position(const struct nfl_client_subscribe_options *options, struct arena *arena,
			Nflog__V1__StartPosition *start)
{
	switch (options->start) {
	case NFL_CLIENT_START_LIVE:
		return 0;
	case NFL_CLIENT_START_LAST:
		start->position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
		start->last = options->start_last;
		return 0;
	case NFL_CLIENT_START_OLDEST:
		start->position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
		start->oldest = true;
		return 0;
	case NFL_CLIENT_START_SINCE:
		start->position_case = NFLOG__V1__START_POSITION__POSITION_SINCE;
		start->since = make_time(arena, options->start_time_ns);
		return start->since ? 0 : -ENOMEM;
	case NFL_CLIENT_START_SINCE_AGO:
		start->position_case = NFLOG__V1__START_POSITION__POSITION_SINCE_AGO;
		start->since_ago = make_duration(arena, options->start_ago_ns);
		return start->since_ago ? 0 : -ENOMEM;
	case NFL_CLIENT_START_RESUME:
		return put_token(options, arena, start);
	}
	return -EINVAL;
}

/* Where it begins, and how far it goes. */
static int put_range(const struct nfl_client_subscribe_options *options, struct arena *arena,
		     Nflog__V1__SubscribeRequest *request)
{
	request->follow = wants_follow(options);
	request->wait_for_netns = options->flags & NFL_CLIENT_WAIT_FOR_NETNS;
	request->strict_resume =
	    options->start == NFL_CLIENT_START_RESUME && options->flags & NFL_CLIENT_STRICT_RESUME;
	request->max_packets = options->max_packets;
	request->max_lag_bytes = options->max_lag_bytes;
	if (options->until_ns > 0) {
		request->until = make_time(arena, options->until_ns);
		if (!request->until)
			return -ENOMEM;
	}
	if (options->start == NFL_CLIENT_START_LIVE)
		return 0;
	request->start = arena_alloc(arena, sizeof(*request->start));
	if (!request->start)
		return -ENOMEM;
	nflog__v1__start_position__init(request->start);
	return put_position(options, arena, request->start);
}

/* More than the server's default: a message costs both ends what some hundred packets cost. */
#define BATCH_PACKETS 1024
#define BATCH_BYTES   262144

static int put_batch(const struct nfl_client_subscribe_options *options, struct arena *arena,
		     Nflog__V1__SubscribeRequest *request)
{
	Nflog__V1__BatchPolicy *batch;

	batch = arena_alloc(arena, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	nflog__v1__batch_policy__init(batch);
	batch->max_packets =
	    options->batch_max_packets ? options->batch_max_packets : BATCH_PACKETS;
	batch->max_bytes = options->batch_max_bytes ? options->batch_max_bytes : BATCH_BYTES;
	if (options->batch_max_delay_ms) {
		batch->max_delay = make_duration(arena, options->batch_max_delay_ms * NS_PER_MS);
		if (!batch->max_delay)
			return -ENOMEM;
	}
	request->batch = batch;
	return 0;
}

static int put_rest(const struct nfl_client_subscribe_options *options, struct arena *arena,
		    Nflog__V1__SubscribeRequest *request)
{
	request->payload_limit = options->payload_limit;
	request->view = (Nflog__V1__PacketView)options->view;
	request->slow_consumer_policy = (Nflog__V1__SlowConsumerPolicy)options->slow_policy;
	if (options->heartbeat_ms) {
		request->heartbeat_interval =
		    make_duration(arena, options->heartbeat_ms * NS_PER_MS);
		if (!request->heartbeat_interval)
			return -ENOMEM;
	}
	if (options->label) {
		request->client_label = arena_strdup(arena, options->label);
		if (!request->client_label)
			return -ENOMEM;
	}
	return 0;
}

static int put_filters(const struct nfl_client_subscribe_options *options, struct arena *arena,
		       Nflog__V1__SubscribeRequest *request)
{
	int r = filters_put(options->include, options->include_count, arena, &request->include);

	if (r == 0)
		r = filters_put(options->exclude, options->exclude_count, arena, &request->exclude);
	request->n_include = options->include_count;
	request->n_exclude = options->exclude_count;
	return r;
}

/* All of a request that was checked. */
static int put_all(const struct nfl_client_subscribe_options *options, struct arena *arena,
		   Nflog__V1__SubscribeRequest *request)
{
	int r = put_sources(options, arena, request);

	if (r == 0)
		r = put_range(options, arena, request);
	if (r == 0)
		r = put_batch(options, arena, request);
	if (r == 0)
		r = put_filters(options, arena, request);
	return r == 0 ? put_rest(options, arena, request) : r;
}

int request_make(const struct nfl_client_subscribe_options *options, struct request *ret)
{
	struct nfl_client_subscribe_options own = {0};
	/* The struct's size in the first version. */
	size_t first = offsetof(struct nfl_client_subscribe_options, label) + sizeof(char *);
	int r;

	if (options && options_take(&own, sizeof(own), options, first) < 0)
		return -EINVAL;
	r = check_options(&own);
	if (r < 0)
		return r;
	nflog__v1__subscribe_request__init(&ret->message);
	ret->flags = own.flags;
	ret->slow_is_final = own.slow_policy == NFL_CLIENT_SLOW_DISCONNECT;
	ret->follows = wants_follow(&own);
	ret->max_packets = own.max_packets;
	return put_all(&own, &ret->arena, &ret->message);
}

static void request_donep(struct request *request)
{
	request_done(request);
}

int nfl_client_request(const struct nfl_client_subscribe_options *options, void **ret,
		       size_t *ret_len)
{
	CLEANUP(request_donep) struct request request = {0};
	int r = request_make(options, &request);

	if (r < 0)
		return r;
	*ret_len = nflog__v1__subscribe_request__get_packed_size(&request.message);
	*ret = malloc(*ret_len + 1);
	if (!*ret)
		return -ENOMEM;
	(void)nflog__v1__subscribe_request__pack(&request.message, *ret);
	return 0;
}

void request_resume(struct request *request, const struct token *token, uint64_t delivered)
{
	Nflog__V1__SubscribeRequest *message = &request->message;

	nflog__v1__start_position__init(&request->resume);
	request->resume.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	request->resume.resume_token =
	    (ProtobufCBinaryData){.data = token->bytes, .len = token->len};
	message->start = token->len > 0 ? &request->resume : NULL;
	message->strict_resume = message->start && request->flags & NFL_CLIENT_STRICT_RESUME;
	/* A namespace may have gone since, or a restarted server not have found it yet. */
	message->wait_for_netns = request->follows;
	message->max_packets = request->max_packets ? request->max_packets - delivered : 0;
	/* The contract has no `until` for a history that is followed: the stream looks for it. */
	if (request->follows && message->until) {
		request->until_ns = time_from_proto(message->until);
		message->until = NULL;
	}
}

void request_done(struct request *request)
{
	arena_reset(&request->arena);
	*request = (struct request){0};
}
