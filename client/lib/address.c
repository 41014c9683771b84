/* SPDX-License-Identifier: MIT */
/* Names of servers: checked here, so that a typing error is an error and not a DNS question. */
#include "address.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define HOST_MAX 253 /* of a DNS name */

const char *address_unix_path(const char *server)
{
	if (server[0] == '/')
		return server;
	if (strncmp(server, "unix:", 5) != 0)
		return NULL;
	server += 5;
	return strncmp(server, "///", 3) == 0 ? server + 2 : server;
}

/* Percent-encodes what has a meaning in a URI; gRPC decodes it again. */
static void append_encoded(char *target, const char *text, size_t len)
{
	char *end = target + strlen(target);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || strchr("/._-:", c))
			*end++ = (char)c;
		else
			end += sprintf(end, "%%%02X", (unsigned)c);
	}
	*end = '\0';
}

static int unix_target(const char *path, char *ret_target)
{
	size_t len = strlen(path);

	/* A relative path would depend on where the caller stands. */
	if (path[0] != '/' || len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -EINVAL;
	strcpy(ret_target, "unix:");
	append_encoded(ret_target, path, len);
	return 0;
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = strtoul(text, NULL, 10);

	return digits > 0 && digits <= 5 && text[digits] == '\0' && port > 0 && port <= 65535;
}

static bool is_host(const char *host, size_t len)
{
	bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';

	if (len == 0 || len > HOST_MAX || (bracketed ? host[1] : host[0]) == '-')
		return false;
	for (size_t i = bracketed; i < len - bracketed; i++) {
		unsigned char c = (unsigned char)host[i];

		if (!isalnum(c) && !strchr(bracketed ? ":.%" : ".-_", c))
			return false;
	}
	return true;
}

int address_to_target(const char *server, char ret_target[ADDRESS_TARGET_MAX])
{
	const char *path = address_unix_path(server);
	const char *colon = strrchr(server, ':');

	if (path)
		return unix_target(path, ret_target);
	if (!colon || !is_port(colon + 1) || !is_host(server, (size_t)(colon - server)))
		return -EINVAL;
	strcpy(ret_target, "dns:///");
	append_encoded(ret_target, server, strlen(server));
	return 0;
}
