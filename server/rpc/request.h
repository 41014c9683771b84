/* SPDX-License-Identifier: MIT */
/*
 * rpc/request.h - what a client asked for, checked, and what is in force after defaults and caps
 *
 * A field that has no effect yet is refused by name: never ignored silently. Any thread.
 */
#ifndef RPC_REQUEST_H
#define RPC_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#include "wire.h"

#define REQUEST_BATCH_PACKETS_MAX 4096
#define REQUEST_BATCH_BYTES_MAX   1048576
#define REQUEST_LABEL_MAX         64 /* bytes, without the NUL */

struct status;
struct tenant;

enum start_kind {
	START_LIVE,
	START_RESUME,
	START_LAST,
	START_OLDEST,
	START_SINCE,
};

/* What is in force for one subscription. */
struct terms {
	enum wire_view asked_view; /* these two as asked for, in force below */
	uint32_t asked_payload_limit;
	enum wire_view view;
	uint32_t payload_limit; /* 0: none */
	uint32_t batch_packets;
	uint32_t batch_bytes;
	int64_t max_delay_ns;
	bool delay_by_load; /* nobody asked for one: at most so long */
	int64_t heartbeat_ns;
	uint64_t max_packets; /* UINT64_MAX: no limit */
	bool disconnect_slow;
	enum start_kind start;
	uint64_t last;               /* START_LAST: packets */
	int64_t since_ns;            /* START_SINCE: CLOCK_REALTIME */
	bool follow;                 /* false: ends where the history ended at the start */
	bool strict_resume;          /* START_RESUME */
	bool wait_for_netns;         /* names that match no source yet are waited for */
	int64_t until_ns;            /* CLOCK_REALTIME: a later packet ends it; INT64_MAX: none */
	uint64_t max_lag_bytes;      /* once caught up; 0: as far as the history reaches */
	uint64_t packets_per_second; /* more are RATE_LIMIT loss; 0: no limit */
};

/* Returns false with the reason in @err: INVALID_ARGUMENT or UNIMPLEMENTED, naming the field. */
bool request_terms(const Nflog__V1__SubscribeRequest *request, const struct tenant *tenant,
		   struct terms *ret, struct status *err);

/* What depends on the tenant's limits, from what was asked for and the limits of now. */
void request_renew(struct terms *terms, const struct tenant *tenant);

/* Not too many names. */
bool request_check_count(size_t count, struct status *err);
/* Checks that names are texts. */
bool request_check_netns(char *const *netns, size_t count, struct status *err);

#endif
