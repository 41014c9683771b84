/* SPDX-License-Identifier: MIT */
/* From the sources of tenants to rules: one for each range of groups of each entry. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "config.h"
#include "wanted.h"

static enum nfl_profile profile_of(enum config_profile profile)
{
	switch (profile) {
	case CONFIG_PROFILE_BALANCED:
	case CONFIG_PROFILE_ADAPTIVE: /* not yet told apart; main warns */
		return NFL_PROFILE_BALANCED;
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

int plan_make(const struct config *config, struct history_account *const *accounts,
	      struct rules *ret)
{
	CLEANUP(rules_done) struct rules rules = {0};
	int r = 0;

	for (size_t t = 0; t < config->tenant_count; t++) {
		const struct config_tenant *tenant = &config->tenants[t];

		for (size_t s = 0; r == 0 && s < tenant->source_count; s++) {
			struct wanted wanted = {
			    .options = options_of(&tenant->sources[s]),
			    .account = accounts ? accounts[t] : NULL,
			    .account_bytes = tenant->limits.history_bytes,
			};

			r = add_entry(&rules, &tenant->sources[s], &wanted);
		}
	}
	if (r < 0)
		return r;
	rules_sort(&rules);
	*ret = rules;
	rules = (struct rules){0};
	return 0;
}
