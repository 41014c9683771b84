/* SPDX-License-Identifier: MIT */
/*
 * Programs whose allocations fail: NFL_FAIL_ALLOCATION=N, the Nth one; N+, all from the Nth on; /N, one
 * of N at any time. Of all threads; nothing fails without it.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "plan.h"

static unsigned long long nth;
static char how; /* '\0', '+' or '/' */
static atomic_ullong asked;

__attribute__((constructor)) static void read_environment(void)
{
	const char *text = getenv("NFL_FAIL_ALLOCATION");
	char *end;

	if (!text)
		return;
	if (*text == '/')
		how = *text++;
	nth = strtoull(text, &end, 10);
	if (*end)
		how = *end;
}

bool failing_now(void)
{
	unsigned long long number;

	if (nth == 0)
		return false;
	number = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
	if (how == '/')
		return number % nth == 0;
	return how == '+' ? number >= nth : number == nth;
}
