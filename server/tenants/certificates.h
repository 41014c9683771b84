/* SPDX-License-Identifier: MIT */
/*
 * tenants/certificates.h - patterns of names in certificates: which names match, and which meet
 *
 * A '*' of a URI matches any run of bytes but '/', also an empty one. A '*' as the first label of a DNS
 * name matches one label. Two patterns meet when some name would match both.
 */
#ifndef TENANTS_CERTIFICATES_H
#define TENANTS_CERTIFICATES_H

struct claims;
struct policy_problems;
struct tenant;

/* Sorts and links a table of CERT_URI, and tells claims of different tenants that meet. 0 or -ENOMEM. */
int uris_check(struct claims *uris, struct policy_problems *problems);
/* Whose a URI is; NULL: nobody's. */
const struct tenant *uris_find(const struct claims *uris, const char *uri);

/* The same of CERT_DNS, whose texts are in lower case. */
int dns_check(struct claims *dns, struct policy_problems *problems);
const struct tenant *dns_find(const struct claims *dns, const char *name); /* in any case */

#endif
