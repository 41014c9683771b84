#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# left_behind.sh list: the namespaces, processes and files of tests that are there now.
# left_behind.sh since FILE: fails and names what is there now and was not when `list` wrote FILE.
# What an earlier run that was killed has left is not this run's.
set -euo pipefail

list() {
	local here exe target
	here=$(pwd -P)/build/
	ip netns list | awk '/^nfl/ { print "network namespace " $1 }'
	for exe in /proc/[0-9]*/exe; do
		target=$(readlink "$exe" 2>/dev/null) || continue
		case $target in "$here"*) printf 'process %s %s\n' "$(basename "$(dirname "$exe")")" "$target" ;; esac
	done
	find /tmp -maxdepth 1 -name 'nfl-test-*' -printf 'file %p\n'
}

case ${1-} in
list) list | sort ;;
since)
	left=$(comm -13 "${2?}" <(list | sort))
	[ -z "$left" ] || {
		printf 'left behind:\n%s\n' "$left" >&2
		exit 1
	}
	;;
*)
	echo "left_behind.sh: list, or since FILE" >&2
	exit 2
	;;
esac
