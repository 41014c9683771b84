#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Can this machine run the end-to-end tests? Says what is missing and fails: they never skip.
set -euo pipefail

fail() {
	printf 'end-to-end tests cannot run here: %s\n' "$1" >&2
	printf '(./dev test --unit runs the tests that need neither root nor a namespace)\n' >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "not root (network namespaces need CAP_SYS_ADMIN and CAP_NET_ADMIN)"
ns=nflright-$$
ip netns add "$ns" || fail "the kernel or this container does not allow network namespaces"
trap 'ip netns del "$ns"' EXIT
try() {
	ip netns exec "$ns" nft -f - <<<"$2" || fail "no $1 in this kernel or its modules"
}
try "nftables with NFLOG (nft 'log group', CONFIG_NETFILTER_NETLINK_LOG)" \
	'table inet t { chain c { type filter hook output priority 0; log group 1; }; }'
try "nftables bridge family" \
	'table bridge t { chain c { type filter hook forward priority 0; log group 1; }; }'
try "nftables arp family" \
	'table arp t { chain c { type filter hook input priority 0; log group 1; }; }'
ip -n "$ns" link add v0 type veth peer name v1 || fail "no veth devices"
ip -n "$ns" link add b0 type bridge || fail "no bridge devices"
try "nftables netdev family with ingress and egress hooks" \
	'table netdev t {
		chain i { type filter hook ingress device "v0" priority 0; log group 1; }
		chain e { type filter hook egress device "v0" priority 0; log group 1; }
	}'
