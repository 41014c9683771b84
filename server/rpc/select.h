/* SPDX-License-Identifier: MIT */
/*
 * rpc/select.h - which sources a request means
 *
 * Only what the tenant may see. Nothing that was named may be missing: outside its grants that is
 * PERMISSION_DENIED, inside NOT_FOUND. Any thread.
 */
#ifndef RPC_SELECT_H
#define RPC_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

struct call;
struct source_list;
struct status;
struct terms;

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

/**
 * select_sources - the sources that a stream begins with
 * A stream with a start position gets those that are gone, too, and one that waits for namespaces
 * may miss some that it names. Sources of which none can be bound: FAILED_PRECONDITION.
 * @ret: done with source_list_done() on success
 */
bool select_sources(const struct call *call, const Nflog__V1__SubscribeRequest *request,
		    const struct terms *terms, struct source_list *ret, struct status *err);

/* Are the request's names within the tenant's grants? PERMISSION_DENIED; before anything else of the
 * request is looked at. */
bool select_check(const struct call *call, const Nflog__V1__SubscribeRequest *request,
		  struct status *err);

/* The sources of some namespaces, or of all, that are not gone; with the check of grants. */
bool select_netns(const struct call *call, char *const *netns, size_t count,
		  struct source_list *ret, struct status *err);

#endif
