/* SPDX-License-Identifier: MIT */
/*
 * A name under other rules. Both the seats it has and what is wanted of it now are in the order of
 * groups, so they are walked side by side, twice: first to make what is missing, which may fail, then
 * to do what cannot.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "intake.h"
#include "name.h"
#include "seat.h"

#define TEXT_DROPPED "no longer configured"

static uint16_t group_of(const struct seat *seat)
{
	return seat->wanted.options.group;
}

/* Seats for the wanted groups that the name has none for; all or none of them. */
static int make_missing(const struct name *name, const struct wanted *wanted, size_t count,
			struct seat **ret)
{
	size_t old = 0;

	for (size_t i = 0; i < count; i++) {
		while (old < name->count && group_of(name->seats[old]) < wanted[i].options.group)
			old++;
		if (old < name->count && group_of(name->seats[old]) == wanted[i].options.group)
			continue;
		ret[i] = seat_new(name, &wanted[i]);
		if (!ret[i]) {
			while (i-- > 0)
				free(ret[i]);
			return -ENOMEM;
		}
	}
	return 0;
}

/* No rule wants the group any more. */
static void drop(struct house *house, struct name *name, struct seat *seat, int64_t now_ns)
{
	if (seat->source) {
		bool was_open = seat->is_open;

		seat_leave(house, seat, TEXT_DROPPED, now_ns);
		if (was_open)
			intake_remove_feed(house->intake, name->space, seat->source, TEXT_DROPPED);
		seat_forget_source(seat);
	}
	seat_free(house, seat);
}

/* Each old seat finds its place among the new ones, or goes. */
static void keep_or_drop(struct house *house, struct name *name, const struct wanted *wanted,
			 struct seat **seats, size_t count, int64_t now_ns)
{
	size_t i = 0;

	for (size_t old = 0; old < name->count; old++) {
		struct seat *seat = name->seats[old];

		while (i < count && wanted[i].options.group < group_of(seat))
			i++;
		if (i < count && wanted[i].options.group == group_of(seat)) {
			seat_set(house, name, seat, &wanted[i]);
			seats[i] = seat;
		} else {
			drop(house, name, seat, now_ns);
		}
	}
}

int name_renew(struct house *house, struct name *name, bool is_named, int64_t now_ns)
{
	CLEANUP(freep) struct wanted *wanted = NULL;
	CLEANUP(freep) struct seat **seats = NULL;
	size_t count = 0;
	int r = rules_find(&house->rules, name->shown, &wanted, &count);

	if (r < 0)
		return r;
	seats = calloc(count + 1, sizeof(struct seat *));
	if (!seats)
		return -ENOMEM;
	r = make_missing(name, wanted, count, seats);
	if (r < 0)
		return r;
	keep_or_drop(house, name, wanted, seats, count, now_ns);
	free(name->seats);
	name->seats = TAKE_PTR(seats);
	name->count = count;
	name->is_named = is_named;
	for (size_t i = 0; i < count; i++)
		if (!name->seats[i]->is_open)
			seat_try_now(name->seats[i], now_ns);
	name_plan_retry(name);
	return 0;
}
