/* SPDX-License-Identifier: MIT */
/*
 * privileges/sanitized.h - what a build with sanitizers needs beyond the daemon
 *
 * LeakSanitizer looks at the process from a clone of it, by ptrace(2), which the kernel allows only for
 * a process that may be dumped. Private to the room.
 */
#ifndef PRIVILEGES_SANITIZED_H
#define PRIVILEGES_SANITIZED_H

#include <sys/prctl.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if !defined(IS_SANITIZED) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static inline void sanitized_let_it_look(void)
{
	if (IS_SANITIZED)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

#endif
