/* SPDX-License-Identifier: MIT */
/*
 * From the sources of tenants to rules, one for each range of groups of each entry: of all tenants
 * together, which says what is read, and of each alone, which says what it may see.
 */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <nfl/filter.h>

#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "policy.h"
#include "wanted.h"

static enum nfl_profile profile_of(enum config_profile profile)
{
	switch (profile) {
	case CONFIG_PROFILE_BALANCED:
		return NFL_PROFILE_BALANCED;
	case CONFIG_PROFILE_ADAPTIVE:
		return NFL_PROFILE_ADAPTIVE;
	case CONFIG_PROFILE_LATENCY:
		return NFL_PROFILE_LATENCY;
	case CONFIG_PROFILE_THROUGHPUT:
		return NFL_PROFILE_THROUGHPUT;
	}
	return NFL_PROFILE_BALANCED;
}

static enum nfl_copy_mode copy_mode_of(enum config_copy copy)
{
	switch (copy) {
	case CONFIG_COPY_PACKET:
		return NFL_COPY_PACKET;
	case CONFIG_COPY_META:
		return NFL_COPY_META;
	case CONFIG_COPY_NONE:
		return NFL_COPY_NONE;
	}
	return NFL_COPY_PACKET;
}

static struct nfl_listener_options options_of(const struct config_source *entry)
{
	return (struct nfl_listener_options){
	    .size = sizeof(struct nfl_listener_options),
	    .set = (entry->has_qthresh ? NFL_SET_QTHRESH : 0) |
		   (entry->has_timeout ? NFL_SET_TIMEOUT : 0) |
		   (entry->has_nlbufsiz ? NFL_SET_NLBUFSIZ : 0) |
		   (entry->has_rcvbuf ? NFL_SET_RCVBUF : 0) | NFL_SET_COPY_RANGE,
	    .flags = NFL_FLAG_SEQ | (entry->conntrack ? NFL_FLAG_CONNTRACK : 0),
	    .profile = profile_of(entry->profile),
	    .copy_mode = copy_mode_of(entry->copy),
	    .copy_range = entry->copy_bytes,
	    .qthresh = entry->qthresh,
	    .timeout_ms = entry->timeout_ms,
	    .nlbufsiz = entry->nlbufsiz,
	    .rcvbuf = entry->rcvbuf,
	};
}

static enum presence_kind kind_of(enum config_netns_kind kind)
{
	switch (kind) {
	case CONFIG_NETNS_NAME:
		return PRESENCE_NAME;
	case CONFIG_NETNS_GLOB:
		return PRESENCE_NAME_GLOB;
	case CONFIG_NETNS_HOST:
		return PRESENCE_OWN;
	case CONFIG_NETNS_PATH:
		return PRESENCE_PATH;
	case CONFIG_NETNS_PATH_GLOB:
		return PRESENCE_PATH_GLOB;
	case CONFIG_NETNS_PID:
		return PRESENCE_PROCESS;
	}
	return PRESENCE_NAME;
}

static int add_entry(struct rules *rules, const struct config_source *entry,
		     const struct wanted *wanted)
{
	char pid_text[32];
	struct rule rule = {.kind = kind_of(entry->netns_kind), .wanted = *wanted};
	const char *text = entry->netns;
	int r = 0;

	if (rule.kind == PRESENCE_PROCESS) {
		(void)snprintf(pid_text, sizeof(pid_text), PRESENCE_PID "%d", (int)entry->pid);
		text = pid_text;
	}
	for (size_t i = 0; r == 0 && i < entry->group_count; i++) {
		rule.first = entry->groups[i].first;
		rule.last = entry->groups[i].last;
		r = rules_add(rules, text, &rule);
	}
	return r;
}

/* The rules of one tenant behind those that are there. */
static int add_tenant(struct rules *rules, const struct config_tenant *tenant,
		      struct history_account *account)
{
	int r = 0;

	for (size_t s = 0; r == 0 && s < tenant->source_count; s++) {
		struct wanted wanted = {
		    .options = options_of(&tenant->sources[s]),
		    .account = account,
		    .account_bytes =
			tenant->limits.history_bytes ? tenant->limits.history_bytes : UINT64_MAX,
		};

		r = add_entry(rules, &tenant->sources[s], &wanted);
	}
	return r;
}

int plan_make(const struct config *config, struct history_account *const *accounts,
	      struct rules *ret)
{
	CLEANUP(rules_done) struct rules rules = {0};
	int r = 0;

	for (size_t t = 0; r == 0 && t < config->tenant_count; t++)
		r = add_tenant(&rules, &config->tenants[t], accounts ? accounts[t] : NULL);
	if (r < 0)
		return r;
	rules_sort(&rules);
	*ret = rules;
	rules = (struct rules){0};
	return 0;
}

/* --- tenants ----------------------------------------------------------------------------- */

static enum identity_kind identity_kind_of(enum config_identity_kind kind)
{
	switch (kind) {
	case CONFIG_IDENTITY_UNIX_USER:
		return IDENTITY_UNIX_USER;
	case CONFIG_IDENTITY_UNIX_UID:
		return IDENTITY_UNIX_UID;
	case CONFIG_IDENTITY_UNIX_GROUP:
		return IDENTITY_UNIX_GROUP;
	case CONFIG_IDENTITY_CERT_URI:
		return IDENTITY_CERT_URI;
	case CONFIG_IDENTITY_CERT_DNS:
		return IDENTITY_CERT_DNS;
	case CONFIG_IDENTITY_CERT_CN:
		return IDENTITY_CERT_CN;
	case CONFIG_IDENTITY_TOKEN_SHA256:
		return IDENTITY_TOKEN_SHA256;
	case CONFIG_IDENTITY_TOKEN_SHA256_FILE:
		return IDENTITY_TOKEN_SHA256_FILE;
	case CONFIG_IDENTITY_LOOPBACK:
		return IDENTITY_LOOPBACK;
	}
	return IDENTITY_UNIX_USER;
}

static struct identity_spec identity_of(const struct config_identity *identity)
{
	return (struct identity_spec){
	    .kind = identity_kind_of(identity->kind),
	    .text = identity->text,
	    .uid = identity->uid,
	    .line = identity->mark.line,
	    .column = identity->mark.column,
	};
}

static struct tenant_limits limits_of(const struct config_limits *limits)
{
	return (struct tenant_limits){
	    .subscriptions = limits->subscriptions,
	    .packets_per_second = limits->packets_per_second,
	    .payload_bytes = limits->payload_bytes,
	    .filters = limits->filters,
	    .basic_view = limits->view == CONFIG_VIEW_BASIC,
	    .stall_timeout_ns = limits->stall_timeout_ms * NS_PER_MS,
	};
}

static int compile_filter(const struct config_filter *filter, struct nfl_filter **ret,
			  struct policy_problem *err)
{
	struct nfl_error error = {{0}};
	int r;

	if (filter->include_count == 0 && filter->exclude_count == 0)
		return 0;
	r = nfl_filter_new(filter->include, filter->include_count, filter->exclude,
			   filter->exclude_count, ret, &error);
	if (r == 0 || r == -ENOMEM)
		return r;
	*err = (struct policy_problem){
	    .is_error = true, .line = filter->mark.line, .column = filter->mark.column};
	(void)snprintf(err->text, sizeof(err->text), "filter: %s", error.text);
	return -EINVAL;
}

/* @identities: room for those of this tenant. What was made before a failure is left in @ret. */
static int plan_tenant(const struct config_tenant *tenant, struct identity_spec *identities,
		       struct tenant_spec *ret, struct policy_problem *err)
{
	int r;

	for (size_t i = 0; i < tenant->identity_count; i++)
		identities[i] = identity_of(&tenant->identities[i]);
	*ret = (struct tenant_spec){
	    .name = tenant->name,
	    .admin = tenant->admin,
	    .identities = identities,
	    .identity_count = tenant->identity_count,
	    .limits = limits_of(&tenant->limits),
	};
	r = add_tenant(&ret->rules, tenant, NULL);
	if (r < 0)
		return r;
	rules_sort(&ret->rules);
	return compile_filter(&tenant->filter, &ret->filter, err);
}

void plan_tenants_done(struct plan_tenants *plan)
{
	for (size_t t = 0; t < plan->count; t++) {
		rules_done(&plan->specs[t].rules);
		nfl_filter_free(plan->specs[t].filter);
	}
	free(plan->specs);
	free(plan->identities);
	*plan = (struct plan_tenants){0};
}

int plan_tenants(const struct config *config, struct plan_tenants *ret, struct policy_problem *err)
{
	CLEANUP(plan_tenants_done) struct plan_tenants plan = {0};
	struct identity_spec *identities;
	size_t count = 0;
	int r = 0;

	for (size_t t = 0; t < config->tenant_count; t++)
		count += config->tenants[t].identity_count;
	plan.specs = calloc(config->tenant_count, sizeof(*plan.specs));
	plan.identities = calloc(count, sizeof(*plan.identities));
	if (!plan.specs || !plan.identities)
		return -ENOMEM;
	identities = plan.identities;
	for (; r == 0 && plan.count < config->tenant_count; plan.count++) {
		const struct config_tenant *tenant = &config->tenants[plan.count];

		r = plan_tenant(tenant, identities, &plan.specs[plan.count], err);
		identities += tenant->identity_count;
	}
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct plan_tenants){0};
	return 0;
}
