/* SPDX-License-Identifier: MIT */
/* TCP endpoints: gRPC listens, with credentials that are made here. */
#include "ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <grpc/grpc_security.h>

#include "endpoint.h"
#include "log.h"
#include "rpc.h"
#include "tls.h"

struct ports {
	grpc_server *server; /* borrowed */
	size_t max;
	size_t count;
	struct tls *tls[]; /* owned; of those that have it */
};

struct ports *ports_new(grpc_server *server, size_t max)
{
	struct ports *ports = calloc(1, sizeof(*ports) + max * sizeof(struct tls *));

	if (!ports)
		return NULL;
	ports->server = server;
	ports->max = max;
	return ports;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	while (ports->count > 0)
		tls_free(ports->tls[--ports->count]);
	free(ports);
}

/* The credentials are given back. */
static int bind_port(struct ports *ports, const char *tcp, grpc_server_credentials *credentials,
		     struct rpc_error *err)
{
	int port = grpc_server_add_http2_port(ports->server, tcp, credentials);

	grpc_server_credentials_release(credentials);
	if (port > 0)
		return port;
	(void)snprintf(err->text, sizeof(err->text), "%s: cannot listen; is it in use?", tcp);
	return -EADDRINUSE;
}

static int add_plaintext(struct ports *ports, const char *tcp, struct rpc_error *err)
{
	int port;

	if (!endpoint_is_loopback(tcp)) {
		(void)snprintf(err->text, sizeof(err->text),
			       "%s: expected a loopback address as 127.0.0.1:7443 or [::1]:7443: "
			       "without TLS no other is served",
			       tcp);
		return -EINVAL;
	}
	port = bind_port(ports, tcp, grpc_insecure_server_credentials_create(), err);
	if (port < 0)
		return port;
	log_info("rpc.listening", "tcp=%s port=%d tls=no", tcp, port);
	return 0;
}

static int add_tls(struct ports *ports, const struct rpc_endpoint *endpoint, struct rpc_error *err)
{
	struct tls *tls;
	int r;

	if (ports->count == ports->max)
		return -E2BIG;
	r = tls_new(endpoint->tls, &tls, err);
	if (r < 0)
		return r;
	ports->tls[ports->count++] = tls;
	r = bind_port(ports, endpoint->tcp, tls_credentials(tls), err);
	if (r < 0)
		return r;
	log_info("rpc.listening", "tcp=%s port=%d tls=yes client_certificates=%s", endpoint->tcp, r,
		 tls_asks_for_certificates(tls) ? "required" : "no");
	/* gRPC parses headers before a token can be looked at, and this version of it is not safe
	 * there (CVE-2023-33953, CVE-2023-44487). */
	if (!tls_asks_for_certificates(tls))
		log_warn("rpc.tls",
			 "tcp=%s client_ca=none effect=\"whoever reaches the port can talk to the "
			 "server without a certificate; only tokens tell tenants\"",
			 endpoint->tcp);
	return 0;
}

int ports_add(struct ports *ports, const struct rpc_endpoint *endpoint, struct rpc_error *err)
{
	return endpoint->tls ? add_tls(ports, endpoint, err)
			     : add_plaintext(ports, endpoint->tcp, err);
}

int ports_reload_tls(struct ports *ports, struct rpc_error *err)
{
	struct rpc_error ignored;
	int result = 0;

	for (size_t i = 0; i < ports->count; i++) {
		int r = tls_reload(ports->tls[i], result == 0 ? err : &ignored);

		if (result == 0)
			result = r;
	}
	return result;
}
