/* SPDX-License-Identifier: MIT */
/*
 * A policy is made in two steps: each identity becomes a claim in the table of its kind, then each
 * table is sorted and checked for claims of different tenants that one principal could meet. After
 * that nothing changes but the count of references.
 */
#include "policy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/filter.h>

#include "accounts.h"
#include "bytes.h"
#include "certificates.h"
#include "claims.h"
#include "cleanup.h"
#include "tokens.h"

struct policy {
	atomic_uint references;
	struct tenant *tenants; /* owned; in the order of names */
	size_t tenant_count;
	struct claims uids;
	struct claims gids;
	struct claims uris;
	struct claims dns;
	struct claims common_names;
	struct claims tokens;
	struct claims loopback;
};

/* --- tenants --------------------------------------------------------------------------------- */

static void spec_done(struct tenant_spec *spec)
{
	rules_done(&spec->rules);
	nfl_filter_free(spec->filter);
	spec->filter = NULL;
}

static void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->tenant_count; i++) {
		free(policy->tenants[i].name);
		rules_done(&policy->tenants[i].rules);
		nfl_filter_free(policy->tenants[i].filter);
	}
	free(policy->tenants);
	claims_done(&policy->uids);
	claims_done(&policy->gids);
	claims_done(&policy->uris);
	claims_done(&policy->dns);
	claims_done(&policy->common_names);
	claims_done(&policy->tokens);
	claims_done(&policy->loopback);
	free(policy);
}

static int compare_tenants(const void *a, const void *b)
{
	const struct tenant *left = a;
	const struct tenant *right = b;

	return strcmp(left->name, right->name);
}

/* Takes over all rules and filters, also where it fails: -ENOMEM. */
static int take_tenants(struct policy *policy, struct tenant_spec *specs, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		struct tenant *tenant = &policy->tenants[i];

		*tenant = (struct tenant){
		    .name = strdup(specs[i].name),
		    .admin = specs[i].admin,
		    .limits = specs[i].limits,
		    .rules = specs[i].rules,
		    .filter = TAKE_PTR(specs[i].filter),
		};
		specs[i].rules = (struct rules){0};
		rules_sort(&tenant->rules);
		if (!tenant->name)
			r = -ENOMEM;
	}
	policy->tenant_count = count;
	if (r == 0 && count > 1)
		qsort(policy->tenants, count, sizeof(struct tenant), compare_tenants);
	return r;
}

const struct tenant *policy_tenant_at(const struct policy *policy, size_t index)
{
	return index < policy->tenant_count ? &policy->tenants[index] : NULL;
}

const struct tenant *policy_tenant(const struct policy *policy, const char *name)
{
	size_t low = 0;
	size_t high = policy->tenant_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(policy->tenants[middle].name, name);

		if (order == 0)
			return &policy->tenants[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- claims ---------------------------------------------------------------------------------- */

static int claim_in(struct claims *claims, const struct tenant *tenant,
		    const struct identity_spec *spec)
{
	return claims_add(claims, tenant, spec) ? 0 : -ENOMEM;
}

static int claim_identity(struct policy *policy, struct accounts *accounts,
			  const struct tenant *tenant, const struct identity_spec *spec,
			  struct policy_problems *problems)
{
	switch (spec->kind) {
	case IDENTITY_UNIX_USER:
	case IDENTITY_UNIX_UID:
	case IDENTITY_UNIX_GROUP:
		return accounts_claim(accounts, tenant, spec, problems);
	case IDENTITY_CERT_URI:
		return claim_in(&policy->uris, tenant, spec);
	case IDENTITY_CERT_DNS:
		return claim_in(&policy->dns, tenant, spec);
	case IDENTITY_CERT_CN:
		return claim_in(&policy->common_names, tenant, spec);
	case IDENTITY_TOKEN_SHA256:
	case IDENTITY_TOKEN_SHA256_FILE:
		return tokens_claim(&policy->tokens, tenant, spec, problems);
	case IDENTITY_LOOPBACK:
		return claim_in(&policy->loopback, tenant, spec);
	}
	return -EINVAL;
}

static int claim_all(struct policy *policy, struct accounts *accounts,
		     const struct tenant_spec *specs, size_t count,
		     struct policy_problems *problems)
{
	int r = 0;

	for (size_t t = 0; t < count; t++) {
		const struct tenant *tenant = policy_tenant(policy, specs[t].name);

		for (size_t i = 0; r == 0 && i < specs[t].identity_count; i++)
			r = claim_identity(policy, accounts, tenant, &specs[t].identities[i],
					   problems);
	}
	return r;
}

static int check_all(struct policy *policy, struct accounts *accounts,
		     struct policy_problems *problems)
{
	int r = accounts_check(accounts, problems);

	claims_sort(&policy->tokens, claim_compare_sha256);
	claims_sort(&policy->common_names, claim_compare_text);
	claims_sort(&policy->loopback, claim_compare_id);
	if (r == 0)
		r = claims_check(&policy->tokens, claim_compare_sha256, "has the same token as",
				 problems);
	if (r == 0)
		r = claims_check(&policy->common_names, claim_compare_text, "is", problems);
	if (r == 0)
		r = claims_check(&policy->loopback, claim_compare_id, "is", problems);
	if (r == 0)
		r = uris_check(&policy->uris, problems);
	if (r == 0)
		r = dns_check(&policy->dns, problems);
	return r;
}

static int index_identities(struct policy *policy, const struct tenant_spec *specs, size_t count,
			    struct policy_problems *problems)
{
	CLEANUP(accounts_done) struct accounts accounts = {0};
	int r = claim_all(policy, &accounts, specs, count, problems);

	if (r == 0)
		r = check_all(policy, &accounts, problems);
	if (r < 0)
		return r;
	policy->uids = accounts.uids;
	policy->gids = accounts.gids;
	accounts.uids = (struct claims){0};
	accounts.gids = (struct claims){0};
	return problems_end(problems);
}

/* --- made ------------------------------------------------------------------------------------ */

static struct policy *make(size_t tenant_count)
{
	struct policy *policy = calloc(1, sizeof(struct policy));

	if (!policy)
		return NULL;
	policy->tenants = calloc(tenant_count ? tenant_count : 1, sizeof(struct tenant));
	if (!policy->tenants) {
		free(policy);
		return NULL;
	}
	atomic_init(&policy->references, 1);
	return policy;
}

static void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}

int policy_new(struct tenant_spec *specs, size_t count, struct policy **ret,
	       struct policy_problems *problems)
{
	CLEANUP(policy_freep) struct policy *policy = make(count);
	int r;

	*problems = (struct policy_problems){0};
	if (!policy) {
		for (size_t i = 0; i < count; i++)
			spec_done(&specs[i]);
		return -ENOMEM;
	}
	r = take_tenants(policy, specs, count);
	if (r == 0)
		r = index_identities(policy, specs, count, problems);
	if (r == 0)
		*ret = TAKE_PTR(policy);
	return r;
}

struct policy *policy_ref(struct policy *policy)
{
	/* Whoever gives a reference on has one, so nothing needs to be ordered. */
	atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
	return policy;
}

struct policy *policy_unref(struct policy *policy)
{
	/* What others did with it comes before it is freed. */
	if (policy && atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) == 1)
		policy_free(policy);
	return NULL;
}

/* --- who ------------------------------------------------------------------------------------- */

struct match {
	const struct tenant *tenant;
	bool is_two;
};

static void match_add(struct match *match, const struct tenant *tenant)
{
	if (!tenant)
		return;
	if (match->tenant && match->tenant != tenant)
		match->is_two = true;
	match->tenant = tenant;
}

static void match_claim(struct match *match, const struct claim *claim)
{
	match_add(match, claim ? claim->tenant : NULL);
}

static void match_account(struct match *match, const struct policy *policy,
			  const struct principal *principal)
{
	if (!principal->has_uid)
		return;
	match_claim(match, claims_find_id(&policy->uids, principal->uid));
	match_claim(match, claims_find_id(&policy->gids, principal->gid));
	for (size_t i = 0; i < principal->group_count; i++)
		match_claim(match, claims_find_id(&policy->gids, principal->groups[i]));
}

static void match_uris(struct match *match, const struct policy *policy,
		       const struct principal *principal)
{
	for (size_t i = 0; i < principal->uri_count; i++)
		match_add(match, uris_find(&policy->uris, principal->uris[i]));
}

static void match_dns(struct match *match, const struct policy *policy,
		      const struct principal *principal)
{
	for (size_t i = 0; i < principal->dns_count; i++)
		match_add(match, dns_find(&policy->dns, principal->dns[i]));
}

static void match_common_name(struct match *match, const struct policy *policy,
			      const struct principal *principal)
{
	if (principal->common_name && principal->uri_count == 0 && principal->dns_count == 0)
		match_claim(match, claims_find_text(&policy->common_names, principal->common_name));
}

static void match_loopback(struct match *match, const struct policy *policy,
			   const struct principal *principal)
{
	if (principal->is_loopback && policy->loopback.count > 0)
		match_add(match, policy->loopback.items[0].tenant);
}

static struct match match_principal(const struct policy *policy, const struct principal *principal)
{
	static void (*const kinds[])(struct match *, const struct policy *,
				     const struct principal *) = {
	    match_account, match_uris, match_dns, match_common_name, match_loopback};
	struct match match = {0};

	if (principal->has_token) {
		match_add(&match, tokens_find(&policy->tokens, principal->token_sha256));
		return match;
	}
	for (size_t i = 0; !match.tenant && i < ARRAY_SIZE(kinds); i++)
		kinds[i](&match, policy, principal);
	return match;
}

int policy_find(const struct policy *policy, const struct principal *principal,
		const struct tenant **ret)
{
	struct match match = match_principal(policy, principal);

	if (!match.tenant)
		return -ENOENT;
	if (match.is_two)
		return -EEXIST;
	*ret = match.tenant;
	return 0;
}
