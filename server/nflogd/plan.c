/* SPDX-License-Identifier: MIT */
/*
 * From tenants with selectors and group ranges to a flat list of sockets to open.
 *
 * Every entry of every tenant is written out, one element for each (namespace, group); sorting
 * brings those of the same pair together, which are then merged.
 */
#include "plan.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config.h"

static void plan_donep(struct plan *plan)
{
	plan_done(plan);
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->sources[i].netns);
	free(plan->sources);
	*plan = (struct plan){0};
}

/* --- one entry --------------------------------------------------------------------------- */

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

static struct nfl_listener_options options_of(const struct config_source *entry, uint16_t group)
{
	return (struct nfl_listener_options){
	    .size = sizeof(struct nfl_listener_options),
	    .set = (entry->has_qthresh ? NFL_SET_QTHRESH : 0) |
		   (entry->has_timeout ? NFL_SET_TIMEOUT : 0) |
		   (entry->has_nlbufsiz ? NFL_SET_NLBUFSIZ : 0) |
		   (entry->has_rcvbuf ? NFL_SET_RCVBUF : 0) | NFL_SET_COPY_RANGE,
	    .flags = NFL_FLAG_SEQ | (entry->conntrack ? NFL_FLAG_CONNTRACK : 0),
	    .group = group,
	    .profile = profile_of(entry->profile),
	    .copy_mode = copy_mode_of(entry->copy),
	    .copy_range = entry->copy_bytes,
	    .qthresh = entry->qthresh,
	    .timeout_ms = entry->timeout_ms,
	    .nlbufsiz = entry->nlbufsiz,
	    .rcvbuf = entry->rcvbuf,
	};
}

/* --- the list ---------------------------------------------------------------------------- */

struct builder {
	struct plan plan;
	size_t cap;
	const char *netns_folder;
};

static int append(struct builder *b, const char *netns, const struct nfl_listener_options *options)
{
	struct plan_source *source;

	if (b->plan.count == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 64;
		struct plan_source *sources =
		    reallocarray(b->plan.sources, cap, sizeof(struct plan_source));

		if (!sources)
			return -ENOMEM;
		b->plan.sources = sources;
		b->cap = cap;
	}
	source = &b->plan.sources[b->plan.count];
	source->options = *options;
	source->netns = strdup(netns);
	if (!source->netns)
		return -ENOMEM;
	b->plan.count++;
	return 0;
}

/* All groups of an entry in one namespace, shown as @netns. */
static int append_groups(struct builder *b, const struct config_source *entry, const char *netns,
			 struct nfl_netns where)
{
	for (size_t i = 0; i < entry->group_count; i++) {
		for (uint32_t group = entry->groups[i].first; group <= entry->groups[i].last;
		     group++) {
			struct nfl_listener_options options = options_of(entry, (uint16_t)group);
			int r;

			options.netns = where;
			r = append(b, netns, &options);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int append_matches(struct builder *b, const struct config_source *entry,
			  const glob_t *matches)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < matches->gl_pathc; i++) {
		const char *name = strrchr(matches->gl_pathv[i], '/') + 1;

		/* A name that is shown like the host's namespace is never meant by a glob. */
		if (strcmp(name, PLAN_HOST) != 0)
			r = append_groups(b, entry, name,
					  (struct nfl_netns){.kind = NFL_NETNS_NAME});
	}
	return r;
}

static int append_glob(struct builder *b, const struct config_source *entry)
{
	CLEANUP(freep) char *pattern = NULL;
	CLEANUP(globfree) glob_t matches = {0};

	if (asprintf(&pattern, "%s/%s", b->netns_folder, entry->netns) < 0) {
		pattern = NULL;
		return -ENOMEM;
	}
	switch (glob(pattern, 0, NULL, &matches)) {
	case 0:
		return append_matches(b, entry, &matches);
	case GLOB_NOMATCH: /* also when there is no such folder */
		return 0;
	case GLOB_NOSPACE:
		return -ENOMEM;
	}
	return -EIO;
}

static int append_entry(struct builder *b, const struct config_source *entry)
{
	char pid_text[32];

	switch (entry->netns_kind) {
	case CONFIG_NETNS_NAME:
		return append_groups(b, entry, entry->netns,
				     (struct nfl_netns){.kind = NFL_NETNS_NAME});
	case CONFIG_NETNS_GLOB:
		return append_glob(b, entry);
	case CONFIG_NETNS_HOST:
		return append_groups(b, entry, PLAN_HOST,
				     (struct nfl_netns){.kind = NFL_NETNS_SELF});
	case CONFIG_NETNS_PATH:
		return append_groups(b, entry, entry->netns,
				     (struct nfl_netns){.kind = NFL_NETNS_PATH});
	case CONFIG_NETNS_PID:
		(void)snprintf(pid_text, sizeof(pid_text), "pid:%d", (int)entry->pid);
		return append_groups(b, entry, pid_text,
				     (struct nfl_netns){.kind = NFL_NETNS_PID, .pid = entry->pid});
	}
	return 0;
}

/* --- merging ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct plan_source *left = a;
	const struct plan_source *right = b;
	int order = strcmp(left->netns, right->netns);

	return order ? order : (int)left->options.group - (int)right->options.group;
}

/* What the profiles mean by themselves, from nfl/listener.h. */
static uint32_t qthresh_in_force(const struct nfl_listener_options *options)
{
	if (options->set & NFL_SET_QTHRESH)
		return options->qthresh ? options->qthresh : 1;
	return options->profile == NFL_PROFILE_LATENCY ? 1 : 4096;
}

static uint32_t timeout_in_force(const struct nfl_listener_options *options)
{
	if (options->set & NFL_SET_TIMEOUT)
		return options->timeout_ms;
	switch (options->profile) {
	case NFL_PROFILE_BALANCED:
		return 20;
	case NFL_PROFILE_LATENCY:
		return 0;
	case NFL_PROFILE_THROUGHPUT:
		return 100;
	}
	return 0;
}

static bool is_faster(const struct nfl_listener_options *a, const struct nfl_listener_options *b)
{
	if (timeout_in_force(a) != timeout_in_force(b))
		return timeout_in_force(a) < timeout_in_force(b);
	return qthresh_in_force(a) < qthresh_in_force(b);
}

/* PACKET is 0, then META, NONE: the smaller number copies more. Range 0 is the whole packet. */
static void merge_copy(struct nfl_listener_options *into, const struct nfl_listener_options *other)
{
	if (other->copy_mode < into->copy_mode) {
		into->copy_mode = other->copy_mode;
		into->copy_range = other->copy_range;
	} else if (other->copy_mode == into->copy_mode) {
		if (other->copy_range == 0 || into->copy_range == 0)
			into->copy_range = 0;
		else if (other->copy_range > into->copy_range)
			into->copy_range = other->copy_range;
	}
}

/* The faster one's profile, timeout and batch buffer, which belong together. */
static void merge_latency(struct nfl_listener_options *into,
			  const struct nfl_listener_options *other)
{
	const uint32_t faster_only = NFL_SET_TIMEOUT | NFL_SET_NLBUFSIZ | NFL_SET_QTHRESH;
	uint32_t qthresh = qthresh_in_force(into);

	if (qthresh_in_force(other) < qthresh)
		qthresh = qthresh_in_force(other);
	if (is_faster(other, into)) {
		into->profile = other->profile;
		into->set = (into->set & ~faster_only) | (other->set & faster_only);
		into->timeout_ms = other->timeout_ms;
		into->nlbufsiz = other->nlbufsiz;
		into->qthresh = other->qthresh;
	}
	if (qthresh < qthresh_in_force(into)) {
		into->set |= NFL_SET_QTHRESH;
		into->qthresh = qthresh;
	}
}

static uint32_t rcvbuf_in_force(const struct nfl_listener_options *options)
{
	return options->set & NFL_SET_RCVBUF ? options->rcvbuf : NFL_RCVBUF_DEFAULT;
}

static void merge(struct nfl_listener_options *into, const struct nfl_listener_options *other)
{
	merge_copy(into, other);
	merge_latency(into, other);
	into->flags |= other->flags;
	if (rcvbuf_in_force(other) > rcvbuf_in_force(into)) {
		into->set = (into->set & ~NFL_SET_RCVBUF) | (other->set & NFL_SET_RCVBUF);
		into->rcvbuf = other->rcvbuf;
	}
}

static void merge_all(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct plan_source *source = &plan->sources[i];

		if (kept > 0 && compare(&plan->sources[kept - 1], source) == 0) {
			merge(&plan->sources[kept - 1].options, &source->options);
			free(source->netns);
		} else {
			plan->sources[kept++] = *source;
		}
	}
	plan->count = kept;
}

int plan_make(const struct config *config, const char *netns_folder, struct plan *ret)
{
	CLEANUP(plan_donep) struct plan done = {0};
	struct builder b = {.netns_folder = netns_folder};
	int r = 0;

	for (size_t t = 0; r == 0 && t < config->tenant_count; t++)
		for (size_t s = 0; r == 0 && s < config->tenants[t].source_count; s++)
			r = append_entry(&b, &config->tenants[t].sources[s]);
	done = b.plan;
	if (r < 0)
		return r;
	if (done.count > 0)
		qsort(done.sources, done.count, sizeof(struct plan_source), compare);
	merge_all(&done);
	for (size_t i = 0; i < done.count; i++)
		done.sources[i].options.netns.name = done.sources[i].netns;
	*ret = done;
	done = (struct plan){0};
	return 0;
}
