# SPDX-License-Identifier: MIT
# Rewrites proto3 `optional T f = n;` to `oneof f_presence { T f = n; }`, line by line.
#
# protoc-c 1.4.1 refuses `optional`. A oneof of one member has the same bytes on the wire and the
# same presence; only the C struct differs. An `optional` that is not on one line is an error, so
# that no field can lose its presence unseen.
{
	code = $0
	sub(/\/\/.*/, "", code)
}

code !~ /(^|[ \t{;])optional([ \t]|$)/ {
	print
	next
}

code !~ /^[ \t]*optional[ \t]+[A-Za-z0-9_.]+[ \t]+[a-z0-9_]+[ \t]*=[ \t]*[0-9]+[ \t]*;[ \t]*$/ {
	printf "%s:%d: write an optional field on one line of its own\n", FILENAME, FNR > "/dev/stderr"
	failed = 1
	exit
}

{
	match(code, /^[ \t]*/)
	indent = substr(code, 1, RLENGTH)
	sub(/^[ \t]*optional[ \t]+/, "", code)
	split(code, word, /[ \t=]+/)
	sub(/[ \t]*$/, "", code)
	print indent "oneof " word[2] "_presence { " code " }"
}

END {
	exit failed
}
