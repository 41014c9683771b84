#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev demo: two namespaces that log real traffic, one nflogd, one subscriber, in this terminal.
#   demo.sh BIN [RECORDS]     BIN: the folder of nflogd and nflogctl; RECORDS: default 24
# Makes the namespaces nfldemo-red and nfldemo-blue, a cable between them and a temporary folder,
# and removes all of it at the end.
set -euo pipefail

bin=$1
records=${2:-24}
red=nfldemo-red
blue=nfldemo-blue
pids=()
made=()
folder=$(mktemp -d)

clean_up() {
	local pid ns
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	for ns in "${made[@]}"; do
		ip netns del "$ns" || true
	done
	rm -rf "$folder"
}
trap clean_up EXIT

step() {
	printf '\n--- %s\n' "$*"
}

add_netns() {
	ip netns add "$1" || exit 1
	made+=("$1")
	ip -n "$1" link set lo up
}

# What a host firewall looks like: new connections are noted, one port is refused, pings are noted.
log_rules() {
	ip netns exec "$1" nft -f - <<RULES
table inet filter {
	chain input {
		type filter hook input priority 0; policy accept;
		tcp dport 23 tcp flags syn log prefix "$2-drop: " group 100 drop
		meta l4proto { icmp, icmpv6 } log prefix "$2-ping: " group 100
		udp dport 53 log prefix "$2-dns: " group 100
	}
	chain output {
		type filter hook output priority 0; policy accept;
		tcp flags syn log prefix "$2-out: " group 100
	}
}
RULES
}

# Pings, a DNS-like datagram and a refused connection each way, until it is ended.
traffic() {
	local ns=$1 four=$2 six=$3
	while :; do
		ip netns exec "$ns" ping -q -c 1 -W 1 "$four" || true
		ip netns exec "$ns" ping -q -c 1 -W 1 "$six" || true
		ip netns exec "$ns" bash -c "echo hello > /dev/udp/$four/53" || true
		ip netns exec "$ns" timeout 0.2 bash -c "echo > /dev/tcp/$four/23" || true
	done >/dev/null 2>&1
}

step "two network namespaces with a cable between them and nft log rules"
add_netns "$red"
add_netns "$blue"
ip link add veth-red netns "$red" type veth peer name veth-blue netns "$blue"
ip -n "$red" addr add 10.0.1.1/24 dev veth-red
ip -n "$red" addr add fd00:1::1/64 dev veth-red nodad
ip -n "$blue" addr add 10.0.1.2/24 dev veth-blue
ip -n "$blue" addr add fd00:1::2/64 dev veth-blue nodad
ip -n "$red" link set veth-red up
ip -n "$blue" link set veth-blue up
log_rules "$red" red
log_rules "$blue" blue
ip netns exec "$red" nft list ruleset

step "nflogd reads group 100 of both"
socket=$folder/nflogd.sock
"$bin/nflogd" --netns "$red" --netns "$blue" --group 100 --listen "unix:$socket" &
daemon=$!
pids+=("$daemon")
for ((tries = 0; tries < 500; tries++)); do
	"$bin/nflogctl" --server "unix:$socket" status >/dev/null 2>&1 && break
	kill -0 "$daemon" || exit 1
	read -r -t 0.02 <> <(:) || true
done
"$bin/nflogctl" --server "unix:$socket" list sources

step "nflogctl subscribe --count $records"
traffic "$red" 10.0.1.2 fd00:1::2 &
pids+=("$!")
traffic "$blue" 10.0.1.1 fd00:1::1 &
pids+=("$!")
timeout 60 "$bin/nflogctl" --server "unix:$socket" subscribe --count "$records"

step "the same as JSON, one object a line"
timeout 60 "$bin/nflogctl" --server "unix:$socket" subscribe --netns "$red" --count 2 -o json

step "nflogctl status"
"$bin/nflogctl" --server "unix:$socket" status
step "done; everything is removed"
