/* SPDX-License-Identifier: MIT */
/* plan.h - which allocation fails: said by a test (failing.c), or by the environment (program.c) */
#ifndef FAILING_PLAN_H
#define FAILING_PLAN_H

#include <stdbool.h>

/* Is the allocation that is asked for now to fail? Counts it. */
bool failing_now(void);

#endif
