/* SPDX-License-Identifier: MIT */
/*
 * filter_options.h - options of subscribe that say which packets to send
 *
 * Options of several fields are ANDed, the values of one ORed; --or begins another alternative. An option
 * behind --not holds back what it matches, each by itself.
 */
#ifndef NFLOGCTL_FILTER_OPTIONS_H
#define NFLOGCTL_FILTER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <nfl/filter.h>

#include "options.h"

struct filter_terms {
	struct nfl_filter_term *items; /* owned */
	size_t count;
};

struct filter_settings {
	struct filter_terms include;
	struct filter_terms exclude;
	bool is_not; /* the next option is behind --not */
	bool is_or;  /* the next one that is not begins an alternative */
};

/* The field of all of them is a struct filter_settings. */
#define FILTER_OPTIONS(offset)                                                                     \
	{"src", 0, "ADDRESS", offset, filter_src, "source: an address or a network, 10.0.0.0/8"},  \
	    {"dst", 0, "ADDRESS", offset, filter_dst, "destination"},                              \
	    {"host", 0, "ADDRESS", offset, filter_host, "source or destination"},                  \
	    {"sport", 0, "PORT", offset, filter_sport, "source port, or a range 1000-2000"},       \
	    {"dport", 0, "PORT", offset, filter_dport, "destination port"},                        \
	    {"port", 0, "PORT", offset, filter_port, "source or destination port"},                \
	    {"proto", 0, "PROTOCOL", offset, filter_proto, "tcp, udp, icmp, ..., or a number"},    \
	    {"ip-version", 0, "4|6", offset, filter_ip_version, "version of IP"},                  \
	    {"tcp-flags",                                                                          \
	     0,                                                                                    \
	     "FLAGS",                                                                              \
	     offset,                                                                               \
	     filter_tcp_flags,                                                                     \
	     "syn,ack: both are set; syn/syn,ack: of the\nsecond ones only the first are"},        \
	    {"icmp-type", 0, "NUMBER", offset, filter_icmp_type, "of ICMP or ICMPv6"},             \
	    {"prefix",      0,                                                                     \
	     "TEXT",        offset,                                                                \
	     filter_prefix, "log prefix; with * for any text, ? for a byte"},                      \
	    {"mark", 0, "VALUE", offset, filter_mark, "packet mark, also VALUE/MASK"},             \
	    {"hook", 0, "HOOK", offset, filter_hook, "input, output, forward, ..."},               \
	    {"interface",      'i',                                                                \
	     "NAME",           offset,                                                             \
	     filter_interface, "any interface of the packet; with * and ? as\nprefix"},            \
	    {"in", 0, "NAME", offset, filter_in, "input interface, physical or not"},              \
	    {"out", 0, "NAME", offset, filter_out, "output interface"},                            \
	    {"uid", 0, "NUMBER", offset, filter_uid, "user of the packet's socket"},               \
	    {"gid", 0, "NUMBER", offset, filter_gid, "and its group"},                             \
	    {"mac", 0, "ADDRESS", offset, filter_mac, "source link-layer address"},                \
	    {"vlan", 0, "NUMBER", offset, filter_vlan, "id of the outer VLAN tag"},                \
	    {"ether-type", 0, "TYPE", offset, filter_ether_type, "ip, ip6, arp or a number"},      \
	    {"family",      0,                                                                     \
	     "FAMILY",      offset,                                                                \
	     filter_family, "of the hook: ipv4, ipv6, arp, netdev, bridge"},                       \
	    {"not",                                                                                \
	     0,                                                                                    \
	     NULL,                                                                                 \
	     offset,                                                                               \
	     filter_not,                                                                           \
	     "not what the next one of these options\nmatches; these are ANDed, values of one "    \
	     "ORed"},                                                                              \
	{                                                                                          \
		"or", 0, NULL, offset, filter_or, "or what the following ones match"               \
	}

const char *filter_src(const char *value, void *field);
const char *filter_dst(const char *value, void *field);
const char *filter_host(const char *value, void *field);
const char *filter_sport(const char *value, void *field);
const char *filter_dport(const char *value, void *field);
const char *filter_port(const char *value, void *field);
const char *filter_proto(const char *value, void *field);
const char *filter_ip_version(const char *value, void *field);
const char *filter_tcp_flags(const char *value, void *field);
const char *filter_icmp_type(const char *value, void *field);
const char *filter_prefix(const char *value, void *field);
const char *filter_mark(const char *value, void *field);
const char *filter_hook(const char *value, void *field);
const char *filter_interface(const char *value, void *field);
const char *filter_in(const char *value, void *field);
const char *filter_out(const char *value, void *field);
const char *filter_uid(const char *value, void *field);
const char *filter_gid(const char *value, void *field);
const char *filter_mac(const char *value, void *field);
const char *filter_vlan(const char *value, void *field);
const char *filter_ether_type(const char *value, void *field);
const char *filter_family(const char *value, void *field);
const char *filter_not(const char *value, void *field);
const char *filter_or(const char *value, void *field);

/**
 * filter_finish - the end of the command line
 * @argc, @argv: a tcpdump expression, in any number of arguments; it holds for each alternative
 * Returns EXIT_DONE, or EXIT_USAGE after complaining: also of what the server would refuse.
 */
int filter_finish(struct filter_settings *settings, int argc, char **argv);

/* Frees all of them. */
void filter_settings_done(struct filter_settings *settings);

#endif
