/* SPDX-License-Identifier: MIT */
#ifndef NFL_BASE_CLEANUP_H
#define NFL_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/**
 * CLEANUP - run fn(&variable) when the variable leaves its scope
 *
 * The one cleanup idiom of the project. A pointer that survives is handed out by TAKE_PTR, a
 * descriptor by take_fd().
 */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define TAKE_PTR(p)                                                                                \
	__extension__({                                                                            \
		__typeof__(p) take_tmp_ = (p);                                                     \
		(p) = NULL;                                                                        \
		take_tmp_;                                                                         \
	})

/* For CLEANUP(freep): free() through the address of any pointer. */
static inline void freep(void *p)
{
	free(*(void **)p);
}

/* For CLEANUP(closep): close a descriptor unless it is -1. */
static inline void closep(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing can be done about a failed close */
}

/* Moves a descriptor out of a variable, leaving -1 (none) behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
