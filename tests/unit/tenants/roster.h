/* SPDX-License-Identifier: MIT */
/*
 * A configuration of tenants made line by line, and users and groups that need not exist: getpwnam_r()
 * and the like are replaced (--wrap) by the tables below. So are filters, which policies only hold.
 */
#ifndef TESTS_TENANTS_ROSTER_H
#define TESTS_TENANTS_ROSTER_H

#include "policy.h"

#define ROSTER_COLUMN 9 /* of every identity; its line is its number, from 1 */

struct roster {
	struct tenant_spec *specs;
	size_t count;
	struct policy *policy;
	struct policy_problems problems;
};

/* One more identity of a tenant; @text: a number for UNIX_UID. */
void roster_add(struct roster *roster, const char *tenant, enum identity_kind kind,
		const char *text);
struct tenant_spec *roster_tenant(struct roster *roster, const char *tenant);
int roster_load(struct roster *roster); /* as policy_new(); what was loaded before is forgotten */
void roster_done(struct roster *roster);

/* Loads what is expected to be good, without a word. */
void roster_load_good(struct roster *roster);
/* Loads what is expected to have one error, at this line, whose text has all of these in it; and
 * forgets all. */
#define roster_assert_error(roster, line, ...)                                                     \
	roster_assert_error_at(roster, line, (const char *const[]){__VA_ARGS__, NULL}, __FILE__,   \
			       __LINE__)
void roster_assert_error_at(struct roster *roster, unsigned line, const char *const *parts,
			    const char *file, int at);

/* Name of the tenant, or "nobody", or "two". */
const char *roster_find(const struct roster *roster, const struct principal *principal);

/* --- filters --------------------------------------------------------------------------------- */

extern size_t fake_filters; /* that exist */
struct nfl_filter *fake_filter_new(void);

/* --- users and groups ------------------------------------------------------------------------ */

struct fake_user {
	const char *name;
	uid_t uid;
	gid_t gid;
};

struct fake_group {
	const char *name;
	gid_t gid;
	const char *const *members; /* ended by NULL */
};

extern const struct fake_user *fake_users; /* both ended by one without a name */
extern const struct fake_group *fake_groups;
extern int fake_answer; /* not 0: of every question */

#endif
