/* SPDX-License-Identifier: MIT */
/*
 * nflog_print.c - prefix and payload of every packet that is logged to a group
 *
 *	nflog_print [GROUP [SECONDS [NETNS]]]
 *
 * What the example in go-nflog's README does, with libnfl in C: open a group, call a function for
 * each packet, end after a while. Without arguments group 100 of this namespace, for 10 seconds:
 *
 *	nft add rule inet filter input log prefix "in: " group 100
 */
#include <stdio.h>
#include <stdlib.h>

#include <nfl/nfl.h>

static int print(const struct nfl_record *record, void *data)
{
	char prefix[NFL_RENDER_MAX];

	(void)data;
	nfl_escape_text(prefix, sizeof(prefix), record->prefix.data, record->prefix.len);
	if (record->lost_kernel)
		fprintf(stderr, "%u packets were lost\n", record->lost_kernel);
	printf("\"%s\" ", prefix);
	for (uint32_t i = 0; i < record->payload.len; i++)
		printf("%02x", record->payload.data[i]);
	printf("\n");
	return 0; /* anything else ends nfl_listener_run() */
}

static unsigned long number(int argc, char **argv, int index, unsigned long value)
{
	return argc > index ? strtoul(argv[index], NULL, 10) : value;
}

int main(int argc, char **argv)
{
	struct nfl_listener_options options = {
	    .size = sizeof(options),
	    .group = (uint16_t)number(argc, argv, 1, 100),
	    .flags = NFL_FLAG_SEQ,
	};
	struct nfl_listener *listener;
	struct nfl_error err;
	int r;

	if (argc > 3)
		options.netns = (struct nfl_netns){.kind = NFL_NETNS_NAME, .name = argv[3]};
	if (nfl_listener_open(&options, &listener, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("listening to group %u\n", options.group);
	r = nfl_listener_run(listener, print, NULL, (int)number(argc, argv, 2, 10) * 1000);
	nfl_listener_close(listener);
	return r < 0;
}
