/* SPDX-License-Identifier: MIT */
/* What subscribe and forward ask a server for, by their options. */
#include <stdio.h>
#include <unistd.h>

#include "subscribe.h"
#include "when.h"

static void default_label(char label[SUBSCRIBE_LABEL_MAX + 1])
{
	char host[SUBSCRIBE_LABEL_MAX + 1] = "";

	(void)gethostname(host, sizeof(host) - 1); /* a cut or missing name is no harm */
	(void)snprintf(label, SUBSCRIBE_LABEL_MAX + 1, "nflogctl@%.*s", SUBSCRIBE_LABEL_MAX - 9,
		       host);
}

static uint32_t request_flags(const struct subscribe_settings *settings,
			      const struct nfl_client_subscribe_options *request)
{
	bool ends = settings->no_follow || settings->until.kind != WHEN_NONE;
	bool history = request->start != NFL_CLIENT_START_LIVE;

	return (settings->no_reconnect ? NFL_CLIENT_NO_RECONNECT : 0) |
	       (settings->strict_resume ? NFL_CLIENT_STRICT_RESUME : 0) |
	       (settings->wait ? NFL_CLIENT_WAIT_FOR_NETNS : 0) |
	       (history && ends ? NFL_CLIENT_NO_FOLLOW : 0);
}

/* A place that an earlier run has left comes before what the options say for the first run. */
static void set_start(const struct subscribe_settings *settings, const void *token, size_t len,
		      struct nfl_client_subscribe_options *request)
{
	if (token) {
		request->start = NFL_CLIENT_START_RESUME;
		request->resume_token = token;
		request->resume_token_len = len;
	} else if (settings->last) {
		request->start = NFL_CLIENT_START_LAST;
		request->start_last = settings->last;
	} else if (settings->all) {
		request->start = NFL_CLIENT_START_OLDEST;
	} else if (settings->since.kind == WHEN_AGO) {
		request->start = NFL_CLIENT_START_SINCE_AGO;
		request->start_ago_ns = settings->since.ns;
	} else if (settings->since.kind == WHEN_AT) {
		request->start = NFL_CLIENT_START_SINCE;
		request->start_time_ns = settings->since.ns;
	}
}

void subscribe_request(const struct subscribe_settings *settings, const void *token, size_t len,
		       int64_t now_ns, char label[SUBSCRIBE_LABEL_MAX + 1],
		       struct nfl_client_subscribe_options *request)
{
	*request = (struct nfl_client_subscribe_options){
	    .size = sizeof(*request),
	    .netns = settings->netns.items,
	    .netns_count = settings->netns.count,
	    .groups = settings->groups.items,
	    .group_count = settings->groups.count,
	    .view = settings->view,
	    .slow_policy = settings->slow_policy,
	    .max_packets = settings->count,
	    .payload_limit = settings->payload_bytes,
	    .heartbeat_ms = settings->heartbeat_ms,
	    .label = settings->label,
	    .max_lag_bytes = settings->max_lag_bytes,
	    .include = settings->filter.include.items,
	    .include_count = settings->filter.include.count,
	    .exclude = settings->filter.exclude.items,
	    .exclude_count = settings->filter.exclude.count,
	};
	if (settings->until.kind != WHEN_NONE)
		request->until_ns = when_at(&settings->until, now_ns);
	if (!settings->view)
		request->view = output_format(&settings->output)->view;
	if (settings->payload_bytes && !request->view)
		request->view = NFL_CLIENT_VIEW_FULL;
	set_start(settings, token, len, request);
	request->flags = request_flags(settings, request);
	if (!request->label) {
		default_label(label);
		request->label = label;
	}
}
