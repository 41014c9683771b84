/* SPDX-License-Identifier: MIT */
/*
 * What a tenant may see, asked for each source of each stream and for names that clients send. The
 * names are bounded before they are compared: matching a glob costs more than the length of a name.
 */
#include <limits.h>
#include <string.h>

#include "policy.h"

/* 0 is no limit. */
static uint32_t lower_limit(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

bool tenant_grants(const struct tenant *tenant, const char *netns, uint16_t group,
		   struct grant *ret)
{
	struct wanted own;

	if (tenant->admin) {
		*ret = (struct grant){.payload = true,
				      .payload_bytes = tenant->limits.payload_bytes,
				      .conntrack = true};
		return true;
	}
	if (!rules_get(&tenant->rules, netns, group, &own))
		return false;
	*ret = (struct grant){
	    .payload = own.options.copy_mode == NFL_COPY_PACKET,
	    .payload_bytes = lower_limit(own.options.copy_range, tenant->limits.payload_bytes),
	    .conntrack = own.options.flags & NFL_FLAG_CONNTRACK,
	};
	return true;
}

/* Can a namespace be shown like that? A name is a file's, or a path. */
static bool is_possible(const char *netns)
{
	return strnlen(netns, PATH_MAX) < (netns[0] == '/' ? PATH_MAX : NAME_MAX + 1);
}

bool tenant_grants_netns(const struct tenant *tenant, const char *netns)
{
	return tenant->admin || (is_possible(netns) && rules_meet(&tenant->rules, netns));
}

bool tenant_grants_group(const struct tenant *tenant, uint32_t group)
{
	bool is_granted = tenant->admin;

	for (size_t i = 0; !is_granted && i < tenant->rules.count; i++) {
		const struct rule *rule = &tenant->rules.items[i];

		is_granted = group >= rule->first && group <= rule->last;
	}
	return is_granted;
}
