/* SPDX-License-Identifier: MIT */
/* A client is a gRPC channel, which connects when the first call needs it, and what calls share. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_security.h>

#include <nfl/client.h>

#include "address.h"
#include "bytes.h"
#include "cleanup.h"
#include "options.h"

#define CONNECT_TIMEOUT_DEFAULT_MS 5000
#define RECONNECT_FIRST_MS         50
#define RECONNECT_MAX_MS           500
#define KEEPALIVE_MS               30000
#define KEEPALIVE_WAIT_MS          10000

/* gRPC's struct is not const, though it only reads the texts. */
static char *unconst(const char *text)
{
	union {
		const char *given;
		char *wanted;
	} both = {.given = text};

	return both.wanted;
}

static grpc_arg integer_arg(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = unconst(key), .value.integer = value};
}

static grpc_arg text_arg(const char *key, const char *value)
{
	return (grpc_arg){
	    .type = GRPC_ARG_STRING, .key = unconst(key), .value.string = unconst(value)};
}

grpc_channel *client_connect(const struct nfl_client *client)
{
	bool is_unix = address_unix_path(client->server) != NULL;
	grpc_arg args[] = {
	    integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CLIENT_MESSAGE_MAX_BYTES),
	    /* Larger frames: a batch comes in fewer pieces. */
	    integer_arg(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1024 * 1024),
	    /* No retries: they would keep messages; no proxy and no configuration from DNS: a
	     * server is where the user said. */
	    integer_arg(GRPC_ARG_ENABLE_RETRIES, 0), integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
	    integer_arg(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
	    integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1),
	    /* A daemon that is just starting is found soon; gRPC's own figure is 1 s. */
	    integer_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS),
	    integer_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS),
	    integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
	    /* A host that died says nothing, and neither does a quiet stream: ask it. The end of
	     * a unix socket's peer is seen at once. */
	    integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, is_unix ? INT_MAX : KEEPALIVE_MS),
	    integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_WAIT_MS),
	    integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
	    text_arg(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, client->secure.name), /* the last one */
	};
	grpc_channel_args all = {.num_args = ARRAY_SIZE(args) - !client->secure.name, .args = args};
	grpc_channel_credentials *credentials = secure_credentials(&client->secure);
	grpc_channel *channel;

	if (!credentials)
		return NULL;
	channel = grpc_channel_create(client->target, credentials, &all);
	grpc_channel_credentials_release(credentials);
	return channel;
}

static void client_freep(struct nfl_client **client)
{
	nfl_client_free(*client);
}

static int fail(struct nfl_client_error *err, int r, const char *message)
{
	err->code = r == -ENOMEM ? NFL_CLIENT_RESOURCE_EXHAUSTED : NFL_CLIENT_INVALID_ARGUMENT;
	(void)snprintf(err->message, sizeof(err->message), "%s", message);
	return r;
}

static int client_build(const struct nfl_client_options *options, struct nfl_client **ret,
			struct nfl_client_error *err)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	const char *server = options->server ? options->server : NFL_CLIENT_DEFAULT_SERVER;

	int r;

	if (options->flags & ~NFL_CLIENT_TLS)
		return fail(err, -EINVAL, "an unknown flag");
	client = calloc(1, sizeof(*client));
	if (!client)
		return fail(err, -ENOMEM, strerror(ENOMEM));
	grpc_init(); /* counted: nfl_client_free() takes it back */
	if (address_to_target(server, client->target) < 0)
		return fail(err, -EINVAL,
			    "server: expected unix:/PATH, /PATH, HOST:PORT or [IPV6]:PORT");
	r = secure_init(&client->secure, options, address_unix_path(server) != NULL, err);
	if (r < 0)
		return r;
	client->server = strdup(server);
	if (!client->server)
		return fail(err, -ENOMEM, strerror(ENOMEM));
	client->connect_timeout_ms =
	    options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS;
	client->channel = client_connect(client);
	if (!client->channel)
		return fail(err, -ENOMEM, strerror(ENOMEM));
	*ret = TAKE_PTR(client);
	return 0;
}

int nfl_client_new(const struct nfl_client_options *options, struct nfl_client **ret)
{
	struct nfl_client_options own = {0};
	struct nfl_client_error ignored;
	size_t first = offsetof(struct nfl_client_options, connect_timeout_ms) + sizeof(uint32_t);

	if (!ret || (options && options_take(&own, sizeof(own), options, first) < 0))
		return -EINVAL;
	return client_build(&own, ret, own.err ? own.err : &ignored);
}

void nfl_client_free(struct nfl_client *client)
{
	if (!client)
		return;
	if (client->channel)
		grpc_channel_destroy(client->channel);
	secure_done(&client->secure);
	free(client->server);
	free(client);
	grpc_shutdown();
}
