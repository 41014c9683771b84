/* SPDX-License-Identifier: MIT */
/*
 * The command line, with the bounds that keep a mistyped run from becoming an attack: addresses of
 * test networks only, and an end that is never far.
 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define EXIT_USAGE  2
#define SECONDS_MAX 60
#define RATE_MAX    100000000

static const char usage[] =
    "Usage: nflog_gen [--netns NAME]... (--count N | --seconds S) [options]\n"
    "Sends UDP packets for firewall rules to log, and prints one line of JSON:\n"
    "{\"sent\":N,\"errors\":N,\"seconds\":S,\"pps\":N}\n"
    "\n"
    "  -n, --netns NAME        send in this namespace; several take turns (default: own)\n"
    "  -d, --destination ADDR  in 10.0.0.0/8, 127.0.0.0/8, fd00::/8 or ::1 (default 10.99.0.2)\n"
    "  -p, --port PORT         destination port (default 9)\n"
    "  -s, --size BYTES        of the payload, at most 8192 (default 18)\n"
    "  -c, --count N           packets, over all namespaces\n"
    "  -r, --rate N            packets a second, over all namespaces (default: no limit)\n"
    "  -t, --seconds S         the longest run, at most 60 (default 60)\n"
    "  -S, --stamp             begin each payload with its number in the namespace, from 0, and\n"
    "                          CLOCK_MONOTONIC in ns when it was made: two u64, host order\n"
    "  -C, --cpu N             run on this CPU only\n"
    "  -h, --help\n"
    "\n"
    "A send that fails counts as an error and as one of --count. Exit: 0, 1 when something "
    "failed,\n"
    "2 usage.\n";

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

/* Text to a destination that cannot be somebody else's host. */
static bool parse_destination(const char *text, uint16_t port, struct gen_options *o)
{
	struct sockaddr_in *ip4 = (struct sockaddr_in *)&o->destination;
	struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&o->destination;
	const uint8_t *bytes;

	if (inet_pton(AF_INET, text, &ip4->sin_addr) == 1) {
		bytes = (const uint8_t *)&ip4->sin_addr;
		ip4->sin_family = AF_INET;
		ip4->sin_port = htons(port);
		o->destination_len = sizeof(*ip4);
		return bytes[0] == 10 || bytes[0] == 127;
	}
	if (inet_pton(AF_INET6, text, &ip6->sin6_addr) != 1)
		return false;
	bytes = (const uint8_t *)&ip6->sin6_addr;
	ip6->sin6_family = AF_INET6;
	ip6->sin6_port = htons(port);
	o->destination_len = sizeof(*ip6);
	return bytes[0] == 0xfd || IN6_IS_ADDR_LOOPBACK(&ip6->sin6_addr);
}

/* What is checked only when everything is known. */
struct raw_options {
	const char *destination;
	uint64_t port;
	bool has_end; /* --count or --seconds was given */
};

static bool parse_option(int option, const char *value, struct gen_options *o,
			 struct raw_options *raw)
{
	uint64_t number;

	switch (option) {
	case 'n':
		if (o->netns_count == GEN_NETNS_MAX)
			return false;
		o->netns[o->netns_count++] = value;
		return true;
	case 'd':
		raw->destination = value;
		return true;
	case 'p':
		return parse_number(value, 1, UINT16_MAX, &raw->port);
	case 'c':
		raw->has_end = true;
		return parse_number(value, 1, UINT64_MAX, &o->count);
	case 'r':
		return parse_number(value, 1, RATE_MAX, &o->rate);
	case 'S':
		o->has_stamp = true;
		return true;
	case 't':
		raw->has_end = true;
		if (!parse_number(value, 1, SECONDS_MAX, &number))
			return false;
		o->time_ns = (int64_t)number * NS_PER_S;
		return true;
	case 's':
		if (!parse_number(value, 0, GEN_SIZE_MAX, &number))
			return false;
		o->size = (unsigned)number;
		return true;
	case 'C':
		if (!parse_number(value, 0, CPU_SETSIZE - 1, &number))
			return false;
		o->cpu = (int)number;
		return true;
	}
	return false;
}

static bool is_complete(int argc, struct gen_options *o, const struct raw_options *raw)
{
	if (optind < argc)
		fprintf(stderr, "nflog_gen: there are no arguments without an option\n");
	else if (!raw->has_end)
		fprintf(stderr, "nflog_gen: --count or --seconds must be given\n");
	else if (!parse_destination(raw->destination, (uint16_t)raw->port, o))
		fprintf(stderr,
			"nflog_gen: %s is not in 10.0.0.0/8, 127.0.0.0/8, fd00::/8 or ::1\n",
			raw->destination);
	else if (o->has_stamp && o->size < GEN_STAMP_BYTES)
		fprintf(stderr, "nflog_gen: --stamp needs a --size of at least %d\n",
			GEN_STAMP_BYTES);
	else
		return true;
	return false;
}

bool gen_options_parse(int argc, char **argv, struct gen_options *ret, int *ret_status)
{
	static const struct option options[] = {
	    {"netns", required_argument, NULL, 'n'},
	    {"destination", required_argument, NULL, 'd'},
	    {"port", required_argument, NULL, 'p'},
	    {"size", required_argument, NULL, 's'},
	    {"count", required_argument, NULL, 'c'},
	    {"rate", required_argument, NULL, 'r'},
	    {"stamp", no_argument, NULL, 'S'},
	    {"seconds", required_argument, NULL, 't'},
	    {"cpu", required_argument, NULL, 'C'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct raw_options raw = {.destination = "10.99.0.2", .port = 9};
	int option;

	*ret = (struct gen_options){.time_ns = SECONDS_MAX * NS_PER_S, .size = 18, .cpu = -1};
	*ret_status = EXIT_USAGE;
	while ((option = getopt_long(argc, argv, "n:d:p:s:c:r:t:SC:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(usage, stdout);
			*ret_status = EXIT_SUCCESS;
			return false;
		}
		if (option == '?') /* getopt has said why */
			return false;
		if (!parse_option(option, optarg, ret, &raw)) {
			fprintf(stderr, "nflog_gen: -%c %s is out of range, see --help\n", option,
				optarg ? optarg : "");
			return false;
		}
	}
	return is_complete(argc, ret, &raw);
}
