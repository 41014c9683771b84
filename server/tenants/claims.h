/* SPDX-License-Identifier: MIT */
/*
 * tenants/claims.h - which tenant is proved by what: one claim for each identity, in sorted tables
 *
 * Claims remember where they were written, so that two that clash can both be named. Room-private.
 */
#ifndef TENANTS_CLAIMS_H
#define TENANTS_CLAIMS_H

#include "policy.h"

#define NO_CLAIM SIZE_MAX

/* Which fields are set is up to the kind, and by them it is sorted. */
struct claim {
	const struct tenant *tenant; /* borrowed */
	enum identity_kind kind;
	unsigned line; /* of the configuration */
	unsigned column;
	char *text;  /* owned; as written, NULL for UNIX_UID and LOOPBACK */
	uint32_t id; /* uid or gid */
	uint8_t sha256[POLICY_SHA256_BYTES];
	/* CERT_URI: */
	size_t len;     /* of text */
	size_t literal; /* bytes before the first '*' */
	size_t tail;    /* bytes behind the last '*' */
	size_t parent;  /* the next shorter one that begins it, or NO_CLAIM */
};

struct claims {
	struct claim *items; /* owned */
	size_t count;
	size_t cap;
};

typedef int claim_compare_fn(const struct claim *a, const struct claim *b);

/* A claim of this tenant by this identity, to be filled further; NULL without memory. Valid until the
 * next one is added. */
struct claim *claims_add(struct claims *claims, const struct tenant *tenant,
			 const struct identity_spec *spec);
void claims_done(struct claims *claims);

int claim_compare_id(const struct claim *a, const struct claim *b);
int claim_compare_text(const struct claim *a, const struct claim *b);
int claim_compare_sha256(const struct claim *a, const struct claim *b);
int claim_compare_places(const struct claim *a, const struct claim *b);

/* Equal ones in the order of the configuration. */
void claims_sort(struct claims *claims, claim_compare_fn *compare);

/* How many claims come before a key, in a table sorted like that: for which @compare is below 0. */
size_t claims_before(const struct claims *claims, const void *key,
		     int (*compare)(const struct claim *claim, const void *key));
/* The first one that is equal, in a table sorted by ids or by texts; NULL: none. */
const struct claim *claims_find_id(const struct claims *claims, uint32_t id);
const struct claim *claims_find_text(const struct claims *claims, const char *text);

/* --- what is wrong --------------------------------------------------------------------------- */

/* These return 0 or -ENOMEM. Beyond POLICY_PROBLEMS_MAX of either kind they are counted only. */
int problem_add(struct policy_problems *problems, bool is_error, unsigned line, unsigned column,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* An error at @mine: "MINE @relation OTHER, also tenant T's at LINE:COLUMN". */
int problem_add_clash(struct policy_problems *problems, const struct claim *mine,
		      const char *relation, const struct claim *other);

/* Brings them into the order of the configuration. -EINVAL when any is an error, else 0. */
int problems_end(struct policy_problems *problems);

/* Tells the neighbours of a sorted table that are equal and of different tenants. 0 or -ENOMEM. */
int claims_check(const struct claims *claims, claim_compare_fn *compare, const char *relation,
		 struct policy_problems *problems);

#endif
