/* SPDX-License-Identifier: MIT */
/*
 * gRPC takes endpoints and the settings of its transport only before it starts, and a log's size is
 * part of it from its beginning.
 */
#include "later.h"

#include <stdbool.h>
#include <string.h>

#include "config.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_listen(const struct config_listen *a, const struct config_listen *b)
{
	return same_text(a->unix_path, b->unix_path) && a->mode == b->mode &&
	       same_text(a->group, b->group) && same_text(a->tcp, b->tcp) &&
	       a->tls.given == b->tls.given && same_text(a->tls.certificate, b->tls.certificate) &&
	       same_text(a->tls.private_key, b->tls.private_key) &&
	       same_text(a->tls.client_ca, b->tls.client_ca);
}

static bool same_listens(const struct config *a, const struct config *b)
{
	if (a->listen_count != b->listen_count)
		return false;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!same_listen(&a->listens[i], &b->listens[i]))
			return false;
	return true;
}

static bool same_limits(const struct config_server_limits *a, const struct config_server_limits *b)
{
	return a->connections == b->connections &&
	       a->connections_per_user == b->connections_per_user &&
	       a->streams_per_connection == b->streams_per_connection &&
	       a->anonymous_calls == b->anonymous_calls && a->request_bytes == b->request_bytes &&
	       a->header_bytes == b->header_bytes &&
	       a->receive_bytes_per_second == b->receive_bytes_per_second &&
	       a->handshake_timeout_ms == b->handshake_timeout_ms &&
	       a->idle_timeout_ms == b->idle_timeout_ms;
}

size_t later_find(const struct config *now, const struct config *next, const char *ret[LATER_KEYS])
{
	size_t count = 0;

	if (!same_listens(now, next))
		ret[count++] = "listen";
	if (!same_text(now->metrics_listen, next->metrics_listen) ||
	    now->metrics_remote != next->metrics_remote)
		ret[count++] = "metrics";
	if (now->history.bytes_per_source != next->history.bytes_per_source)
		ret[count++] = "history.bytes_per_source";
	if (!same_limits(&now->limits, &next->limits))
		ret[count++] = "limits";
	return count;
}
