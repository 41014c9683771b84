/* SPDX-License-Identifier: MIT */
/* A program of somebody else's that uses libnfl alone. */
#include <stdio.h>
#include <string.h>

#include <nfl/nfl.h>

int main(void)
{
	struct nfl_listener_options options = {0}; /* no size: refused before any system call */
	struct nfl_listener *listener;
	struct nfl_error err;
	int r = nfl_listener_open(&options, &listener, &err);

	printf("%d %s\n", r, nfl_family_name(NFL_FAMILY_IPV4));
	return r < 0 && strcmp(nfl_family_name(NFL_FAMILY_IPV4), "ip") == 0 ? 0 : 1;
}
