/* SPDX-License-Identifier: MIT */
/* What a caller of nfl_client_subscribe() wants, in the contract's words. */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "options.h"

#define LABEL_MAX_BYTES 64

static int check_options(const struct nfl_client_subscribe_options *options)
{
	if (options->flags != 0 || options->view > NFL_CLIENT_VIEW_RAW ||
	    options->slow_policy > NFL_CLIENT_SLOW_DISCONNECT)
		return -EINVAL;
	if ((options->netns_count > 0 && !options->netns) ||
	    (options->group_count > 0 && !options->groups))
		return -EINVAL;
	for (size_t i = 0; i < options->netns_count; i++)
		if (!options->netns[i])
			return -EINVAL;
	return options->label && strlen(options->label) > LABEL_MAX_BYTES ? -EINVAL : 0;
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

static Google__Protobuf__Duration *make_duration(struct arena *arena, uint32_t ms)
{
	Google__Protobuf__Duration *duration = arena_alloc(arena, sizeof(*duration));

	if (!duration)
		return NULL;
	google__protobuf__duration__init(duration);
	duration->seconds = ms / 1000;
	duration->nanos = (int32_t)(ms % 1000) * 1000000;
	return duration;
}

static int put_batch(const struct nfl_client_subscribe_options *options, struct arena *arena,
		     Nflog__V1__SubscribeRequest *request)
{
	Nflog__V1__BatchPolicy *batch;

	if (!options->batch_max_packets && !options->batch_max_bytes &&
	    !options->batch_max_delay_ms)
		return 0;
	batch = arena_alloc(arena, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	nflog__v1__batch_policy__init(batch);
	batch->max_packets = options->batch_max_packets;
	batch->max_bytes = options->batch_max_bytes;
	if (options->batch_max_delay_ms) {
		batch->max_delay = make_duration(arena, options->batch_max_delay_ms);
		if (!batch->max_delay)
			return -ENOMEM;
	}
	request->batch = batch;
	return 0;
}

static int put_rest(const struct nfl_client_subscribe_options *options, struct arena *arena,
		    Nflog__V1__SubscribeRequest *request)
{
	request->follow = true;
	request->max_packets = options->max_packets;
	request->payload_limit = options->payload_limit;
	request->view = (Nflog__V1__PacketView)options->view;
	request->slow_consumer_policy = (Nflog__V1__SlowConsumerPolicy)options->slow_policy;
	if (options->heartbeat_ms) {
		request->heartbeat_interval = make_duration(arena, options->heartbeat_ms);
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

int request_make(const struct nfl_client_subscribe_options *options, struct arena *arena,
		 Nflog__V1__SubscribeRequest *ret)
{
	struct nfl_client_subscribe_options own = {0};
	size_t first = offsetof(struct nfl_client_subscribe_options, label) + sizeof(char *);
	int r;

	if (options && options_take(&own, sizeof(own), options, first) < 0)
		return -EINVAL;
	r = check_options(&own);
	if (r < 0)
		return r;
	nflog__v1__subscribe_request__init(ret);
	r = put_sources(&own, arena, ret);
	if (r == 0)
		r = put_batch(&own, arena, ret);
	return r == 0 ? put_rest(&own, arena, ret) : r;
}
