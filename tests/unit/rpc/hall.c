/* SPDX-License-Identifier: MIT */
/* The server under test and its sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nfl/record.h>

#include "clock.h"
#include "hall.h"
#include "log.h"
#include "policy.h"
#include "wire.h"

struct source *hall_add(struct hall *hall, const char *netns, uint16_t group)
{
	struct source_spec spec = {.netns = netns, .group = group, .log_bytes = HALL_LOG_BYTES};
	struct source *source;

	assert_int_equal(registry_add(hall->registry, &spec, &source), 0);
	return source;
}

static struct source *add_listening(struct hall *hall, const char *netns, uint16_t group)
{
	struct source *source = hall_add(hall, netns, group);

	registry_set_state(hall->registry, source, SOURCE_LISTENING, NULL);
	return source;
}

void hall_set_state(struct hall *hall, struct source *source, enum source_state state,
		    const char *detail)
{
	registry_set_state(hall->registry, source, state, detail);
	rpc_wake(hall->rpc);
}

void hall_remove(struct hall *hall, struct source *source)
{
	registry_remove(hall->registry, source, monotonic_ns());
	hall_set_state(hall, source, SOURCE_GONE, "deleted");
}

void hall_open_with(struct hall *hall, uint32_t max_subscriptions, uint32_t max_payload_bytes)
{
	struct tenant_limits limits = {
	    .subscriptions = max_subscriptions, .payload_bytes = max_payload_bytes, .filters = 4};

	hall_open_limited(hall, &limits);
}

/* Whoever runs the test is tenant "local", which sees all. */
static struct policy *make_policy(const struct tenant_limits *limits, struct nfl_filter *filter)
{
	const struct identity_spec identity = {.kind = IDENTITY_UNIX_UID, .uid = getuid()};
	struct tenant_spec tenant = {.name = "local",
				     .admin = true,
				     .identities = &identity,
				     .identity_count = 1,
				     .filter = filter,
				     .limits = *limits};
	struct policy_problems problems;
	struct policy *policy;

	assert_int_equal(policy_new(&tenant, 1, &policy, &problems), 0);
	policy_problems_done(&problems);
	return policy;
}

void hall_open_limited(struct hall *hall, const struct tenant_limits *limits)
{
	hall_open_filtered(hall, limits, NULL);
}

void hall_open_filtered(struct hall *hall, const struct tenant_limits *limits,
			struct nfl_filter *filter)
{
	struct rpc_endpoint endpoint = {.unix_path = hall->path, .mode = 0600};
	struct rpc_options options = {.endpoints = &endpoint,
				      .endpoint_count = 1,
				      .version = "1.2.3",
				      .config_load_time_ns = 1,
				      .threads = 2};
	struct rpc_error err;

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	*hall = (struct hall){0};
	(void)snprintf(hall->folder, sizeof(hall->folder), "/tmp/nfl-rpc-XXXXXX");
	assert_non_null(mkdtemp(hall->folder));
	(void)snprintf(hall->path, sizeof(hall->path), "%s/sock", hall->folder);
	assert_int_equal(history_new((size_t)1 << 26, &hall->history), 0);
	assert_int_equal(registry_new(hall->history, &hall->registry), 0);
	hall->red = add_listening(hall, "red", 100);
	hall->red_200 = add_listening(hall, "red", 200);
	hall->blue = add_listening(hall, "blue", 100);
	hall->policy = make_policy(limits, filter);
	options.policy = hall->policy;
	if (rpc_bind(&endpoint, 1, &options.sockets, &err) < 0)
		fail_msg("%s", err.text);
	if (rpc_new(&options, hall->registry, &hall->rpc, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rpc_start(hall->rpc), 0);
}

void hall_close_it(struct hall *hall)
{
	hall_go_on(); /* a test that has failed may not have */
	rpc_stop(hall->rpc, 1000);
	rpc_free(hall->rpc);
	(void)policy_unref(hall->policy);
	registry_free(hall->registry);
	history_free(hall->history);
	assert_int_equal(rmdir(hall->folder), 0); /* the socket is gone */
}

int hall_open(void **state)
{
	struct hall *hall = calloc(1, sizeof(*hall));

	assert_non_null(hall);
	hall_open_with(hall, 0, 0);
	*state = hall;
	return 0;
}

int hall_close(void **state)
{
	hall_close_it(*state);
	free(*state);
	return 0;
}

static void store_at(struct source *source, uint64_t order, int64_t time_ns)
{
	static const uint8_t payload[100] = {0x45};
	struct nfl_packet packet = {.sequence = atomic_load(&source->packets) + 1,
				    .source_id = source->id,
				    .original_length = sizeof(payload)};
	struct wire_stored *stored;

	packet.record.receive_time_ns = time_ns;
	packet.record.present = NFL_HAS_PAYLOAD | NFL_HAS_PREFIX | NFL_HAS_MARK;
	packet.record.mark = (uint32_t)packet.sequence;
	packet.record.family = NFL_FAMILY_IPV4;
	packet.record.payload = (struct nfl_bytes){.data = payload, .len = sizeof(payload)};
	packet.record.prefix = (struct nfl_bytes){.data = (const uint8_t *)"test: ", .len = 6};
	stored = history_reserve(source->log, wire_store_bound(&packet));
	assert_non_null(stored);
	(void)wire_store(stored, &packet, NULL);
	stored->order = order;
	stored->lost_kernel = (uint32_t)atomic_load(&source->lost_kernel);
	stored->lost_decode = (uint32_t)atomic_load(&source->lost_decode);
	atomic_store(&source->last_order, order);
	history_append(source->log, stored->total);
	atomic_fetch_add(&source->packets, 1);
	atomic_store(&source->last_packet_ns, packet.record.receive_time_ns);
}

static void store(struct source *source, uint64_t order)
{
	store_at(source, order, realtime_ns());
}

void hall_log_at(struct hall *hall, struct source *source, int64_t time_ns)
{
	store_at(source, ++hall->order, time_ns);
	history_publish(source->log);
	hall_set_order(hall, hall->order);
}

void hall_log_after_loss(struct hall *hall, struct source *source, uint32_t count,
			 uint32_t lost_kernel, uint32_t lost_decode)
{
	atomic_fetch_add(&source->lost_kernel, lost_kernel);
	atomic_fetch_add(&source->lost_decode, lost_decode);
	hall->order++;
	while (count-- > 0)
		store(source, hall->order);
	history_publish(source->log);
	hall_set_order(hall, hall->order);
}

void hall_store(struct source *source, uint64_t order)
{
	store(source, order);
	history_publish(source->log);
}

void hall_set_order(struct hall *hall, uint64_t order)
{
	hall->order = order;
	registry_set_order(hall->registry, order);
	rpc_wake(hall->rpc);
}

void hall_log(struct hall *hall, struct source *source, uint32_t count)
{
	hall_log_after_loss(hall, source, count, 0, 0);
}

Nflog__V1__SubscribeResponse *hall_subscribe(struct hall *hall, struct caller *caller,
					     const Nflog__V1__SubscribeRequest *request)
{
	Nflog__V1__SubscribeResponse *event;

	caller_open_message(caller, hall->path, "Subscribe", &request->base);
	event = caller_next_event(caller);
	if (!event)
		fail_msg("status %d: %s", (int)caller->code, caller->text);
	assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_STARTED);
	return event;
}

void hall_follow(struct hall *hall, struct caller *caller,
		 const Nflog__V1__SubscribeRequest *request)
{
	hall_free_event(hall_subscribe(hall, caller, request));
}

size_t hall_count_subscriptions(struct hall *hall)
{
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	Nflog__V1__GetStatsResponse *response;
	struct caller caller;
	size_t count;

	caller_open_message(&caller, hall->path, "GetStats", &request.base);
	response = (Nflog__V1__GetStatsResponse *)caller_next_message(
	    &caller, &nflog__v1__get_stats_response__descriptor);
	assert_non_null(response);
	count = response->n_subscriptions;
	nflog__v1__get_stats_response__free_unpacked(response, NULL);
	caller_close(&caller);
	return count;
}

void hall_free_event(Nflog__V1__SubscribeResponse *event)
{
	nflog__v1__subscribe_response__free_unpacked(event, NULL);
}
