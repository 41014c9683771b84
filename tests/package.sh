#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# package.sh FOLDER SOURCES: the packages of FOLDER in a Debian 12 of their own. Installed, run as
# systemd would, subscribed to by a member of the group nflog, built against, and purged.
set -euo pipefail

debs=$1
sources=$2
root=$(mktemp -d /tmp/nfl-package-XXXXXX)
chmod 755 "$root" # it becomes a /
space=nfl$$-package
daemon=

clean_up() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	ip netns del "$space" 2>/dev/null || true
	for mounted in run/netns dev sys proc; do
		! mountpoint -q "$root/$mounted" || umount -l "$root/$mounted"
	done
	rm -rf --one-file-system "$root"
}
trap clean_up EXIT

say() {
	printf '\n--- %s\n' "$*"
}

die() {
	printf 'package.sh: %s\n' "$*" >&2
	[ ! -f "$root/tmp/nflogd.log" ] || cat "$root/tmp/nflogd.log" >&2
	exit 1
}

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

# wait_for WHAT COMMAND...: until it succeeds, for 30 s.
wait_for() {
	local what=$1 tries=300
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || die "not within 30 s: $what"
		sleep 0.1
	done
}

say "debootstrap"
debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >/dev/null
mkdir -p "$root/run/netns" "$root/packages"
mount -t proc proc "$root/proc"
mount --rbind --make-rslave /sys "$root/sys"
mount --bind /dev "$root/dev"
cp "$debs"/*.deb "$root/packages"
rm -f "$root"/packages/*-dbgsym_*.deb
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # systemd does not run there
chmod +x "$root/usr/sbin/policy-rc.d"

say "install nflogd and nflogctl"
inside apt-get update -q >/dev/null
inside sh -c 'apt-get install -q -y --no-install-recommends /packages/nflogd_*.deb /packages/nflogctl_*.deb \
	/packages/libnfl0_*.deb /packages/libnfl-client0_*.deb adduser' >"$root/tmp/install.log" 2>&1 ||
	{ cat "$root/tmp/install.log"; die "apt-get install failed"; }
inside getent passwd nflogd >/dev/null || die "there is no user nflogd"
inside getent group nflog >/dev/null || die "there is no group nflog"
inside nflogd --check-config /etc/nflogd/nflogd.yaml
inside nflogctl --version

say "brokers come with packages of their own"
inside nflogctl forward --to nats://127.0.0.1:1/FW --name fw 2>&1 | grep -q "needs the package nflogctl-nats" ||
	die "nflogctl does not say which package it needs"
inside sh -c 'apt-get install -q -y --no-install-recommends /packages/nflogctl-nats_*.deb /packages/nflogctl-kafka_*.deb' \
	>"$root/tmp/install.log" 2>&1 || { cat "$root/tmp/install.log"; die "apt-get install failed"; }
for scheme in nats kafka; do
	inside nflogctl forward --to "$scheme://127.0.0.1:1/FW" --name fw 2>&1 |
		grep -q "^nflogctl: $scheme://127.0.0.1:1/FW: " || die "the module for $scheme:// does not load"
done

for page in man1/nflogctl.1 man5/nflogd.yaml.5 man8/nflogd.8; do
	[ -f "$root/usr/share/man/$page.gz" ] || die "no manual page $page"
done

say "start it as the unit does"
ip netns add "$space"
mount --rbind --make-rslave /run/netns "$root/run/netns"
ip -n "$space" link set lo up
ip netns exec "$space" nft -f - <<-RULES
	table inet t {
		chain out { type filter hook output priority 0; udp dport 9 log prefix "package" group 100; }
	}
RULES
inside systemd-tmpfiles --create /usr/lib/tmpfiles.d/nflogd.conf ||
	inside install -d -o nflogd -g nflog /run/nflogd
start=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/system/nflogd.service")
# As User= and AmbientCapabilities= have it.
chroot "$root" setpriv --reuid nflogd --regid nflog --clear-groups --no-new-privs \
	--inh-caps=-all,+sys_admin,+net_admin --ambient-caps=-all,+sys_admin,+net_admin \
	--bounding-set=-all,+sys_admin,+net_admin "$start" >"$root/tmp/nflogd.log" 2>&1 &
daemon=$!
wait_for "the socket of nflogd" test -S "$root/run/nflogd/nflogd.sock"

say "subscribe as a member of the group nflog, and as nobody"
inside useradd --groups nflog alice
listens() {
	inside setpriv --reuid alice --regid alice --init-groups nflogctl list sources 2>&1 |
		grep -q "$space.*listening"
}
wait_for "$space is read" listens
ip netns exec "$space" bash -c 'echo hello >/dev/udp/127.0.0.1/9' || true
inside setpriv --reuid alice --regid alice --init-groups timeout 30 nflogctl subscribe --netns "$space" \
	--all --count 1 >"$root/tmp/line" 2>/dev/null || die "alice got no packet"
grep package "$root/tmp/line"
! inside setpriv --reuid nobody --regid nogroup --clear-groups nflogctl status >/dev/null 2>&1 ||
	die "who is not in the group was served"
kill "$daemon"
wait "$daemon" || die "nflogd ended with $?"
daemon=

say "build against the -dev packages"
inside sh -c 'apt-get install -q -y --no-install-recommends gcc libc6-dev pkg-config cmake ninja-build \
	/packages/*.deb' >"$root/tmp/dev.log" 2>&1 || { tail "$root/tmp/dev.log"; die "no -dev packages"; }
cp -r "$sources/tests/consumer" "$root/tmp/consumer"
# The flags of pkg-config are several words, for the shell in there.
# shellcheck disable=SC2016
inside sh -c 'cd /tmp/consumer && gcc -Wall -Werror uses_nfl.c -o uses_nfl $(pkg-config --cflags --libs libnfl) &&
	gcc -Wall -Werror uses_client.c -o uses_client $(pkg-config --cflags --libs libnfl-client libnfl) &&
	cmake -S . -B build -G Ninja >/dev/null && cmake --build build >/dev/null && ./uses_nfl >/dev/null' ||
	die "the installed libraries cannot be built against"

say "upgrade to the same version, remove, purge"
inside sh -c 'apt-get install -q -y --reinstall /packages/nflogd_*.deb' >"$root/tmp/again.log" 2>&1 ||
	{ cat "$root/tmp/again.log"; die "reinstalling failed"; }
inside apt-get remove -q -y nflogd >/dev/null 2>&1
[ -f "$root/etc/nflogd/nflogd.yaml" ] || die "removing took the configuration along"
inside apt-get purge -q -y nflogd >/dev/null 2>&1
[ ! -e "$root/etc/nflogd" ] || die "purging left /etc/nflogd behind"
say "all is well"
