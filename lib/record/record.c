/* SPDX-License-Identifier: MIT */
/*
 * record.c - names for the numbers of a record
 *
 * The kernel counts hooks anew in every family: 1 is LOCAL_IN for IPv4, OUT for ARP, EGRESS for
 * netdev. Here is the one place that knows. Called by the wire encoder, the filters and the
 * renderers; nothing is allocated, all text is static.
 */
#include <netinet/in.h>

#include <nfl/record.h>

#include "bytes.h"

/* enum nf_inet_hooks; `inet` ingress has the number after the last. */
static const uint8_t inet_hooks[] = {
    NFL_HOOK_PREROUTING, NFL_HOOK_INPUT,       NFL_HOOK_FORWARD,
    NFL_HOOK_OUTPUT,     NFL_HOOK_POSTROUTING, NFL_HOOK_INGRESS,
};

/* NF_BR_*: as above, but 5 is the broute table of ebtables. */
static const uint8_t bridge_hooks[] = {
    NFL_HOOK_PREROUTING, NFL_HOOK_INPUT,       NFL_HOOK_FORWARD,
    NFL_HOOK_OUTPUT,     NFL_HOOK_POSTROUTING, NFL_HOOK_BROUTING,
};

/* NF_ARP_* */
static const uint8_t arp_hooks[] = {NFL_HOOK_INPUT, NFL_HOOK_OUTPUT, NFL_HOOK_FORWARD};

/* enum nf_dev_hooks */
static const uint8_t netdev_hooks[] = {NFL_HOOK_INGRESS, NFL_HOOK_EGRESS};

static enum nfl_hook hook_at(const uint8_t *hooks, size_t count, uint8_t number)
{
	return number < count ? (enum nfl_hook)hooks[number] : NFL_HOOK_UNSPECIFIED;
}

enum nfl_hook nfl_record_hook(const struct nfl_record *record)
{
	uint8_t number = record->hook_number;

	switch (record->family) {
	case NFL_FAMILY_INET:
	case NFL_FAMILY_IPV4:
	case NFL_FAMILY_IPV6:
		return hook_at(inet_hooks, ARRAY_SIZE(inet_hooks), number);
	case NFL_FAMILY_BRIDGE:
		return hook_at(bridge_hooks, ARRAY_SIZE(bridge_hooks), number);
	case NFL_FAMILY_ARP:
		return hook_at(arp_hooks, ARRAY_SIZE(arp_hooks), number);
	case NFL_FAMILY_NETDEV:
		return hook_at(netdev_hooks, ARRAY_SIZE(netdev_hooks), number);
	default: /* a number of the kernel, not our enum: it may be any */
		return NFL_HOOK_UNSPECIFIED;
	}
}

static const char *name_at(const char *const *names, size_t count, size_t index)
{
	return index < count && names[index] ? names[index] : NULL;
}

const char *nfl_hook_name(enum nfl_hook hook)
{
	static const char *const names[] = {
	    [NFL_HOOK_PREROUTING] = "PREROUTING",   [NFL_HOOK_INPUT] = "INPUT",
	    [NFL_HOOK_FORWARD] = "FORWARD",         [NFL_HOOK_OUTPUT] = "OUTPUT",
	    [NFL_HOOK_POSTROUTING] = "POSTROUTING", [NFL_HOOK_INGRESS] = "INGRESS",
	    [NFL_HOOK_EGRESS] = "EGRESS",           [NFL_HOOK_BROUTING] = "BROUTING",
	};
	const char *name = name_at(names, ARRAY_SIZE(names), (size_t)hook);

	return name ? name : "?";
}

const char *nfl_family_name(unsigned family)
{
	static const char *const names[] = {
	    [NFL_FAMILY_INET] = "inet",     [NFL_FAMILY_IPV4] = "ip",
	    [NFL_FAMILY_ARP] = "arp",       [NFL_FAMILY_NETDEV] = "netdev",
	    [NFL_FAMILY_BRIDGE] = "bridge", [NFL_FAMILY_IPV6] = "ip6",
	};
	const char *name = name_at(names, ARRAY_SIZE(names), family);

	return name ? name : "?";
}

const char *nfl_protocol_name(uint8_t protocol)
{
	static const char *const names[] = {
	    [IPPROTO_ICMP] = "ICMP",
	    [IPPROTO_IGMP] = "IGMP",
	    [IPPROTO_IPIP] = "IPIP",
	    [IPPROTO_TCP] = "TCP",
	    [IPPROTO_UDP] = "UDP",
	    [IPPROTO_DCCP] = "DCCP",
	    [IPPROTO_IPV6] = "IPv6",
	    [IPPROTO_RSVP] = "RSVP",
	    [IPPROTO_GRE] = "GRE",
	    [IPPROTO_ESP] = "ESP",
	    [IPPROTO_AH] = "AH",
	    [IPPROTO_ICMPV6] = "ICMPv6",
	    [89] = "OSPF",
	    [IPPROTO_PIM] = "PIM",
	    [112] = "VRRP",
	    [115] = "L2TP",
	    [IPPROTO_SCTP] = "SCTP",
	    [IPPROTO_MH] = "MH",
	    [IPPROTO_UDPLITE] = "UDP-Lite",
	};

	return name_at(names, ARRAY_SIZE(names), protocol);
}

const char *nfl_ct_info_name(uint32_t info)
{
	/* enum ip_conntrack_info; 5 and 6 are not in use, 7 is what the kernel calls untracked. */
	static const char *const names[] = {
	    [0] = "ESTABLISHED",       [1] = "RELATED",       [2] = "NEW",
	    [3] = "ESTABLISHED_REPLY", [4] = "RELATED_REPLY", [7] = "UNTRACKED",
	};
	const char *name = name_at(names, ARRAY_SIZE(names), info);

	return name ? name : "?";
}
