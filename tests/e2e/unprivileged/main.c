/* SPDX-License-Identifier: MIT */
/* Users, capabilities and the filter of system calls, with this kernel; needs root. */
#include <stdio.h>
#include <unistd.h>

#include "child.h"

int main(void)
{
	int failed;

	if (geteuid() != 0) {
		(void)fprintf(stderr, "needs root\n");
		return 1;
	}
	failed = drop_suite();
	failed += confine_suite();
	return failed != 0;
}
