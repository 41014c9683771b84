#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# After the tests: no namespace, process or file of theirs may be left.
set -euo pipefail

bad=0
found() {
	printf 'left behind: %s\n%s\n' "$1" "$2" >&2
	bad=1
}
spaces=$(ip netns list | grep -E '^nfl' || true)
[ -z "$spaces" ] || found "network namespaces" "$spaces"
here=$(pwd -P)/build/
processes=$(for exe in /proc/[0-9]*/exe; do
	target=$(readlink "$exe" 2>/dev/null) || continue
	case $target in "$here"*) printf '%s %s\n' "$exe" "$target" ;; esac
done)
[ -z "$processes" ] || found "processes" "$processes"
files=$(find /tmp -maxdepth 1 -name 'nfl-test-*' 2>/dev/null || true)
[ -z "$files" ] || found "files" "$files"
exit $bad
