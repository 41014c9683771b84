/* SPDX-License-Identifier: MIT */
/*
 * What is given up is gone for good, so each case gives it up in a child of its own.
 */
#ifndef UNPRIVILEGED_CHILD_H
#define UNPRIVILEGED_CHILD_H

#include "privileges.h"

/* Runs @fn in a child, which ends as a program does, with exit(): 0 is success, else it has said why.
 * Returns the exit status, or the negative number of the signal that ended the child. */
int child_run(int (*fn)(void *data), void *data);

/* In a child: returns from the function with a message unless it is true. */
#define CHILD_EXPECT(what)                                                                         \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__,      \
				      #what, strerrordesc_np(errno));                              \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* In a child: becomes nobody. 0 or 1, having said why. */
int child_drop(void);
/* The same, and only the daemon's system calls are left. */
int child_confine(void);

int drop_suite(void);
int confine_suite(void);

#endif
