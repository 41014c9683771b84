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

struct rpc;
struct source_list;
struct status;

enum start_kind {
	START_LIVE,
	START_RESUME,
	START_LAST,
	START_OLDEST,
	START_SINCE,
};

/* What is in force for one subscription. */
struct terms {
	enum wire_view view;
	uint32_t payload_limit; /* 0: none */
	uint32_t batch_packets;
	uint32_t batch_bytes;
	int64_t max_delay_ns;
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

/* Which sources a subscription covers, now and later: a copy of the request's. */
struct selection {
	char **netns; /* owned; each owned */
	size_t netns_count;
	uint32_t *groups; /* owned */
	size_t group_count;
};

/* 0 or -ENOMEM. */
int selection_copy(const Nflog__V1__SubscribeRequest *request, struct selection *ret);
void selection_done(struct selection *selection);

/* Returns false with the reason in @err: INVALID_ARGUMENT or UNIMPLEMENTED, naming the field. */
bool request_terms(const Nflog__V1__SubscribeRequest *request, uint32_t max_payload_bytes,
		   struct terms *ret, struct status *err);

/* Checks that names are texts and not too many. */
bool request_check_netns(char *const *netns, size_t count, struct status *err);

/* Finds the sources. Nothing that was named may be missing: NOT_FOUND; sources of which none can
 * be bound: FAILED_PRECONDITION. @ret is done with source_list_done() on success. */
bool request_select(const struct rpc *rpc, const Nflog__V1__SubscribeRequest *request,
		    struct source_list *ret, struct status *err);

/* The sources of some namespaces, or of all; a name without any is NOT_FOUND. */
bool request_select_netns(const struct rpc *rpc, char *const *netns, size_t count,
			  struct source_list *ret, struct status *err);

#endif
