/* SPDX-License-Identifier: MIT */
/* Validation of requests: every field is in force, has its default, or is refused by name. */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "clock.h"
#include "server.h"
#include "source.h"
#include "text.h"
#include "times.h"

#define NETNS_MAX        1024 /* entries */
#define NETNS_BYTES_MAX  255  /* of a name */
#define GROUPS_MAX       4096 /* entries */
#define BATCH_PACKETS    256
#define BATCH_BYTES      65536
#define MAX_DELAY_NS     (2 * NS_PER_MS)
#define MAX_DELAY_CAP_NS (5 * NS_PER_S)
#define HEARTBEAT_NS     (10 * NS_PER_S)
#define HEARTBEAT_MIN_NS (100 * NS_PER_MS)
#define HEARTBEAT_CAP_NS (3600 * NS_PER_S)

static bool is_text(const char *text)
{
	return text_is_utf8(
	    (struct nfl_bytes){.data = (const uint8_t *)text, .len = (uint32_t)strlen(text)});
}

static bool refuse(struct status *err, const char *field)
{
	return status_set(err, GRPC_STATUS_UNIMPLEMENTED, "%s: not served by this version", field);
}

static bool invalid(struct status *err, const char *field, const char *expected)
{
	return status_set(err, GRPC_STATUS_INVALID_ARGUMENT, "%s: %s", field, expected);
}

static bool check_not_served(const Nflog__V1__SubscribeRequest *request, struct status *err)
{
	if (request->n_include > 0)
		return refuse(err, "include");
	if (request->n_exclude > 0)
		return refuse(err, "exclude");
	if (request->start)
		return refuse(err, "start");
	if (request->until)
		return refuse(err, "until");
	if (request->max_lag_bytes > 0)
		return refuse(err, "max_lag_bytes");
	if (request->strict_resume)
		return refuse(err, "strict_resume");
	if (request->wait_for_netns)
		return refuse(err, "wait_for_netns");
	if (request->base.n_unknown_fields > 0)
		return status_set(err, GRPC_STATUS_UNIMPLEMENTED,
				  "field %u: not known to this version",
				  request->base.unknown_fields[0].tag);
	return true;
}

static bool set_view(const Nflog__V1__SubscribeRequest *request, struct terms *terms,
		     struct status *err)
{
	switch (request->view) {
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_UNSPECIFIED:
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_BASIC:
		terms->view = WIRE_VIEW_BASIC;
		return true;
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL:
		terms->view = WIRE_VIEW_FULL;
		return true;
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_RAW:
		terms->view = WIRE_VIEW_RAW;
		return true;
	case _NFLOG__V1__PACKET_VIEW_IS_INT_SIZE:
		break;
	}
	return invalid(err, "view", "no such view");
}

static bool set_policy(const Nflog__V1__SubscribeRequest *request, struct terms *terms,
		       struct status *err)
{
	switch (request->slow_consumer_policy) {
	case NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_UNSPECIFIED:
	case NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DROP_OLDEST:
		terms->disconnect_slow = false;
		return true;
	case NFLOG__V1__SLOW_CONSUMER_POLICY__SLOW_CONSUMER_POLICY_DISCONNECT:
		terms->disconnect_slow = true;
		return true;
	case _NFLOG__V1__SLOW_CONSUMER_POLICY_IS_INT_SIZE:
		break;
	}
	return invalid(err, "slow_consumer_policy", "no such policy");
}

/* @value 0: the default. */
static uint32_t limit(uint32_t value, uint32_t fallback, uint32_t cap)
{
	if (value == 0)
		value = fallback;
	return value < cap ? value : cap;
}

static bool set_batch(const Nflog__V1__BatchPolicy *batch, struct terms *terms, struct status *err)
{
	terms->batch_packets = BATCH_PACKETS;
	terms->batch_bytes = BATCH_BYTES;
	terms->max_delay_ns = MAX_DELAY_NS;
	if (!batch)
		return true;
	terms->batch_packets = limit(batch->max_packets, BATCH_PACKETS, REQUEST_BATCH_PACKETS_MAX);
	terms->batch_bytes = limit(batch->max_bytes, BATCH_BYTES, REQUEST_BATCH_BYTES_MAX);
	if (batch->base.n_unknown_fields > 0)
		return refuse(err, "batch: an unknown field");
	if (batch->max_delay &&
	    times_parse_duration(batch->max_delay, MAX_DELAY_CAP_NS, &terms->max_delay_ns) < 0)
		return invalid(err, "batch.max_delay", "expected a duration of 0 or more");
	return true;
}

static bool set_heartbeat(const Google__Protobuf__Duration *interval, struct terms *terms,
			  struct status *err)
{
	terms->heartbeat_ns = HEARTBEAT_NS;
	if (interval && times_parse_duration(interval, HEARTBEAT_CAP_NS, &terms->heartbeat_ns) < 0)
		return invalid(err, "heartbeat_interval", "expected a duration of 0 or more");
	if (terms->heartbeat_ns < HEARTBEAT_MIN_NS)
		terms->heartbeat_ns = HEARTBEAT_MIN_NS;
	return true;
}

static bool check_label(const char *label, struct status *err)
{
	if (strlen(label) > REQUEST_LABEL_MAX)
		return invalid(err, "client_label", "expected at most 64 bytes");
	if (!is_text(label))
		return invalid(err, "client_label", "expected valid UTF-8");
	return true;
}

/* A limit of 0 is none. */
static uint32_t lower_limit(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

bool request_terms(const Nflog__V1__SubscribeRequest *request, uint32_t max_payload_bytes,
		   struct terms *ret, struct status *err)
{
	*ret = (struct terms){.start = START_LIVE, .follow = true, .until_ns = INT64_MAX};
	ret->payload_limit = lower_limit(request->payload_limit, max_payload_bytes);
	ret->max_packets = request->max_packets ? request->max_packets : UINT64_MAX;
	return check_not_served(request, err) && set_view(request, ret, err) &&
	       set_policy(request, ret, err) && set_batch(request->batch, ret, err) &&
	       set_heartbeat(request->heartbeat_interval, ret, err) &&
	       check_label(request->client_label, err);
}

bool request_check_netns(char *const *netns, size_t count, struct status *err)
{
	if (count > NETNS_MAX)
		return invalid(err, "netns", "expected at most 1024 names");
	for (size_t i = 0; i < count; i++) {
		if (strlen(netns[i]) > NETNS_BYTES_MAX)
			return invalid(err, "netns", "expected names of at most 255 bytes");
		if (!is_text(netns[i]))
			return invalid(err, "netns", "expected valid UTF-8");
	}
	return true;
}

static bool check_groups(const uint32_t *groups, size_t count, struct status *err)
{
	if (count > GROUPS_MAX)
		return invalid(err, "groups", "expected at most 4096 numbers");
	for (size_t i = 0; i < count; i++)
		if (groups[i] > UINT16_MAX)
			return status_set(err, GRPC_STATUS_INVALID_ARGUMENT,
					  "groups: expected 0 to 65535, not %u", groups[i]);
	return true;
}

static bool has_netns(const struct source_list *list, const char *netns)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i]->netns, netns) == 0)
			return true;
	return false;
}

static bool has_group(const struct source_list *list, uint32_t group)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->group == group)
			return true;
	return false;
}

/* A silent subset is never served: each name and each number must have found something. */
static bool check_found(const struct source_list *list, char *const *netns, size_t netns_count,
			const uint32_t *groups, size_t group_count, struct status *err)
{
	for (size_t i = 0; i < netns_count; i++)
		if (!has_netns(list, netns[i]))
			return status_set(err, GRPC_STATUS_NOT_FOUND,
					  "netns \"%s\": not configured%s", netns[i],
					  group_count > 0 ? " with any of these groups" : "");
	for (size_t i = 0; i < group_count; i++)
		if (!has_group(list, groups[i]))
			return status_set(err, GRPC_STATUS_NOT_FOUND, "group %u: not configured%s",
					  groups[i],
					  netns_count > 0 ? " in any of these netns" : "");
	return true;
}

/*
 * Sources that cannot send now. Those that wait for their namespace are fine beside one that
 * listens, and where the client asked for whatever there is; a client that named them is told.
 */
static bool check_states(const struct source_list *list, bool named, struct status *err)
{
	struct source_status status = {0};
	const struct source *failed = NULL;
	char detail[sizeof(status.detail)] = "";

	for (size_t i = 0; i < list->count; i++) {
		source_status(list->items[i], &status);
		if (status.state == SOURCE_LISTENING)
			return true;
		if (status.state == SOURCE_FAILED && !failed) {
			failed = list->items[i];
			memcpy(detail, status.detail, sizeof(detail));
		}
	}
	if (failed)
		return status_set(err, GRPC_STATUS_FAILED_PRECONDITION, "netns \"%s\" group %u: %s",
				  failed->netns, failed->group, detail);
	if (list->count == 0 || !named)
		return true;
	return status_set(err, GRPC_STATUS_NOT_FOUND, "netns \"%s\" group %u: %s",
			  list->items[0]->netns, list->items[0]->group,
			  status.detail[0] ? status.detail : "the namespace does not exist");
}

static bool select_sources(const struct rpc *rpc, char *const *netns, size_t netns_count,
			   const uint32_t *groups, size_t group_count, struct source_list *ret,
			   struct status *err)
{
	const struct source_query query = {.netns = (const char *const *)netns,
					   .netns_count = netns_count,
					   .groups = groups,
					   .group_count = group_count};

	if (registry_select(rpc->registry, &query, ret) < 0)
		return status_set(err, GRPC_STATUS_INTERNAL, "out of memory");
	if (check_found(ret, netns, netns_count, groups, group_count, err))
		return true;
	source_list_done(ret);
	return false;
}

bool request_select(const struct rpc *rpc, const Nflog__V1__SubscribeRequest *request,
		    struct source_list *ret, struct status *err)
{
	if (!request_check_netns(request->netns, request->n_netns, err) ||
	    !check_groups(request->groups, request->n_groups, err) ||
	    !select_sources(rpc, request->netns, request->n_netns, request->groups,
			    request->n_groups, ret, err))
		return false;
	if (check_states(ret, request->n_netns > 0, err))
		return true;
	source_list_done(ret);
	return false;
}

bool request_select_netns(const struct rpc *rpc, char *const *netns, size_t count,
			  struct source_list *ret, struct status *err)
{
	return request_check_netns(netns, count, err) &&
	       select_sources(rpc, netns, count, NULL, 0, ret, err);
}

static int copy_names(char *const *names, size_t count, struct selection *copy)
{
	copy->netns = calloc(count + 1, sizeof(char *));
	if (!copy->netns)
		return -ENOMEM;
	for (; copy->netns_count < count; copy->netns_count++) {
		copy->netns[copy->netns_count] = strdup(names[copy->netns_count]);
		if (!copy->netns[copy->netns_count])
			return -ENOMEM;
	}
	return 0;
}

static int copy_groups(const uint32_t *groups, size_t count, struct selection *copy)
{
	if (count == 0)
		return 0;
	copy->groups = calloc(count, sizeof(uint32_t));
	if (!copy->groups)
		return -ENOMEM;
	memcpy(copy->groups, groups, count * sizeof(uint32_t));
	copy->group_count = count;
	return 0;
}

int selection_copy(const Nflog__V1__SubscribeRequest *request, struct selection *ret)
{
	CLEANUP(selection_done) struct selection copy = {0};
	int r = copy_names(request->netns, request->n_netns, &copy);

	if (r == 0)
		r = copy_groups(request->groups, request->n_groups, &copy);
	if (r < 0)
		return r;
	*ret = copy;
	copy = (struct selection){0};
	return 0;
}

void selection_done(struct selection *selection)
{
	for (size_t i = 0; i < selection->netns_count; i++)
		free(selection->netns[i]);
	free(selection->netns);
	free(selection->groups);
	*selection = (struct selection){0};
}
