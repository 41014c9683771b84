#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# optional_to_oneof.sh PROTO-FOLDER: the rewriting that makes the contract fit for protoc-c.
set -euo pipefail
script=$1/optional_to_oneof.awk
contract=$1/nflog/v1/nflog.proto

fail() {
	printf 'FAIL: %s\n' "$1" >&2
	exit 1
}

# rewritten TEXT EXPECTED
rewritten() {
	local got
	got=$(printf '%s\n' "$1" | awk -f "$script")
	[ "$got" = "$2" ] || fail "'$1' became '$got', expected '$2'"
}

# refused TEXT
refused() {
	! printf '%s\n' "$1" | awk -f "$script" >/dev/null 2>&1 || fail "'$1' was accepted"
}

rewritten '  optional uint32 uid = 22;' '  oneof uid_presence { uint32 uid = 22; }'
rewritten '  optional uint32 id = 3;  // of it' '  oneof id_presence { uint32 id = 3; }'
rewritten '  optional google.protobuf.Duration lag = 4;' \
	'  oneof lag_presence { google.protobuf.Duration lag = 4; }'
rewritten '  // optional uint32 uid = 22;' '  // optional uint32 uid = 22;'
rewritten '  uint32 optional_count = 1;' '  uint32 optional_count = 1;'
rewritten '  uint32 a = 1;  // optional' '  uint32 a = 1;  // optional'
refused '  optional uint32'
refused '  repeated bytes optional = 1;'
refused '  optional uint32 uid = 22; optional uint32 gid = 23;'
refused 'message A { optional uint32 uid = 22; }'

# Of the contract itself every optional field is rewritten and no line is lost.
copy=$(awk -f "$script" "$contract")
fields=$(grep -cE '^ *optional ' "$contract")
[ "$fields" -gt 0 ] || fail "the contract has no optional field"
[ "$(grep -c '_presence {' <<<"$copy")" = "$fields" ] || fail "an optional field was not rewritten"
! grep -qE '^ *optional ' <<<"$copy" || fail "an optional field is left"
[ "$(wc -l <<<"$copy")" = "$(wc -l <"$contract")" ] || fail "a line was lost"
