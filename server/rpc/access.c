/* SPDX-License-Identifier: MIT */
/*
 * From what was proved to a tenant, by the policy in force, and from a tenant to what it may see.
 *
 * Who is refused is told one text for all reasons, and one for everything that it may not have: the
 * server says nothing about what there is to those who may not know.
 */
#include "access.h"

#include <errno.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "identify.h"
#include "log.h"
#include "policy.h"
#include "server.h"
#include "source.h"
#include "wire.h"

#define REFUSED_INTERVAL_NS (10 * NS_PER_S) /* between two log lines: a peer decides how many */

static struct policy *policy_in_force(struct rpc *rpc, uint64_t *ret_generation)
{
	struct policy *policy;

	(void)pthread_mutex_lock(&rpc->policy_lock);
	policy = policy_ref(rpc->policy);
	*ret_generation = atomic_load(&rpc->policy_generation);
	(void)pthread_mutex_unlock(&rpc->policy_lock);
	return policy;
}

static void log_refused(struct call *call, const char *reason)
{
	struct rpc *rpc = call->cq->rpc;
	uint64_t times = atomic_fetch_add(&rpc->refused, 1) + 1;
	int64_t before_ns = atomic_load(&rpc->refused_ns);
	char text[2 * IDENTITY_TEXT_MAX];

	if (before_ns && call->cq->now_ns - before_ns < REFUSED_INTERVAL_NS)
		return;
	if (!atomic_compare_exchange_strong(&rpc->refused_ns, &before_ns, call->cq->now_ns))
		return;
	log_warn("rpc.refused", "principal=%s reason=\"%s\" times=%llu",
		 log_quote(text, sizeof(text), identity_text(call->access.identity)), reason,
		 (unsigned long long)times);
}

/* Takes the policy of now into the call; -errno of policy_find(). */
static int look_up(struct call *call, const struct tenant **ret)
{
	struct access *access = &call->access;

	(void)policy_unref(access->policy);
	access->tenant = NULL;
	access->policy = policy_in_force(call->cq->rpc, &access->generation);
	return policy_find(access->policy, identity_principal(access->identity), ret);
}

bool access_begin(struct call *call, struct status *err)
{
	const struct tenant *tenant;
	int r;

	if (!identity_new(call, &call->access.identity, err))
		return false;
	r = look_up(call, &tenant);
	if (r == 0) {
		call->access.tenant = tenant;
		return true;
	}
	log_refused(call, r == -EEXIST ? "it would be two tenants" : "it is no tenant");
	return status_set(err, GRPC_STATUS_UNAUTHENTICATED, "no tenant has these credentials");
}

void access_done(struct access *access)
{
	identity_free(access->identity);
	access->policy = policy_unref(access->policy);
	access->identity = NULL;
	access->tenant = NULL;
}

bool access_is_stale(const struct call *call)
{
	return atomic_load_explicit(&call->cq->rpc->policy_generation, memory_order_acquire) !=
	       call->access.generation;
}

bool access_renew(struct call *call)
{
	struct policy *before = policy_ref(call->access.policy); /* holds the name */
	const char *name = call->access.tenant ? call->access.tenant->name : NULL;
	const struct tenant *tenant;
	bool same = look_up(call, &tenant) == 0 && name && strcmp(tenant->name, name) == 0;

	if (same)
		call->access.tenant = tenant;
	(void)policy_unref(before);
	return same;
}

bool access_cut(const struct tenant *tenant, const struct source *source, struct wire_cut *ret)
{
	struct grant grant;

	if (!tenant_grants(tenant, source->netns, source->group, &grant))
		return false;
	*ret = (struct wire_cut){
	    .payload_max = grant.payload_bytes,
	    .no_payload = !grant.payload,
	    .no_conntrack = !grant.conntrack,
	};
	return true;
}

void access_filter(const struct tenant *tenant, struct source_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct wire_cut cut;

		if (access_cut(tenant, list->items[i], &cut))
			list->items[kept++] = list->items[i];
		else
			(void)source_unref(list->items[i]);
	}
	list->count = kept;
}

static bool is_granted(const struct tenant *tenant, const char *netns, uint32_t group)
{
	struct grant grant;

	/* A number that cannot be is told as that, later. */
	return group > UINT16_MAX || tenant_grants(tenant, netns, (uint16_t)group, &grant);
}

static bool is_netns_granted(const struct tenant *tenant, const char *netns, const uint32_t *groups,
			     size_t group_count)
{
	for (size_t i = 0; i < group_count; i++)
		if (is_granted(tenant, netns, groups[i]))
			return true;
	return group_count == 0 && tenant_grants_netns(tenant, netns);
}

static bool is_group_granted(const struct tenant *tenant, uint32_t group, char *const *netns,
			     size_t netns_count)
{
	for (size_t i = 0; i < netns_count; i++)
		if (is_granted(tenant, netns[i], group))
			return true;
	return netns_count == 0 && (group > UINT16_MAX || tenant_grants_group(tenant, group));
}

bool access_check(const struct tenant *tenant, char *const *netns, size_t netns_count,
		  const uint32_t *groups, size_t group_count, struct status *err)
{
	bool granted = true;

	for (size_t i = 0; granted && i < netns_count; i++)
		granted = is_netns_granted(tenant, netns[i], groups, group_count);
	for (size_t i = 0; granted && i < group_count; i++)
		granted = is_group_granted(tenant, groups[i], netns, netns_count);
	return granted || status_set(err, GRPC_STATUS_PERMISSION_DENIED, ACCESS_DENIED_TEXT);
}
