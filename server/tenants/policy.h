/* SPDX-License-Identifier: MIT */
/*
 * tenants/policy.h - who is which tenant, and what a tenant may see
 *
 * A policy is one configuration's answer, immutable once made and shared (counted): a reload makes
 * another, and whoever holds the old one lets go of it. Knows neither YAML nor gRPC.
 *
 * Threads: any, after policy_new(). What asks the system for users and groups (NSS) is policy_new().
 */
#ifndef TENANTS_POLICY_H
#define TENANTS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wanted.h"

#define POLICY_SHA256_BYTES 32

struct nfl_filter;
struct policy;

/* --- what it is made of -------------------------------------------------------------------- */

/* In the order of enum config_identity_kind. */
enum identity_kind {
	IDENTITY_UNIX_USER,
	IDENTITY_UNIX_UID,
	IDENTITY_UNIX_GROUP,
	IDENTITY_CERT_URI, /* '*' matches within one path segment */
	IDENTITY_CERT_DNS,
	IDENTITY_CERT_CN,
	IDENTITY_TOKEN_SHA256,
	IDENTITY_TOKEN_SHA256_FILE,
	IDENTITY_LOOPBACK, /* whoever connects to a plaintext TCP endpoint, which is loopback only */
};

struct identity_spec {
	enum identity_kind kind;
	const char *text; /* borrowed for policy_new(); all but UNIX_UID and LOOPBACK */
	uint32_t uid;     /* UNIX_UID */
	unsigned line;    /* of the configuration, for messages */
	unsigned column;
};

struct tenant_limits {
	uint32_t subscriptions;      /* of the tenant at the same time */
	uint64_t packets_per_second; /* of each subscription; 0: no limit */
	uint32_t payload_bytes;      /* 0: no limit */
	uint32_t filters;            /* include and exclude together, of one request */
	bool basic_view;             /* no payload: every view is BASIC */
	int64_t stall_timeout_ns;
};

struct tenant_spec {
	const char *name; /* borrowed for policy_new(); no two are equal */
	bool admin;
	const struct identity_spec *identities; /* borrowed for policy_new() */
	size_t identity_count;
	struct rules rules;        /* taken over by policy_new(), also on failure */
	struct nfl_filter *filter; /* taken over the same; NULL: none */
	struct tenant_limits limits;
};

/* --- made ----------------------------------------------------------------------------------- */

struct tenant {     /* const; lives as long as its policy */
	char *name; /* owned, as all here */
	bool admin; /* sees every source */
	struct tenant_limits limits;
	struct rules rules;
	struct nfl_filter *filter; /* ANDed to every subscription; NULL: none */
};

/* What is wrong, or only doubtful, with identities: two tenants that one principal would be, a file of
 * a token that cannot be read, a user that does not exist. */
struct policy_problem {
	bool is_error; /* else a warning: the identity proves nothing until it exists */
	unsigned line;
	unsigned column;
	char text[512];
};

#define POLICY_PROBLEMS_MAX 100 /* errors, and as many warnings; further ones are counted only */

struct policy_problems {
	struct policy_problem *items; /* owned; in the order of the configuration */
	size_t count;
	size_t more; /* beyond POLICY_PROBLEMS_MAX */
};

void policy_problems_done(struct policy_problems *problems);

/**
 * policy_new - resolve identities, check that no principal can be two tenants, and index them
 * @specs: on return their rules and filters are empty; the rest is as it was
 * @problems: always set; also on success (warnings); policy_problems_done() ends it
 *
 * Two tenants clash where one uid, gid or token (also of a file) is both's, where some name could match
 * certificate patterns of both, where a user of one is in a group of the other, and where groups of both
 * have a member in common. The text of the error names the other place: "..., also tenant blue's at 12:9".
 * Returns 0 with one reference in @ret, -EINVAL with at least one error, or -ENOMEM.
 */
int policy_new(struct tenant_spec *specs, size_t count, struct policy **ret,
	       struct policy_problems *problems);
struct policy *policy_ref(struct policy *policy);
struct policy *policy_unref(struct policy *policy); /* returns NULL */

/* NULL: no tenant of this name. Borrowed from the policy. */
const struct tenant *policy_tenant(const struct policy *policy, const char *name);

/* By name, from 0; NULL: there is none any more. Borrowed from the policy. */
const struct tenant *policy_tenant_at(const struct policy *policy, size_t index);

/* --- who -------------------------------------------------------------------------------------- */

/* What a peer has proved. Whatever is not known is 0 or NULL. */
struct principal {
	bool has_uid; /* of the unix socket: uid, gid and groups */
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary, SO_PEERGROUPS */
	size_t group_count;
	const char *const *uris; /* of the verified certificate's SAN */
	size_t uri_count;
	const char *const *dns;
	size_t dns_count;
	const char *common_name;
	bool has_token; /* a bearer token was sent: it alone decides, also where it is wrong */
	uint8_t token_sha256[POLICY_SHA256_BYTES];
	bool is_loopback; /* came by plaintext TCP */
};

/**
 * policy_find - which tenant a principal is
 *
 * What proves most decides, and the first kind that is anybody's:
 * 1. a token alone, where one was sent, also a wrong one. It was sent to be that tenant, so who else the
 *    connection's owner is must not give it more. All are compared, in constant time.
 * 2. uid and groups together. None of the two is closer to what was meant, and memberships change after
 *    the configuration was checked: where they are of two tenants it is none.
 * 3. a certificate's URIs, else its DNS names, else, where it has none of either, its common name. A
 *    common name is free text to many authorities (RFC 6125, 6.4.4), so it never adds to the others.
 * 4. loopback, which proves only that it is this host.
 *
 * @ret: borrowed from the policy
 * Returns 0, -ENOENT: nobody's, or -EEXIST: it would be two tenants, so it is none.
 */
int policy_find(const struct policy *policy, const struct principal *principal,
		const struct tenant **ret);

/* --- what ------------------------------------------------------------------------------------- */

/* What a tenant may have of a source's packets, by its own entry and its limits. */
struct grant {
	bool payload;           /* false: none, nor what was decoded from it (copy: meta) */
	uint32_t payload_bytes; /* 0: all of it. Not affected by basic_view, which is about views */
	bool conntrack;
};

/* Several entries of the tenant that name the source give the most of each. Of an admin: true with
 * everything, but for its limits. Allocates nothing. False: @ret is untouched. */
bool tenant_grants(const struct tenant *tenant, const char *netns, uint16_t group,
		   struct grant *ret);
/* May any group of a namespace of this name be the tenant's, whether it exists or not? */
bool tenant_grants_netns(const struct tenant *tenant, const char *netns);
/* The same of a group, in any namespace. */
bool tenant_grants_group(const struct tenant *tenant, uint32_t group);

#endif
