/* SPDX-License-Identifier: MIT */
#include "roster.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/filter.h>

/* --- the configuration ----------------------------------------------------------------------- */

struct tenant_spec *roster_tenant(struct roster *roster, const char *tenant)
{
	for (size_t i = 0; i < roster->count; i++) {
		if (strcmp(roster->specs[i].name, tenant) == 0)
			return &roster->specs[i];
	}
	roster->specs = reallocarray(roster->specs, roster->count + 1, sizeof(struct tenant_spec));
	assert_non_null(roster->specs);
	roster->specs[roster->count] = (struct tenant_spec){.name = strdup(tenant)};
	return &roster->specs[roster->count++];
}

static unsigned lines_of(const struct roster *roster)
{
	size_t lines = 0;

	for (size_t i = 0; i < roster->count; i++)
		lines += roster->specs[i].identity_count;
	return (unsigned)lines;
}

void roster_add(struct roster *roster, const char *tenant, enum identity_kind kind,
		const char *text)
{
	unsigned line = lines_of(roster) + 1;
	struct tenant_spec *spec = roster_tenant(roster, tenant);
	size_t count = spec->identity_count;
	struct identity_spec *items = calloc(count + 1, sizeof(*items));

	assert_non_null(items);
	if (count > 0)
		memcpy(items, spec->identities, count * sizeof(*items));
	free((void *)(uintptr_t)spec->identities);
	items[count] = (struct identity_spec){.kind = kind, .line = line, .column = ROSTER_COLUMN};
	if (kind == IDENTITY_UNIX_UID)
		items[count].uid = (uint32_t)strtoul(text, NULL, 10);
	else if (kind != IDENTITY_LOOPBACK)
		items[count].text = strdup(text);
	spec->identities = items;
	spec->identity_count = count + 1;
}

static void forget(struct roster *roster)
{
	roster->policy = policy_unref(roster->policy);
	policy_problems_done(&roster->problems);
}

int roster_load(struct roster *roster)
{
	forget(roster);
	return policy_new(roster->specs, roster->count, &roster->policy, &roster->problems);
}

void roster_done(struct roster *roster)
{
	forget(roster);
	for (size_t t = 0; t < roster->count; t++) {
		for (size_t i = 0; i < roster->specs[t].identity_count; i++)
			free((void *)(uintptr_t)roster->specs[t].identities[i].text);
		free((void *)(uintptr_t)roster->specs[t].identities);
		free((void *)(uintptr_t)roster->specs[t].name);
	}
	free(roster->specs);
	*roster = (struct roster){0};
}

void roster_load_good(struct roster *roster)
{
	int r = roster_load(roster);

	for (size_t i = 0; i < roster->problems.count; i++)
		print_error("%u: %s\n", roster->problems.items[i].line,
			    roster->problems.items[i].text);
	assert_int_equal(r, 0);
	assert_int_equal(roster->problems.count, 0);
}

void roster_assert_error_at(struct roster *roster, unsigned line, const char *const *parts,
			    const char *file, int at)
{
	const struct policy_problem *problem;
	bool is_good = roster_load(roster) == -EINVAL && roster->problems.count == 1;

	for (size_t i = 0; i < roster->problems.count; i++) {
		problem = &roster->problems.items[i];
		is_good &=
		    problem->is_error && problem->line == line && problem->column == ROSTER_COLUMN;
		for (size_t part = 0; parts[part]; part++)
			is_good &= strstr(problem->text, parts[part]) != NULL;
		if (!is_good)
			print_error("%u: %s\n", problem->line, problem->text);
	}
	_assert_true(is_good, "the error that was expected", file, at);
	assert_null(roster->policy);
	roster_done(roster);
}

const char *roster_find(const struct roster *roster, const struct principal *principal)
{
	const struct tenant *tenant = NULL;
	int r = policy_find(roster->policy, principal, &tenant);

	if (r == 0)
		return tenant->name;
	assert_null(tenant);
	assert_true(r == -ENOENT || r == -EEXIST);
	return r == -ENOENT ? "nobody" : "two";
}

/* --- filters --------------------------------------------------------------------------------- */

struct nfl_filter {
	size_t unused;
};

size_t fake_filters;

struct nfl_filter *fake_filter_new(void)
{
	struct nfl_filter *filter = calloc(1, sizeof(*filter));

	assert_non_null(filter);
	fake_filters++;
	return filter;
}

/* In place of that of libnfl. */
void nfl_filter_free(struct nfl_filter *filter)
{
	fake_filters -= filter != NULL;
	free(filter);
}

/* --- users and groups ------------------------------------------------------------------------ */

const struct fake_user *fake_users;
const struct fake_group *fake_groups;
int fake_answer;

int __wrap_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t cap,
		      struct passwd **found);
int __wrap_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t cap, struct passwd **found);
int __wrap_getgrnam_r(const char *name, struct group *ret, char *buf, size_t cap,
		      struct group **found);
int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);

static int answer_user(const struct fake_user *user, struct passwd *ret, char *buf, size_t cap,
		       struct passwd **found)
{
	*found = NULL;
	if (fake_answer || !user || !user->name)
		return fake_answer;
	if (strlen(user->name) >= cap)
		return ERANGE;
	*ret = (struct passwd){
	    .pw_name = strcpy(buf, user->name), .pw_uid = user->uid, .pw_gid = user->gid};
	*found = ret;
	return 0;
}

int __wrap_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t cap,
		      struct passwd **found)
{
	const struct fake_user *user = fake_users;

	while (user && user->name && strcmp(user->name, name) != 0)
		user++;
	return answer_user(user, ret, buf, cap, found);
}

int __wrap_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t cap, struct passwd **found)
{
	const struct fake_user *user = fake_users;

	while (user && user->name && user->uid != uid)
		user++;
	return answer_user(user, ret, buf, cap, found);
}

static size_t count_members(const struct fake_group *group)
{
	size_t count = 0;

	while (group->members && group->members[count])
		count++;
	return count;
}

/* Like the real one the list of members is in @buf, so a large group asks for a larger one. */
int __wrap_getgrnam_r(const char *name, struct group *ret, char *buf, size_t cap,
		      struct group **found)
{
	const struct fake_group *group = fake_groups;
	const char *const no_more = NULL;
	size_t count;

	*found = NULL;
	while (group && group->name && strcmp(group->name, name) != 0)
		group++;
	if (fake_answer || !group || !group->name)
		return fake_answer;
	count = count_members(group);
	if ((count + 1) * sizeof(char *) > cap)
		return ERANGE;
	if (count > 0)
		memcpy(buf, group->members, count * sizeof(char *));
	memcpy(buf + count * sizeof(char *), &no_more, sizeof(no_more));
	*ret = (struct group){.gr_gid = group->gid, .gr_mem = (char **)(void *)buf};
	*found = ret;
	return 0;
}

static bool is_member(const struct fake_group *group, const char *user)
{
	for (size_t i = 0; group->members && group->members[i]; i++) {
		if (strcmp(group->members[i], user) == 0)
			return true;
	}
	return false;
}

int __wrap_getgrouplist(const char *user, gid_t primary, gid_t *groups, int *count)
{
	int room = *count;
	int found = 0;

	if (found++ < room)
		groups[0] = primary;
	for (const struct fake_group *group = fake_groups; group && group->name; group++) {
		if (!is_member(group, user))
			continue;
		if (found < room)
			groups[found] = group->gid;
		found++;
	}
	*count = found;
	return found <= room ? found : -1;
}
