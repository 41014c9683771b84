/* SPDX-License-Identifier: MIT */
/*
 * Users of groups are seen from both sides: getgrouplist() knows those of a configured user, its
 * primary group included; the members of a configured group may be anybody. Neither is complete for
 * users that are not configured: nobody can list whose primary group a group is.
 */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define ACCOUNT_MIN_BYTES ((size_t)1024)
#define ACCOUNT_MAX_BYTES ((size_t)16 << 20) /* of one entry: a group of a million members */
#define MEMBERSHIPS_MAX   65536              /* NGROUPS_MAX of the kernel */

void accounts_done(struct accounts *accounts)
{
	claims_done(&accounts->uids);
	claims_done(&accounts->gids);
	claims_done(&accounts->members);
	free(accounts->buf);
	*accounts = (struct accounts){0};
}

/* --- asking NSS ------------------------------------------------------------------------------ */

static int grow(struct accounts *accounts)
{
	size_t cap = accounts->cap ? 4 * accounts->cap : ACCOUNT_MIN_BYTES;
	char *buf;

	if (cap > ACCOUNT_MAX_BYTES)
		return -ERANGE;
	buf = realloc(accounts->buf, cap);
	if (!buf)
		return -ENOMEM;
	accounts->buf = buf;
	accounts->cap = cap;
	return 0;
}

/* After an answer of NSS: true to ask again with more room; else *@r is 0, -ENOENT, or -errno. */
static bool asks_again(struct accounts *accounts, int answer, const void *found, int *r)
{
	if (answer == EINTR)
		return true;
	if (answer == ERANGE) {
		*r = grow(accounts);
		return *r == 0;
	}
	/* Nobody agrees on how to say that there is none, see getpwnam(3). */
	if (answer == 0 || answer == ENOENT || answer == ESRCH)
		*r = found ? 0 : -ENOENT;
	else
		*r = -answer;
	return false;
}

/* By name, or by uid where @name is NULL. Valid until the next question. 0, -ENOENT, or -errno. */
static int find_user(struct accounts *accounts, const char *name, uid_t uid, struct passwd *ret)
{
	struct passwd *found = NULL;
	int r = accounts->cap ? 0 : grow(accounts);
	int answer;

	if (r < 0)
		return r;
	do {
		answer = name ? getpwnam_r(name, ret, accounts->buf, accounts->cap, &found)
			      : getpwuid_r(uid, ret, accounts->buf, accounts->cap, &found);
	} while (asks_again(accounts, answer, found, &r));
	return r;
}

static int find_group(struct accounts *accounts, const char *name, struct group *ret)
{
	struct group *found = NULL;
	int r = accounts->cap ? 0 : grow(accounts);
	int answer;

	if (r < 0)
		return r;
	do {
		answer = getgrnam_r(name, ret, accounts->buf, accounts->cap, &found);
	} while (asks_again(accounts, answer, found, &r));
	return r;
}

/* --- claims ---------------------------------------------------------------------------------- */

static int tell_missing(struct policy_problems *problems, const struct identity_spec *spec, int r)
{
	const char *what = spec->kind == IDENTITY_UNIX_GROUP ? "group" : "user";

	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		return problem_add(
		    problems, false, spec->line, spec->column,
		    "unix_%s: there is no %s %.64s: it proves nothing until there is "
		    "one and the configuration is loaded again",
		    what, what, spec->text);
	return problem_add(problems, false, spec->line, spec->column,
			   "unix_%s: cannot look up %.64s, which proves nothing now: %s", what,
			   spec->text, strerrordesc_np(-r));
}

static int claim_user(struct accounts *accounts, const struct tenant *tenant,
		      const struct identity_spec *spec, struct policy_problems *problems)
{
	struct claim *claim;
	struct passwd user;
	int r = find_user(accounts, spec->text, 0, &user);

	if (r < 0)
		return tell_missing(problems, spec, r);
	claim = claims_add(&accounts->uids, tenant, spec);
	if (!claim)
		return -ENOMEM;
	claim->id = user.pw_uid;
	return 0;
}

static int claim_group(struct accounts *accounts, const struct tenant *tenant,
		       const struct identity_spec *spec, struct policy_problems *problems)
{
	struct claim *claim;
	struct group group;
	int r = find_group(accounts, spec->text, &group);

	if (r < 0)
		return tell_missing(problems, spec, r);
	claim = claims_add(&accounts->gids, tenant, spec);
	if (!claim)
		return -ENOMEM;
	claim->id = group.gr_gid;
	for (char **name = group.gr_mem; *name; name++) {
		struct identity_spec member = *spec;

		member.text = *name;
		if (!claims_add(&accounts->members, tenant, &member))
			return -ENOMEM;
	}
	return 0;
}

int accounts_claim(struct accounts *accounts, const struct tenant *tenant,
		   const struct identity_spec *spec, struct policy_problems *problems)
{
	if (spec->kind == IDENTITY_UNIX_USER)
		return claim_user(accounts, tenant, spec, problems);
	if (spec->kind == IDENTITY_UNIX_GROUP)
		return claim_group(accounts, tenant, spec, problems);
	return claims_add(&accounts->uids, tenant, spec) ? 0 : -ENOMEM;
}

/* --- who is in which group ------------------------------------------------------------------- */

struct memberships {
	gid_t *gids; /* owned */
	int count;
};

static void memberships_done(struct memberships *memberships)
{
	free(memberships->gids);
}

static int find_memberships(const struct passwd *user, struct memberships *ret)
{
	int room = 64;

	for (;;) {
		gid_t *gids = reallocarray(ret->gids, (size_t)room, sizeof(gid_t));

		if (!gids)
			return -ENOMEM;
		ret->gids = gids;
		ret->count = room;
		if (getgrouplist(user->pw_name, user->pw_gid, gids, &ret->count) >= 0)
			return 0;
		if (ret->count <= room)
			return -ENOMEM; /* nothing is filled in then */
		if (ret->count > MEMBERSHIPS_MAX) {
			ret->count = 0; /* no process can have as many */
			return 0;
		}
		room = ret->count;
	}
}

static int check_user(struct accounts *accounts, const struct claim *claim,
		      struct policy_problems *problems)
{
	CLEANUP(memberships_done) struct memberships memberships = {0};
	const char *name = claim->kind == IDENTITY_UNIX_USER ? claim->text : NULL;
	struct passwd user;
	int r = find_user(accounts, name, claim->id, &user);

	if (r < 0)
		return r == -ENOMEM ? r : 0; /* a uid without a name is in no group that is known */
	r = find_memberships(&user, &memberships);
	for (int i = 0; r == 0 && i < memberships.count; i++) {
		const struct claim *group = claims_find_id(&accounts->gids, memberships.gids[i]);

		if (group && group->tenant != claim->tenant)
			r = problem_add_clash(problems, claim, "is in", group);
	}
	return r;
}

/* Of members by name: those that two tenants have. Each two groups are told once. */
static int check_members(const struct claims *members, struct policy_problems *problems)
{
	const struct claim *told = NULL;
	int r = 0;

	for (size_t i = 1; r == 0 && i < members->count; i++) {
		const struct claim *mine = &members->items[i];
		const struct claim *other = mine - 1;

		if (mine->tenant == other->tenant || claim_compare_text(mine, other) != 0)
			continue;
		if (told && claim_compare_places(told, mine) == 0 &&
		    claim_compare_places(told - 1, other) == 0)
			continue;
		told = mine;
		r = problem_add(problems, true, mine->line, mine->column,
				"identities: unix_group: its member %.64s is in another one, "
				"also tenant %.64s's at %u:%u",
				mine->text, other->tenant->name, other->line, other->column);
	}
	return r;
}

int accounts_check(struct accounts *accounts, struct policy_problems *problems)
{
	int r;

	claims_sort(&accounts->uids, claim_compare_id);
	claims_sort(&accounts->gids, claim_compare_id);
	claims_sort(&accounts->members, claim_compare_text);
	r = claims_check(&accounts->uids, claim_compare_id, "is", problems);
	if (r == 0)
		r = claims_check(&accounts->gids, claim_compare_id, "is", problems);
	if (r == 0)
		r = check_members(&accounts->members, problems);
	/* Asks for each user, so only where it matters. */
	for (size_t i = 0; r == 0 && accounts->gids.count > 0 && i < accounts->uids.count; i++)
		r = check_user(accounts, &accounts->uids.items[i], problems);
	return r;
}
