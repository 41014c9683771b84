/* SPDX-License-Identifier: MIT */
/* Which texts a key takes: paths, names, hashes and endpoints. */
#include "accept.h"

#include <stdbool.h>
#include <string.h>

#include "value.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

#define SHA256_HEX_DIGITS 64

const char *accept_path(const char *text)
{
	return text[0] == '/' ? NULL : "an absolute path";
}

const char *accept_account(const char *text)
{
	/* Not what useradd(8) would allow, which differs by system: what no system can have. */
	return strpbrk(text, ":/ ,") ? "the name of a user or group" : NULL;
}

const char *accept_tenant(const char *text)
{
	/* Metrics, logs and subjects of brokers carry the name, without quotes. */
	if (text[strspn(text, LETTERS DIGITS "._-@")])
		return "letters, digits, '.', '_', '-' or '@'";
	return NULL;
}

const char *accept_netns(const char *text)
{
	if (strchr(text, '/'))
		return "a name without '/' (a file is { path: /... })";
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "a name other than '.' and '..'";
	/* Sources by process are shown like that: two with one name could not be told apart. */
	if (strncmp(text, "pid:", 4) == 0)
		return "a name that does not begin with 'pid:' (a process is { pid: N })";
	return NULL;
}

const char *accept_netns_path(const char *text)
{
	const char *last = strrchr(text, '/');

	if (text[0] != '/')
		return "an absolute path";
	if (strpbrk(text, "*?[") && strpbrk(text, "*?[") < last)
		return "a path with a glob in its last component only";
	return NULL;
}

const char *accept_cert_uri(const char *text)
{
	const char *star = strchr(text, '*');
	const char *authority = strstr(text, "://");
	const char *path = authority ? strchr(authority + strlen("://"), '/') : NULL;

	/* Further left it would be anybody's name who has a certificate for another authority. */
	if (star && (!path || star < path))
		return "a URI with '*' in its path only (such as spiffe://corp/red/*)";
	return NULL;
}

const char *accept_cert_dns(const char *text)
{
	const char *rest = strncmp(text, "*.", 2) == 0 ? text + 2 : text;

	if (!*rest || rest[strspn(rest, LETTERS DIGITS "._-")])
		return "a DNS name, with '*' as its first label only (such as *.red.example)";
	return NULL;
}

const char *accept_cert_cn(const char *text)
{
	return strchr(text, '*') ? "a common name without '*', which has no meaning here" : NULL;
}

const char *accept_sha256(const char *text)
{
	if (strlen(text) != SHA256_HEX_DIGITS || text[strspn(text, DIGITS "abcdefABCDEF")])
		return "64 hexadecimal digits";
	return NULL;
}

const char *accept_endpoint(const char *text)
{
	bool loopback;

	if (value_parse_endpoint(text, &loopback))
		return NULL;
	return "a numeric address and a port (such as 127.0.0.1:7443 or \"[::1]:7443\")";
}
