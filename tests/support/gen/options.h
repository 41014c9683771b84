/* SPDX-License-Identifier: MIT */
/* options.h - the command line of nflog_gen */
#ifndef GEN_OPTIONS_H
#define GEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define GEN_NETNS_MAX   1024
#define GEN_SIZE_MAX    8192
#define GEN_STAMP_BYTES 16 /* number and time */

struct gen_options {
	const char *netns[GEN_NETNS_MAX]; /* borrowed from argv */
	unsigned netns_count;             /* 0: the caller's own namespace */
	struct sockaddr_storage destination;
	socklen_t destination_len;
	uint64_t count;  /* packets over all namespaces; 0: until the time is over */
	uint64_t rate;   /* packets a second over all namespaces; 0: as fast as it goes */
	int64_t time_ns; /* the longest run */
	unsigned size;   /* of the payload, in bytes */
	int cpu;         /* -1: any */
	bool has_stamp;
};

/* Returns true to go on; else the program ends with *ret_status, everything has been said. */
bool gen_options_parse(int argc, char **argv, struct gen_options *ret, int *ret_status);

#endif
