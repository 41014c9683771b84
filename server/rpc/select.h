/* SPDX-License-Identifier: MIT */
/*
 * rpc/select.h - which sources a request means
 *
 * Nothing that was named may be missing: NOT_FOUND. Any thread.
 */
#ifndef RPC_SELECT_H
#define RPC_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

struct rpc;
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
bool select_sources(const struct rpc *rpc, const Nflog__V1__SubscribeRequest *request,
		    const struct terms *terms, struct source_list *ret, struct status *err);

/* The sources of some namespaces, or of all, that are not gone. */
bool select_netns(const struct rpc *rpc, char *const *netns, size_t count, struct source_list *ret,
		  struct status *err);

#endif
