/* SPDX-License-Identifier: MIT */
/*
 * What a call proves. Three kinds of connection are told apart: TLS by gRPC's auth context, the unix
 * socket by the table of peers, and what is neither is plaintext TCP.
 */
#include "identify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>

#include "bearer.h"
#include "call.h"
#include "cleanup.h"
#include "endpoint.h"
#include "peers.h"
#include "policy.h"
#include "server.h"

#define NAMES_MAX   32 /* of a kind in one certificate */
#define ADDRESS_MAX 128

struct identity {
	struct principal principal;
	gid_t *groups;              /* owned */
	grpc_auth_context *context; /* owned, gRPC's; the names are borrowed from it */
	const char *uris[NAMES_MAX];
	const char *dns[NAMES_MAX];
	char text[IDENTITY_TEXT_MAX];
};

static void free_core_name(char **name)
{
	gpr_free(*name);
}

static void identity_freep(struct identity **identity)
{
	identity_free(*identity);
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	if (identity->context)
		grpc_auth_context_release(identity->context);
	free(identity->groups);
	free(identity);
}

/* Names are the peer's own words, and the text goes to logs and into messages: ASCII it is. */
static void set_text(struct identity *identity, const char *kind, const char *name)
{
	(void)snprintf(identity->text, sizeof(identity->text), "%s%s", kind, name);
	for (char *c = identity->text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* gRPC's name of a TCP peer as an address: it writes "ipv6:%5B::1%5D:1" for [::1]:1. */
static void read_address(const char *core_name, char *ret, size_t cap)
{
	const char *from = strchr(core_name, ':');
	size_t len = 0;

	for (from = from ? from + 1 : core_name; *from && len + 1 < cap; from++) {
		bool opens = strncmp(from, "%5B", 3) == 0;
		bool closes = strncmp(from, "%5D", 3) == 0;

		ret[len++] = opens ? '[' : closes ? ']' : *from;
		from += opens || closes ? 2 : 0;
	}
	ret[len] = '\0';
}

/* --- TLS --------------------------------------------------------------------------------------- */

static bool is_tls(const grpc_auth_context *context)
{
	grpc_auth_property_iterator types;
	const grpc_auth_property *type;

	if (!context)
		return false;
	types = grpc_auth_context_find_properties_by_name(
	    context, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
	type = grpc_auth_property_iterator_next(&types);
	return type && (strcmp(type->value, GRPC_SSL_TRANSPORT_SECURITY_TYPE) == 0 ||
			strcmp(type->value, GRPC_TLS_TRANSPORT_SECURITY_TYPE) == 0);
}

/* All names of a kind. False: more than fit, or one that hides something behind a NUL; who has such a
 * certificate is not guessed at. */
static bool read_names(const grpc_auth_context *context, const char *kind, size_t cap,
		       const char **ret, size_t *ret_count)
{
	grpc_auth_property_iterator names =
	    grpc_auth_context_find_properties_by_name(context, kind);
	const grpc_auth_property *name;

	while ((name = grpc_auth_property_iterator_next(&names))) {
		if (*ret_count == cap || strlen(name->value) != name->value_length)
			return false;
		if (name->value_length > 0)
			ret[(*ret_count)++] = name->value;
	}
	return true;
}

static void describe_certificate(struct identity *identity, const char *core_name)
{
	const struct principal *who = &identity->principal;
	char address[ADDRESS_MAX];

	read_address(core_name, address, sizeof(address));
	if (who->uri_count > 0)
		set_text(identity, "cert ", who->uris[0]);
	else if (who->dns_count > 0)
		set_text(identity, "cert dns:", who->dns[0]);
	else if (who->common_name)
		set_text(identity, "cert cn:", who->common_name);
	else
		set_text(identity, "tls ", address);
}

/* gRPC has verified the certificate, or there is none: clients need none where the endpoint has no
 * client_ca. peer_uri has every URI of it, that of SPIFFE too. */
static bool read_certificate(struct identity *identity, const char *core_name, struct status *err)
{
	struct principal *who = &identity->principal;
	const grpc_auth_context *context = identity->context;
	size_t count = 0;

	who->uris = identity->uris;
	who->dns = identity->dns;
	if (grpc_auth_context_peer_is_authenticated(context) &&
	    (!read_names(context, GRPC_PEER_URI_PROPERTY_NAME, NAMES_MAX, identity->uris,
			 &who->uri_count) ||
	     !read_names(context, GRPC_PEER_DNS_PROPERTY_NAME, NAMES_MAX, identity->dns,
			 &who->dns_count) ||
	     !read_names(context, GRPC_X509_CN_PROPERTY_NAME, 1, &who->common_name, &count)))
		return status_set(err, GRPC_STATUS_UNAUTHENTICATED,
				  "the client certificate has too many or malformed names");
	describe_certificate(identity, core_name);
	return true;
}

/* --- no TLS ------------------------------------------------------------------------------------ */

static void read_unix(struct identity *identity, const struct peer_credentials *peer)
{
	struct principal *who = &identity->principal;

	identity->groups = peer->groups;
	who->has_uid = true;
	who->uid = peer->who.uid;
	who->gid = peer->who.gid;
	who->groups = peer->groups;
	who->group_count = peer->group_count;
	(void)snprintf(identity->text, sizeof(identity->text), "unix uid %u pid %d", peer->who.uid,
		       peer->who.pid);
}

/* It is the peer's address that counts: a kernel may be told to route to 127.0.0.1 from outside. */
static bool read_plaintext(struct identity *identity, const char *core_name, struct status *err)
{
	char address[ADDRESS_MAX];

	read_address(core_name, address, sizeof(address));
	if (identity->principal.has_token)
		return status_set(err, GRPC_STATUS_UNAUTHENTICATED,
				  "tokens are accepted over TLS and the unix socket only");
	if (!endpoint_is_loopback(address))
		return status_set(err, GRPC_STATUS_UNAUTHENTICATED,
				  "the connection proves nothing about its peer");
	identity->principal.is_loopback = true;
	set_text(identity, "loopback ", address);
	return true;
}

/* --- all --------------------------------------------------------------------------------------- */

static bool read_connection(const struct call *call, struct identity *identity, struct status *err)
{
	CLEANUP(free_core_name) char *core_name = grpc_call_get_peer(call->core);
	struct peer_credentials peer;
	int r;

	identity->context = grpc_call_auth_context(call->core);
	if (is_tls(identity->context))
		return read_certificate(identity, core_name, err);
	r = peers_find(call->cq->rpc->peers, core_name, &peer);
	if (r == -ENOENT)
		return read_plaintext(identity, core_name, err);
	if (r < 0)
		return status_set_memory(err);
	read_unix(identity, &peer);
	return true;
}

static bool read_token(const struct call *call, struct identity *identity, struct status *err)
{
	struct principal *who = &identity->principal;
	int r = bearer_find(&call->metadata, who->token_sha256);

	if (r == -EBADMSG)
		return status_set(err, GRPC_STATUS_UNAUTHENTICATED, BEARER_EXPECTED_TEXT);
	if (r < 0)
		return status_set_memory(err);
	who->has_token = r > 0;
	return true;
}

/* The token is who it is, whatever the connection proves beside it. */
static void describe_token(struct identity *identity)
{
	const uint8_t *hash = identity->principal.token_sha256;

	if (identity->principal.has_token)
		(void)snprintf(identity->text, sizeof(identity->text), "token %02x%02x%02x%02x",
			       hash[0], hash[1], hash[2], hash[3]);
}

bool identity_new(const struct call *call, struct identity **ret, struct status *err)
{
	CLEANUP(identity_freep) struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return status_set_memory(err);
	if (!read_token(call, identity, err) || !read_connection(call, identity, err))
		return false;
	describe_token(identity);
	*ret = TAKE_PTR(identity);
	return true;
}

const struct principal *identity_principal(const struct identity *identity)
{
	return &identity->principal;
}

const char *identity_text(const struct identity *identity)
{
	return identity->text;
}
