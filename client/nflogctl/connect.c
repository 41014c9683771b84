/* SPDX-License-Identifier: MIT */
/*
 * A client for a server, by the settings. What is set for good, in the environment or the file, says
 * of TLS what is for servers that have it, not for a unix socket; on the command line it would be a
 * mistake, unless another server there has TLS.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "settings.h"

size_t server_count(const struct common *common)
{
	return common->servers.count ? common->servers.count : 1;
}

const char *server_address(const struct common *common, size_t at)
{
	return common->servers.count ? common->servers.items[at] : NFL_CLIENT_DEFAULT_SERVER;
}

static bool is_unix(const char *server)
{
	return server[0] == '/' || strncmp(server, "unix:", 5) == 0;
}

static bool all_are_unix(const struct common *common)
{
	for (size_t i = 0; i < server_count(common); i++)
		if (!is_unix(server_address(common, i)))
			return false;
	return true;
}

/* Options that contradict each other, by their names; the library says it without them. */
static int check_options(const struct common *common, bool unix_socket)
{
	bool tls = common->tls || common->tls_ca;
	const char *needs_tls = common->tls_cert   ? "--tls-cert"
				: common->tls_key  ? "--tls-key"
				: common->tls_name ? "--tls-name"
						   : NULL;

	if (unix_socket && (tls || needs_tls))
		return complain_usage(NULL, "%s: a unix socket has no TLS; --server HOST:PORT?",
				      common->tls      ? "--tls"
				      : common->tls_ca ? "--tls-ca"
						       : needs_tls);
	if (!tls && needs_tls)
		return complain_usage(NULL, "%s: needs --tls-ca or --tls", needs_tls);
	if (!common->tls_cert != !common->tls_key)
		return complain_usage(NULL, "--tls-cert and --tls-key: one needs the other");
	if (common->token_file && !tls && !unix_socket)
		return complain_usage(NULL, "--token-file: a token is sent over TLS and the unix "
					    "socket only; add --tls-ca or --tls");
	return EXIT_DONE;
}

static bool given(const char *option)
{
	return settings_origin(option) == SETTING_OPTION;
}

/* Leaves out what is not for this server. */
static struct common common_for(const struct common *all, bool unix_socket)
{
	bool only_unix = all_are_unix(all);
	struct common common = *all;

	if (unix_socket) {
		common.tls = all->tls && only_unix && given("tls");
		common.tls_ca = only_unix && given("tls-ca") ? all->tls_ca : NULL;
	}
	if (unix_socket || (!common.tls_ca && !common.tls)) {
		bool told = !unix_socket || only_unix;

		/* A certificate alone does not make it TLS. */
		common.tls_cert = told && given("tls-cert") ? all->tls_cert : NULL;
		common.tls_key = told && given("tls-key") ? all->tls_key : NULL;
		common.tls_name = told && given("tls-name") ? all->tls_name : NULL;
	}
	return common;
}

static void warn_of_token_file(const char *path)
{
	struct stat st;

	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IRWXO)
		complain("warning: --token-file %s: other users can read or change it", path);
}

int open_server(const struct common *all, const char *server, struct nfl_client **ret)
{
	bool unix_socket = is_unix(server);
	struct common common = common_for(all, unix_socket);
	struct nfl_client_error err = {0};
	struct nfl_client_options options = {
	    .size = sizeof(options),
	    .flags = common.tls ? NFL_CLIENT_TLS : 0,
	    .server = server,
	    .connect_timeout_ms = common.connect_timeout_ms,
	    .tls_ca = common.tls_ca,
	    .tls_cert = common.tls_cert,
	    .tls_key = common.tls_key,
	    .tls_name = common.tls_name,
	    .token_file = common.token_file,
	    .err = &err,
	};
	int r = check_options(&common, unix_socket);

	if (r != EXIT_DONE)
		return r;
	warn_of_token_file(common.token_file);
	r = nfl_client_new(&options, ret);
	if (r == 0)
		return EXIT_DONE;
	if (r == -EINVAL) /* all else was looked at */
		return complain_usage(NULL,
				      "--server %s: expected unix:/PATH, /PATH, HOST:PORT or "
				      "[IPV6]:PORT",
				      server);
	complain("%s", err.message);
	return EXIT_ERROR;
}

int open_client(const struct common *common, struct nfl_client **ret)
{
	if (server_count(common) > 1)
		return complain_usage(NULL,
				      "%zu servers are set: this command talks to one; choose it "
				      "by --server",
				      server_count(common));
	return open_server(common, server_address(common, 0), ret);
}

void client_freep(struct nfl_client **client)
{
	nfl_client_free(*client);
}

void stream_freep(struct nfl_client_stream **stream)
{
	nfl_client_stream_free(*stream);
}
