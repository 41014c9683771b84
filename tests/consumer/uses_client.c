/* SPDX-License-Identifier: MIT */
/* A program of somebody else's that uses libnfl-client, and libnfl through it. */
#include <stdio.h>
#include <string.h>

#include <nfl/client.h>

int main(void)
{
	struct nfl_client_options options = {.size = sizeof(options),
					     .server = "/nonexistent/nflogd.sock",
					     .connect_timeout_ms = 10};
	struct nfl_client_server_info *info;
	struct nfl_client_error err;
	struct nfl_client *client;
	char text[1024];
	int r;

	if (nfl_client_new(&options, &client) < 0)
		return 1;
	r = nfl_client_get_server_info(client, -1, &info, &err);
	nfl_client_free(client);
	nfl_escape_text(text, sizeof(text), err.message, strlen(err.message));
	printf("%s: %s\n", nfl_client_code_name(err.code), text);
	return r < 0 && err.code == NFL_CLIENT_UNAVAILABLE ? 0 : 1;
}
