/* SPDX-License-Identifier: MIT */
/* tenants/tokens.h - hashes of bearer tokens: read from the configuration and files, and compared */
#ifndef TENANTS_TOKENS_H
#define TENANTS_TOKENS_H

#include <stdint.h>

struct claims;
struct identity_spec;
struct policy_problems;
struct tenant;

/* Adds the claim of a TOKEN_SHA256, or those of a TOKEN_SHA256_FILE. 0 or -ENOMEM; what is wrong with a
 * file is a problem. */
int tokens_claim(struct claims *tokens, const struct tenant *tenant,
		 const struct identity_spec *spec, struct policy_problems *problems);

/* Whose a hash is, in constant time for the same number of tokens; NULL: nobody's. */
const struct tenant *tokens_find(const struct claims *tokens, const uint8_t *sha256);

#endif
