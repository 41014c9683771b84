/* SPDX-License-Identifier: MIT */
/* Validation of requests: every field is in force, has its default, or is refused by name. */
#include "request.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "policy.h"
#include "text.h"
#include "times.h"

#define NETNS_MAX        1024 /* entries */
#define NETNS_BYTES_MAX  255  /* of a name */
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
		terms->asked_view = WIRE_VIEW_BASIC;
		return true;
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL:
		terms->asked_view = WIRE_VIEW_FULL;
		return true;
	case NFLOG__V1__PACKET_VIEW__PACKET_VIEW_RAW:
		terms->asked_view = WIRE_VIEW_RAW;
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
	terms->delay_by_load = !batch || !batch->max_delay;
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

static bool set_since_ago(const Google__Protobuf__Duration *ago, struct terms *terms,
			  struct status *err)
{
	int64_t now_ns = realtime_ns();
	int64_t ago_ns;

	/* Longer than since 1970 is as long: everything. */
	if (times_parse_duration(ago, now_ns, &ago_ns) < 0)
		return invalid(err, "start.since_ago", "expected a duration of 0 or more");
	terms->start = START_SINCE;
	terms->since_ns = now_ns - ago_ns;
	return true;
}

static bool set_position(const Nflog__V1__StartPosition *start, struct terms *terms,
			 struct status *err)
{
	switch (start->position_case) {
	case NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN:
		terms->start = START_RESUME;
		return true;
	case NFLOG__V1__START_POSITION__POSITION_LAST:
		terms->start = START_LAST;
		terms->last = start->last;
		return start->last > 0 || invalid(err, "start.last", "expected 1 or more");
	case NFLOG__V1__START_POSITION__POSITION_OLDEST:
		terms->start = START_OLDEST;
		return start->oldest || invalid(err, "start.oldest", "expected true");
	case NFLOG__V1__START_POSITION__POSITION_SINCE:
		terms->start = START_SINCE;
		return times_parse_timestamp(start->since, &terms->since_ns) == 0 ||
		       invalid(err, "start.since", "expected a valid time");
	case NFLOG__V1__START_POSITION__POSITION_SINCE_AGO:
		return set_since_ago(start->since_ago, terms, err);
	case NFLOG__V1__START_POSITION__POSITION__NOT_SET:
	case _NFLOG__V1__START_POSITION__POSITION__CASE_IS_INT_SIZE:
		break;
	}
	return invalid(err, "start", "expected a position");
}

static bool set_start(const Nflog__V1__SubscribeRequest *request, struct terms *terms,
		      struct status *err)
{
	const Nflog__V1__StartPosition *start = request->start;

	terms->start = START_LIVE;
	terms->follow = !start || request->follow;
	if (start && start->base.n_unknown_fields > 0)
		return refuse(err, "start: an unknown field");
	if (start && !set_position(start, terms, err))
		return false;
	if (request->strict_resume && terms->start != START_RESUME)
		return invalid(err, "strict_resume", "expected together with start.resume_token");
	if (request->wait_for_netns && !terms->follow)
		return invalid(err, "wait_for_netns", "expected a stream that follows");
	terms->strict_resume = request->strict_resume;
	terms->wait_for_netns = request->wait_for_netns;
	return true;
}

static bool set_until(const Nflog__V1__SubscribeRequest *request, struct terms *terms,
		      struct status *err)
{
	terms->until_ns = INT64_MAX;
	if (!request->until)
		return true;
	if (request->start && request->follow)
		return invalid(err, "until", "expected no follow together with it");
	return times_parse_timestamp(request->until, &terms->until_ns) == 0 ||
	       invalid(err, "until", "expected a valid time");
}

void request_renew(struct terms *terms, const struct tenant *tenant)
{
	const struct tenant_limits *limits = &tenant->limits;

	terms->view = limits->basic_view ? WIRE_VIEW_BASIC : terms->asked_view;
	terms->payload_limit = lower_limit(terms->asked_payload_limit, limits->payload_bytes);
	terms->packets_per_second = limits->packets_per_second;
}

static bool set_all(const Nflog__V1__SubscribeRequest *request, struct terms *ret,
		    struct status *err)
{
	return check_not_served(request, err) && set_view(request, ret, err) &&
	       set_policy(request, ret, err) && set_batch(request->batch, ret, err) &&
	       set_heartbeat(request->heartbeat_interval, ret, err) &&
	       set_start(request, ret, err) && set_until(request, ret, err) &&
	       check_label(request->client_label, err);
}

bool request_terms(const Nflog__V1__SubscribeRequest *request, const struct tenant *tenant,
		   struct terms *ret, struct status *err)
{
	*ret = (struct terms){
	    .asked_payload_limit = request->payload_limit,
	    .max_packets = request->max_packets ? request->max_packets : UINT64_MAX,
	    .max_lag_bytes = request->max_lag_bytes,
	};
	if (!set_all(request, ret, err))
		return false;
	request_renew(ret, tenant);
	return true;
}

bool request_check_count(size_t count, struct status *err)
{
	return count <= NETNS_MAX || invalid(err, "netns", "expected at most 1024 names");
}

bool request_check_netns(char *const *netns, size_t count, struct status *err)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(netns[i]) > NETNS_BYTES_MAX)
			return invalid(err, "netns", "expected names of at most 255 bytes");
		if (!is_text(netns[i]))
			return invalid(err, "netns", "expected valid UTF-8");
	}
	return true;
}
