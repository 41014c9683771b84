/* SPDX-License-Identifier: MIT */
/*
 * Which server, and what proves who is who: from the options, and where they are silent from the
 * environment. What the environment says of TLS is for servers that have it, not for a unix socket.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *or_environment(const char *given, const char *name)
{
	const char *value = given ? given : getenv(name);

	return value && *value ? value : NULL;
}

static bool is_unix(const char *server)
{
	return !server || server[0] == '/' || strncmp(server, "unix:", 5) == 0;
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

static struct common with_environment(const struct common *given)
{
	struct common common = *given;

	common.server = or_environment(given->server, "NFLOGCTL_SERVER");
	common.token_file = or_environment(given->token_file, "NFLOGCTL_TOKEN_FILE");
	if (is_unix(common.server))
		return common;
	common.tls_ca = or_environment(given->tls_ca, "NFLOGCTL_TLS_CA");
	if (!common.tls_ca && !common.tls)
		return common; /* a certificate alone does not make it TLS */
	common.tls_cert = or_environment(given->tls_cert, "NFLOGCTL_TLS_CERT");
	common.tls_key = or_environment(given->tls_key, "NFLOGCTL_TLS_KEY");
	return common;
}

static void warn_of_token_file(const char *path)
{
	struct stat st;

	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IRWXO)
		complain("warning: --token-file %s: other users can read or change it", path);
}

int open_client(const struct common *given, struct nfl_client **ret)
{
	struct common common = with_environment(given);
	struct nfl_client_error err = {0};
	struct nfl_client_options options = {
	    .size = sizeof(options),
	    .flags = common.tls ? NFL_CLIENT_TLS : 0,
	    .server = common.server,
	    .connect_timeout_ms = common.connect_timeout_ms,
	    .tls_ca = common.tls_ca,
	    .tls_cert = common.tls_cert,
	    .tls_key = common.tls_key,
	    .tls_name = common.tls_name,
	    .token_file = common.token_file,
	    .err = &err,
	};
	int r = check_options(&common, is_unix(common.server));

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
				      common.server);
	complain("%s", err.message);
	return EXIT_ERROR;
}

void client_freep(struct nfl_client **client)
{
	nfl_client_free(*client);
}
