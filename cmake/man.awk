# SPDX-License-Identifier: MIT
# Moves or drops the paragraph macros that scdoc writes where none can be: after a heading, before
# one, in a row, at the end of an indented block. Pages look the same and mandoc -T lint is content.
/^\.P$/ { wanted = !heading; next }
/^\.RE$/ { print; next }
wanted && !/^\.S[HS]/ { print ".P" }
{
	wanted = 0
	heading = /^\.(SH|SS|TH)/
	print
}
