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
	const char *name; /* borrowed for policy_new() */
	bool admin;
	const struct identity_spec *identities; /* borrowed for policy_new() */
	size_t identity_count;
	struct rules rules;                /* taken over by policy_new(), also on failure */
	const struct nfl_filter *filter;   /* taken over the same; NULL: none */
	struct tenant_limits limits;
};

/* --- made ----------------------------------------------------------------------------------- */

struct tenant { /* const; lives as long as its policy */
	const char *name;
	bool admin; /* sees every source */
	struct tenant_limits limits;
	struct rules rules;
	const struct nfl_filter *filter; /* ANDed to every subscription; NULL: none */
};

/* What is wrong, or only doubtful, with identities: two tenants that one principal would be, a file of
 * a token that cannot be read, a user that does not exist. */
struct policy_problem {
	bool is_error; /* else a warning: the identity proves nothing until it exists */
	unsigned line;
	unsigned column;
	char text[512];
};

struct policy_problems {
	struct policy_problem *items; /* owned */
	size_t count;
};

void policy_problems_done(struct policy_problems *problems);

/**
 * policy_new - resolve identities, check that no principal can be two tenants, and index them
 * @problems: always set; also on success (warnings); policy_problems_done() ends it
 * Returns 0 with one reference in @ret, -EINVAL with at least one error, or -ENOMEM.
 */
int policy_new(struct tenant_spec *specs, size_t count, struct policy **ret,
	       struct policy_problems *problems);
struct policy *policy_ref(struct policy *policy);
struct policy *policy_unref(struct policy *policy); /* returns NULL */

/* NULL: no tenant of this name. Borrowed from the policy. */
const struct tenant *policy_tenant(const struct policy *policy, const char *name);

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
 * Order: the token alone, when there is one; the uid; the groups; the certificate (URI, DNS, then CN
 * only where it has neither); loopback. Tokens are compared in constant time, all of them.
 * @ret: borrowed from the policy
 * Returns 0, -ENOENT: nobody's, or -EEXIST: it would be two tenants (groups), so it is none.
 */
int policy_find(const struct policy *policy, const struct principal *principal,
		const struct tenant **ret);

/* --- what ------------------------------------------------------------------------------------- */

/* What a tenant may have of a source's packets, by its own entry and its limits. */
struct grant {
	bool payload;           /* false: none, nor what was decoded from it (copy: meta) */
	uint32_t payload_bytes; /* 0: all */
	bool conntrack;
};

/* Of an admin: true with everything. */
bool tenant_grants(const struct tenant *tenant, const char *netns, uint16_t group,
		   struct grant *ret);
/* May any group of a namespace of this name be the tenant's, whether it exists or not? */
bool tenant_grants_netns(const struct tenant *tenant, const char *netns);
/* The same of a group, in any namespace. */
bool tenant_grants_group(const struct tenant *tenant, uint32_t group);

#endif
