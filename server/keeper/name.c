/* SPDX-License-Identifier: MIT */
/* What happens to a name: it waits, appears, is opened group by group, vanishes. */
#include "name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "seat.h"

#define TEXT_GONE "the namespace was deleted"

static bool is_due(const struct house *house, const struct seat *seat, int64_t now_ns)
{
	return !seat->is_open &&
	       (seat->retry_ns <= now_ns || (seat->is_double && house->has_freed));
}

static bool any_due(const struct house *house, const struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++)
		if (is_due(house, name->seats[i], now_ns))
			return true;
	return false;
}

void name_plan_retry(struct name *name)
{
	name->retry_ns = INT64_MAX;
	for (size_t i = 0; i < name->count && name->is_there; i++)
		if (!name->seats[i]->is_open && name->seats[i]->retry_ns < name->retry_ns)
			name->retry_ns = name->seats[i]->retry_ns;
}

void name_open(struct house *house, struct name *name, int64_t now_ns)
{
	if (!name->is_there || (name->retry_ns > now_ns && !house->has_freed) ||
	    !any_due(house, name, now_ns))
		return;
	for (size_t i = 0; i < name->count && !house->is_lost; i++)
		if (is_due(house, name->seats[i], now_ns))
			seat_open(house, name, name->seats[i], now_ns);
	name_plan_retry(name);
}

void name_find_dead(struct house *house, struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++)
		seat_find_dead(house, name->seats[i], now_ns);
	name_plan_retry(name);
}

int name_new(struct house *house, const char *shown, bool is_named, struct name **ret)
{
	struct name *name = calloc(1, sizeof(*name));
	int r = -ENOMEM;

	if (!name)
		return -ENOMEM;
	name->retry_ns = INT64_MAX;
	name->shown = strdup(shown);
	if (name->shown)
		r = name_renew(house, name, is_named, 0);
	if (r < 0) {
		free(name->shown);
		free(name);
		return r;
	}
	*ret = name;
	return 0;
}

void name_free(struct house *house, struct name *name)
{
	if (!name)
		return;
	for (size_t i = 0; i < name->count; i++)
		seat_free(house, name->seats[i]);
	free(name->seats);
	free(name->shown);
	free(name);
}

void name_wait(struct house *house, struct name *name)
{
	for (size_t i = 0; i < name->count; i++) {
		int r = seat_need_source(house, name->seats[i]);

		if (r < 0) /* there will be one when it appears */
			seat_log_failure(name->seats[i], "source.failed", strerrordesc_np(-r));
	}
}

void name_appear(struct name *name, uint64_t dev, uint64_t inode, int64_t now_ns)
{
	name->is_there = true;
	name->dev = dev;
	name->inode = inode;
	for (size_t i = 0; i < name->count; i++)
		seat_try_now(name->seats[i], now_ns);
	name_plan_retry(name);
}

void name_vanish(struct house *house, struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++) {
		if (seat_is_waiting(name->seats[i]))
			continue; /* nothing was ever read: it waits on */
		seat_leave(house, name->seats[i], TEXT_GONE, now_ns);
		seat_forget_source(name->seats[i]);
	}
	if (name->space)
		intake_remove_space(house->intake, name->space, TEXT_GONE);
	name->space = NULL;
	name->is_there = false;
	name->retry_ns = INT64_MAX;
	if (name->is_named)
		name_wait(house, name);
}
