/* SPDX-License-Identifier: MIT */
/*
 * tenants/accounts.h - users and groups of the system (NSS), as claims of uids and gids
 *
 * A user that is in a group proves both: where they are of different tenants it could be two, which is
 * an error as far as it can be seen now. Memberships may change later; policy_find() sees that.
 */
#ifndef TENANTS_ACCOUNTS_H
#define TENANTS_ACCOUNTS_H

#include "claims.h"

struct accounts {
	struct claims uids;
	struct claims gids;
	struct claims members; /* by name, of the groups of gids */
	char *buf;             /* owned; of getpwnam_r() and the like, kept to be used again */
	size_t cap;
};

void accounts_done(struct accounts *accounts);

/* Adds the claim of a UNIX_USER, UNIX_UID or UNIX_GROUP. 0 or -ENOMEM; one that does not exist is a
 * warning. */
int accounts_claim(struct accounts *accounts, const struct tenant *tenant,
		   const struct identity_spec *spec, struct policy_problems *problems);

/* Sorts uids and gids, and tells clashes. 0 or -ENOMEM. */
int accounts_check(struct accounts *accounts, struct policy_problems *problems);

#endif
