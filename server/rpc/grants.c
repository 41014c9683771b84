/* SPDX-License-Identifier: MIT */
/*
 * Each follow is asked again. A stream that changes nothing for does not notice: no event, and the
 * same cursors.
 */
#include "grants.h"

#include <string.h>

#include "access.h"
#include "changes.h"
#include "cleanup.h"
#include "clock.h"
#include "events.h"
#include "policy.h"
#include "server.h"
#include "source.h"
#include "subscription.h"

static bool end(struct subscription *sub, grpc_status_code code, const char *text)
{
	sub->ending = true;
	status_set(&sub->end, code, "%s", text);
	return false;
}

/* Marks what was revoked, and cuts the others to what is granted now. */
static void ask_again(struct subscription *sub)
{
	sub->revoked_count = 0;
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];

		follow->revoked =
		    !access_cut(sub->call->access.tenant, follow->source, &follow->cut);
		sub->revoked_count += follow->revoked;
	}
}

static bool has_names(const struct subscription *sub)
{
	return sub->selection.netns_count > 0 || sub->selection.group_count > 0;
}

/* Also of names that do not exist yet, which the stream waits for. */
static bool is_selection_granted(const struct subscription *sub)
{
	const struct selection *selection = &sub->selection;
	struct status status;

	return access_check(sub->call->access.tenant, selection->netns, selection->netns_count,
			    selection->groups, selection->group_count, &status);
}

bool grants_renew(struct subscription *sub)
{
	size_t had = sub->follow_count;

	if (!access_is_stale(sub->call))
		return true;
	if (!access_renew(sub->call))
		return end(sub, GRPC_STATUS_PERMISSION_DENIED, ACCESS_REVOKED_TEXT);
	request_renew(&sub->terms, sub->call->access.tenant);
	if (sub->rate.per_second != sub->terms.packets_per_second)
		rate_init(&sub->rate, sub->terms.packets_per_second, sub->call->cq->now_ns);
	ask_again(sub);
	if (!is_selection_granted(sub) || (sub->revoked_count > 0 && has_names(sub)))
		return end(sub, GRPC_STATUS_PERMISSION_DENIED, ACCESS_REVOKED_TEXT);
	if (changes_join_granted(sub) < 0)
		return end(sub, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
	if (had > 0 && sub->revoked_count == sub->follow_count)
		return end(sub, GRPC_STATUS_PERMISSION_DENIED, ACCESS_REVOKED_TEXT);
	return true;
}

bool grants_step(struct subscription *sub)
{
	struct source_status gone = {.state = SOURCE_GONE, .since_ns = realtime_ns()};

	if (sub->revoked_count == 0)
		return false;
	(void)strcpy(gone.detail, ACCESS_REVOKED_TEXT);
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct follow *follow = sub->follows[i];

		if (!follow->revoked)
			continue;
		sub->revoked_count--;
		if (!events_send_source(sub, follow, &gone))
			subscription_end(sub, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
		changes_let_go(sub, follow);
		return true;
	}
	return false;
}
