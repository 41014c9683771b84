/* SPDX-License-Identifier: MIT */
/*
 * rpc/filters.h - include and exclude of a request, and which records they hold back
 *
 * Two filters are in force for a subscription: its own, which sees no more of a packet than its
 * reader does, so that it tells nothing of what is cut; and its tenant's, which the operator wrote
 * and which sees all. Threads: any; of a subscription its own.
 */
#ifndef RPC_FILTERS_H
#define RPC_FILTERS_H

#include <stdbool.h>
#include <stddef.h>

#include <nflog/v1/nflog.pb-c.h>

struct arena;
struct follow;
struct nfl_filter;
struct status;
struct subscription;
struct wire_stored;

/**
 * filters_make - the request's filters, checked and compiled
 * @max: include and exclude together, by the tenant's limits
 * @arena: for what is needed meanwhile
 * @ret: NULL where the request has none; nfl_filter_free() ends it
 * Returns false with INVALID_ARGUMENT or UNIMPLEMENTED naming the field, or RESOURCE_EXHAUSTED in @err.
 */
bool filters_make(const Nflog__V1__SubscribeRequest *request, size_t max, struct arena *arena,
		  struct nfl_filter **ret, struct status *err);

/* Has the subscription any filter at all, and does the record pass? */
bool filters_exist(const struct subscription *sub);
bool filters_pass(const struct subscription *sub, const struct follow *follow,
		  const struct wire_stored *stored);

#endif
