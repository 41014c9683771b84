/* SPDX-License-Identifier: MIT */
/* Which allocation of a test fails: each in turn. */
#include "failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan.h"

static _Thread_local struct {
	bool is_on;
	bool stays; /* all that follow fail, too */
	bool was_hit;
	unsigned left; /* allocations until one fails */
} failing;

void failing_on(void)
{
	failing.is_on = true;
}

void failing_off(void)
{
	failing.is_on = false;
}

bool failing_now(void)
{
	if (!failing.is_on || (failing.was_hit && !failing.stays))
		return false;
	if (!failing.was_hit && --failing.left > 0)
		return false;
	failing.was_hit = true;
	return true;
}

static unsigned fail_each(failing_fn fn, const void *data, int expected, bool stays, bool may_go_on)
{
	for (unsigned nth = 1;; nth++) {
		int r;

		failing.left = nth;
		failing.was_hit = false;
		failing.stays = stays;
		r = fn(data);
		assert_false(failing.is_on);
		if (!failing.was_hit) {
			assert_int_equal(r, expected);
			return nth - 1;
		}
		if (r != -ENOMEM && !(may_go_on && r == expected))
			fail_msg("allocation %u failed, and it returned %d", nth, r);
	}
}

static unsigned fail_each_twice(failing_fn fn, const void *data, int expected, bool may_go_on)
{
	unsigned count = fail_each(fn, data, expected, false, may_go_on);

	(void)fail_each(fn, data, expected, true, may_go_on);
	return count;
}

unsigned failing_each(failing_fn fn, const void *data, int expected)
{
	return fail_each_twice(fn, data, expected, false);
}

unsigned failing_each_or_without(failing_fn fn, const void *data, int expected)
{
	return fail_each_twice(fn, data, expected, true);
}
