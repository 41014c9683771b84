/* SPDX-License-Identifier: MIT */
/*
 * accept.h - which texts a key takes
 *
 * Each returns NULL for a text that it takes, else what it expects instead, for a message. Texts
 * are not empty and have no control characters.
 */
#ifndef CONFIG_ACCEPT_H
#define CONFIG_ACCEPT_H

const char *accept_path(const char *text);
const char *accept_account(const char *text); /* a user or group of the system */
const char *accept_tenant(const char *text);
const char *accept_netns(const char *text);      /* a name, a glob or "host" */
const char *accept_netns_path(const char *text); /* a file, or a glob in its last component */
const char *accept_cert_uri(const char *text);   /* '*' in its path only */
const char *accept_cert_dns(const char *text);   /* '*' as its first label only */
const char *accept_cert_cn(const char *text);
const char *accept_sha256(const char *text);
const char *accept_endpoint(const char *text);

#endif
