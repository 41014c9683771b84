/* SPDX-License-Identifier: MIT */
/* The registry's sources that a request names, or a refusal that names what is missing. */
#include "select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "history.h"
#include "request.h"
#include "server.h"
#include "source.h"

#define GROUPS_MAX 4096 /* entries */

static bool check_group_count(size_t count, struct status *err)
{
	return count <= GROUPS_MAX || status_set(err, GRPC_STATUS_INVALID_ARGUMENT,
						 "groups: expected at most 4096 numbers");
}

static bool check_groups(const uint32_t *groups, size_t count, struct status *err)
{
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
static bool check_found(const struct source_list *list, const struct source_query *query,
			struct status *err)
{
	for (size_t i = 0; i < query->netns_count; i++)
		if (!has_netns(list, query->netns[i]))
			return status_set(err, GRPC_STATUS_NOT_FOUND,
					  "netns \"%s\": not configured%s", query->netns[i],
					  query->group_count > 0 ? " with any of these groups"
								 : "");
	for (size_t i = 0; i < query->group_count; i++)
		if (!has_group(list, query->groups[i]))
			return status_set(err, GRPC_STATUS_NOT_FOUND, "group %u: not configured%s",
					  query->groups[i],
					  query->netns_count > 0 ? " in any of these netns" : "");
	return true;
}

/*
 * Sources that cannot send now. Those that wait for their namespace are fine beside one that
 * listens, and where the client asked for whatever there is or will wait; a client that named them
 * is told. What is gone was selected for its history.
 */
static bool check_states(const struct source_list *list, bool may_wait, struct status *err)
{
	struct source_status status = {0};
	const struct source *failed = NULL;
	char detail[sizeof(status.detail)] = "";
	bool waits = false;

	for (size_t i = 0; i < list->count; i++) {
		source_status(list->items[i], &status);
		if (status.state == SOURCE_LISTENING || status.state == SOURCE_GONE)
			return true;
		waits |= status.state == SOURCE_WAITING;
		if (status.state == SOURCE_FAILED && !failed) {
			failed = list->items[i];
			memcpy(detail, status.detail, sizeof(detail));
		}
	}
	if (list->count == 0 || (waits && may_wait))
		return true;
	if (failed)
		return status_set(err, GRPC_STATUS_FAILED_PRECONDITION, "netns \"%s\" group %u: %s",
				  failed->netns, failed->group, detail);
	return status_set(err, GRPC_STATUS_NOT_FOUND, "netns \"%s\" group %u: %s",
			  list->items[0]->netns, list->items[0]->group,
			  status.detail[0] ? status.detail : "the namespace does not exist");
}

/* A stream without history has no use for sources that send nothing any more. */
static void leave_out_gone(struct source_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct source_status status;

		source_status(list->items[i], &status);
		if (status.state == SOURCE_GONE)
			(void)source_unref(list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static bool find(const struct call *call, const struct source_query *query, struct source_list *ret,
		 struct status *err)
{
	if (registry_select(call->cq->rpc->registry, query, ret) < 0)
		return status_set_memory(err);
	access_filter(call->access.tenant, ret);
	return true;
}

/* @list: what was found. A stream that goes on was accepted before: it is not held against states
 * that change all the time. */
static bool check(const struct source_list *list, const struct source_query *query,
		  const struct terms *terms, struct status *err)
{
	if (!terms->wait_for_netns && !check_found(list, query, err))
		return false;
	return terms->start == START_RESUME ||
	       check_states(list, terms->wait_for_netns || query->netns_count == 0, err);
}

bool select_check(const struct call *call, const Nflog__V1__SubscribeRequest *request,
		  struct status *err)
{
	/* Only the numbers of names come first: they bound the work, and tell of nothing. */
	return request_check_count(request->n_netns, err) &&
	       check_group_count(request->n_groups, err) &&
	       access_check(call->access.tenant, request->netns, request->n_netns, request->groups,
			    request->n_groups, err);
}

bool select_sources(const struct call *call, const Nflog__V1__SubscribeRequest *request,
		    const struct terms *terms, struct source_list *ret, struct status *err)
{
	/* One that was removed may still have something to read: live streams get it, too. */
	const struct source_query query = {
	    .netns = (const char *const *)request->netns,
	    .netns_count = request->n_netns,
	    .groups = request->groups,
	    .group_count = request->n_groups,
	    .gone = true,
	};
	CLEANUP(source_list_done) struct source_list list = {0};

	if (!request_check_netns(request->netns, request->n_netns, err) ||
	    !check_groups(request->groups, request->n_groups, err) ||
	    !find(call, &query, &list, err))
		return false;
	if (terms->start == START_LIVE)
		leave_out_gone(&list);
	if (!check(&list, &query, terms, err))
		return false;
	*ret = list;
	list = (struct source_list){0};
	return true;
}

bool select_netns(const struct call *call, char *const *netns, size_t count,
		  struct source_list *ret, struct status *err)
{
	const struct source_query query = {.netns = (const char *const *)netns,
					   .netns_count = count};
	CLEANUP(source_list_done) struct source_list list = {0};

	if (!request_check_count(count, err) ||
	    !access_check(call->access.tenant, netns, count, NULL, 0, err) ||
	    !request_check_netns(netns, count, err) || !find(call, &query, &list, err) ||
	    !check_found(&list, &query, err))
		return false;
	*ret = list;
	list = (struct source_list){0};
	return true;
}

static int copy_names(char *const *names, size_t count, struct selection *selection)
{
	if (count == 0)
		return 0;
	selection->netns = calloc(count, sizeof(char *));
	if (!selection->netns)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		selection->netns[i] = strdup(names[i]);
		if (!selection->netns[i])
			return -ENOMEM;
		selection->netns_count++;
	}
	return 0;
}

static int copy_groups(const uint32_t *groups, size_t count, struct selection *selection)
{
	if (count == 0)
		return 0;
	selection->groups = calloc(count, sizeof(uint32_t));
	if (!selection->groups)
		return -ENOMEM;
	memcpy(selection->groups, groups, count * sizeof(uint32_t));
	selection->group_count = count;
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
