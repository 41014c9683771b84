/* SPDX-License-Identifier: MIT */
/* From the configuration's endpoints and limits to those of rpc. */
#include "endpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "log.h"
#include "rpc.h"

#define DEFAULT_SOCKET "/run/nflogd/nflogd.sock"
#define DEFAULT_FOLDER "/run/nflogd"

#define QUOTED_BYTES 600 /* of an error text in a log line */

void endpoints_make_folder(const struct config *config, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		const char *path = config->listens[i].unix_path;

		if (!path || strcmp(path, DEFAULT_SOCKET) != 0)
			continue;
		if (mkdir(DEFAULT_FOLDER, 0755) < 0 && errno != EEXIST)
			log_warn("server.folder", "path=%s error=\"%s\"", DEFAULT_FOLDER,
				 strerrordesc_np(errno));
		else if (geteuid() == 0 && lchown(DEFAULT_FOLDER, uid, gid) < 0)
			log_warn("server.folder", "path=%s error=\"%s\"", DEFAULT_FOLDER,
				 strerrordesc_np(errno));
	}
}

static struct rpc_limits limits_of(const struct config_server_limits *limits)
{
	return (struct rpc_limits){
	    .connections = limits->connections,
	    .connections_per_user = limits->connections_per_user,
	    .streams_per_connection = limits->streams_per_connection,
	    .anonymous_calls = limits->anonymous_calls,
	    .request_bytes = limits->request_bytes,
	    .header_bytes = limits->header_bytes,
	    .receive_bytes_per_second = limits->receive_bytes_per_second,
	    .handshake_timeout_ms = limits->handshake_timeout_ms,
	    .idle_timeout_ms = limits->idle_timeout_ms,
	};
}

/* Endpoints and their files of TLS, in one piece of memory. */
struct listing {
	struct rpc_endpoint *endpoints; /* owned */
	struct rpc_tls *tls;            /* owned */
};

static void listing_done(struct listing *listing)
{
	free(listing->endpoints);
	free(listing->tls);
}

static int list_endpoints(const struct config *config, struct listing *ret)
{
	ret->endpoints = calloc(config->listen_count, sizeof(struct rpc_endpoint));
	ret->tls = calloc(config->listen_count, sizeof(struct rpc_tls));
	if (!ret->endpoints || !ret->tls)
		return -ENOMEM;
	for (size_t i = 0; i < config->listen_count; i++) {
		const struct config_listen *listen = &config->listens[i];

		ret->tls[i] = (struct rpc_tls){
		    .certificate = listen->tls.certificate,
		    .private_key = listen->tls.private_key,
		    .client_ca = listen->tls.client_ca,
		};
		ret->endpoints[i] = (struct rpc_endpoint){
		    .unix_path = listen->unix_path,
		    .mode = listen->mode,
		    .group = listen->group,
		    .tcp = listen->tcp,
		    .tls = listen->tls.given ? &ret->tls[i] : NULL,
		};
	}
	return 0;
}

int endpoints_bind(const struct config *config, struct rpc_sockets **ret)
{
	CLEANUP(listing_done) struct listing listing = {0};
	struct rpc_error err = {0};
	char text[QUOTED_BYTES];
	int r = list_endpoints(config, &listing);

	if (r == 0)
		r = rpc_bind(listing.endpoints, config->listen_count, ret, &err);
	if (r < 0)
		log_error(
		    "server.failed", "error=%s",
		    log_quote(text, sizeof(text), err.text[0] ? err.text : strerrordesc_np(-r)));
	return r;
}

int endpoints_open(const struct config *config, struct rpc_sockets *sockets, struct policy *policy,
		   struct registry *registry, struct rpc **ret)
{
	CLEANUP(listing_done) struct listing listing = {0};
	struct rpc_error err = {0};
	char text[QUOTED_BYTES];
	int r = list_endpoints(config, &listing);
	const struct rpc_options options = {
	    .endpoints = listing.endpoints,
	    .endpoint_count = config->listen_count,
	    .sockets = sockets,
	    .version = NFLOGD_VERSION,
	    .policy = policy,
	    .config_load_time_ns = config->load_time_ns,
	    .limits = limits_of(&config->limits),
	};

	if (r < 0)
		rpc_unbind(sockets);
	else
		r = rpc_new(&options, registry, ret, &err);
	if (r < 0)
		log_error(
		    "server.failed", "error=%s",
		    log_quote(text, sizeof(text), err.text[0] ? err.text : strerrordesc_np(-r)));
	return r;
}

void endpoints_remove_stale(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listens[i].unix_path)
			(void)rpc_remove_stale(config->listens[i].unix_path);
}
