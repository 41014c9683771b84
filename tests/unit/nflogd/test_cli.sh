#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nflogd's exit codes and words where it ends before it opens anything: no root, no network.
#   test_cli.sh NFLOGD
set -euo pipefail

nflogd=$1
folder=$(mktemp -d /tmp/nfl-test-XXXXXX)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE WORDS ARGUMENT...: the exit code, and words in what it prints
expect() {
	local code=$1 words=$2 got=0 out
	shift 2
	out=$("$nflogd" "$@" 2>&1) || got=$?
	if [ "$got" = "$code" ] && [[ $out == *"$words"* ]]; then
		printf 'ok: nflogd %s\n' "$*"
	else
		printf 'FAILED: nflogd %s\nexpected %s and "%s", got %s and:\n%s\n' "$*" "$code" "$words" \
			"$got" "$out"
		failed=1
	fi
}

cat >"$folder/good.yaml" <<'YAML'
tenants:
  - name: red
    identities: [{ unix_uid: 0 }]
    sources: [{ netns: red, groups: [100] }]
YAML

cat >"$folder/bad.yaml" <<'YAML'
colour: blue
tenants:
  - name: red
    identities: [{ unix_uid: 0 }]
    sources: [{ netns: red, groups: [70000] }]
YAML

{
	cat "$folder/good.yaml"
	printf 'listen: [{ tcp: "127.0.0.1:7443", tls: { certificate: /a, private_key: /b } }]\n'
} >"$folder/tls.yaml"

cat >"$folder/ambiguous.yaml" <<'YAML'
tenants:
  - name: red
    identities: [{ unix_uid: 0 }]
    sources: [{ netns: red, groups: [100] }]
  - name: blue
    identities: [{ unix_user: root }, { unix_user: nfl-nosuch }]
    sources: [{ netns: blue, groups: [100] }]
YAML

expect 0 "nflogd " --version
expect 0 "--check-config" --help
expect 2 "'--colour'" --colour
expect 2 "cannot be given with one" --config "$folder/good.yaml" --netns red
expect 0 "" --check-config "$folder/good.yaml"
expect 1 "bad.yaml:1:1:" --check-config "$folder/bad.yaml"
expect 1 "bad.yaml:5:38:" --check-config "$folder/bad.yaml"
expect 1 "ambiguous.yaml:6:18:" --check-config "$folder/ambiguous.yaml"
expect 1 "ambiguous.yaml:6:39: warning:" --check-config "$folder/ambiguous.yaml"
expect 1 "bad.yaml:1:1:" --config "$folder/bad.yaml"
expect 1 "nosuch.yaml" --config "$folder/nosuch.yaml"
expect 0 "" --check-config "$folder/tls.yaml"
expect 1 "not a loopback address" --netns red --listen 0.0.0.0:7443
exit "$failed"
