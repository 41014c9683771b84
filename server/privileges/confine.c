/* SPDX-License-Identifier: MIT */
/*
 * The filter of system calls: allowed is what calls.c lists, and a few more with certain arguments.
 *
 * The default is EPERM and no signal: a library that tries something new fails as on a system without
 * it, and the daemon goes on.
 */
#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "calls.h"
#include "cleanup.h"
#include "sanitized.h"

static void release(const scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = seccomp_rule_add(filter, action, calls[i], 0);
	return r;
}

/* Allows @call where argument number @arg has these @values in the bits of @mask. */
static int allow_masked(scmp_filter_ctx filter, int call, unsigned int arg, uint64_t mask,
			const uint64_t *values, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				     SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, values[i]));
	return r;
}

/* Files are read, none is written, made or cut. No AF_NETLINK or AF_PACKET: those sockets that there are
 * come from the opener. */
static int allow_files_and_sockets(scmp_filter_ctx filter)
{
	static const uint64_t none[] = {0};
	static const uint64_t families[] = {AF_UNIX, AF_INET, AF_INET6};
	static const uint64_t local[] = {AF_UNIX};
	int r = allow_masked(filter, SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, none,
			     ARRAY_SIZE(none));

	if (r == 0) /* the kernel, too, looks at 32 bits */
		r = allow_masked(filter, SCMP_SYS(socket), 0, UINT32_MAX, families,
				 ARRAY_SIZE(families));
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(socketpair), 0, UINT32_MAX, local,
				 ARRAY_SIZE(local));
	return r;
}

#if !IS_SANITIZED
/* No new code but that of a file, which is how NSS loads its modules. */
static int allow_memory(scmp_filter_ctx filter)
{
	static const uint64_t not_both[] = {0, PROT_WRITE, PROT_EXEC};
	static const uint64_t no_exec[] = {0};
	int r = allow_masked(filter, SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC, not_both,
			     ARRAY_SIZE(not_both));

	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, no_exec,
				 ARRAY_SIZE(no_exec));
	return r;
}

/* Threads, no processes; their names; and a signal to none but itself, for abort(). */
static int allow_threads(scmp_filter_ctx filter)
{
	static const uint64_t thread[] = {CLONE_THREAD};
	const uint64_t self[] = {(uint64_t)getpid()};
	static const uint64_t name[] = {PR_SET_NAME};
	int r = allow_masked(filter, SCMP_SYS(clone), 0, CLONE_THREAD, thread, ARRAY_SIZE(thread));

	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(tgkill), 0, UINT32_MAX, self, ARRAY_SIZE(self));
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(prctl), 0, UINT32_MAX, name, ARRAY_SIZE(name));
	return r;
}
#else
/* calls.c allows all of it: the sanitizers' run-time does what it likes. */
static int allow_memory(scmp_filter_ctx filter)
{
	(void)filter;
	return 0;
}

static int allow_threads(scmp_filter_ctx filter)
{
	(void)filter;
	return 0;
}
#endif

static int fill(scmp_filter_ctx filter)
{
	static const uint64_t no_new = 0;
	int r = add_all(filter, SCMP_ACT_ALLOW, calls_allowed, calls_allowed_count);

	if (r == 0)
		r = add_all(filter, SCMP_ACT_KILL_PROCESS, calls_deadly, calls_deadly_count);
	if (r == 0)
		r = allow_files_and_sockets(filter);
	if (r == 0)
		r = allow_memory(filter);
	if (r == 0)
		r = allow_threads(filter);
	if (r == 0) /* limits are read, not set */
		r = allow_masked(filter, SCMP_SYS(prlimit64), 2, UINT64_MAX, &no_new, 1);
	if (r == 0) /* its flags are behind a pointer; so glibc takes clone */
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

int privileges_confine(struct privileges_error *err)
{
	CLEANUP(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? fill(filter) : -ENOMEM;

	/* Sorted in a tree: 100 comparisons for each system call are too many for a busy server. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_load(filter);
	if (r < 0)
		(void)snprintf(err->text, sizeof(err->text), "no filter of system calls: %s",
			       strerror(-r));
	return r;
}
