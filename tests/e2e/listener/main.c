/* SPDX-License-Identifier: MIT */
/* The listener and the links of lib/ on namespaces, rules and packets of this kernel. */
#include "lab.h"

static int all_tests(void)
{
	int failed = 0;

	failed += open_suite();
	failed += delivery_suite();
	failed += loss_suite();
	failed += adopt_suite();
	failed += run_suite();
	failed += links_suite();
	failed += example_suite();
	return failed != 0;
}

int main(void)
{
	return test_netns_guard(all_tests);
}
