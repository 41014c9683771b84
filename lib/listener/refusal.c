/* SPDX-License-Identifier: MIT */
/*
 * refusal.c - tell a taken group from a missing capability
 *
 * The kernel says EPERM for both. Whether the capability is there we know ourselves; who has the
 * group stands in a file of /proc that follows the thread's namespace. Called by socket.c.
 */
#include "refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "error.h"

#define GROUPS_FILE      "/proc/thread-self/net/netfilter/nfnetlink_log"
#define KERNEL_ENOTSUPP  524 /* has no name outside the kernel */
#define CAPABILITY_WORDS 2

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file); /* it was only read */
}

/* libc has no wrapper for capget(2) and we want no library for one bit. Not known counts as there:
 * the kernel's error is then all there is to say. */
bool refusal_has_net_admin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct words[CAPABILITY_WORDS];

	if (syscall(SYS_capget, &header, words) < 0)
		return true;
	return words[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

/* The port id that has the group; 0 when nobody has or the file cannot be read. */
static uint32_t find_owner(uint16_t group)
{
	CLEANUP(close_file) FILE *file = fopen(GROUPS_FILE, "re");
	uint32_t number, port_id;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNu32 " %" SCNu32, &number, &port_id) == 2 && number == group)
			return port_id;
	}
	return 0;
}

static int explain_eperm(uint16_t group, uint32_t port_id, struct nfl_error *err)
{
	uint32_t owner;

	if (!refusal_has_net_admin())
		return error_set(err, -EPERM, "group %u: CAP_NET_ADMIN is missing", group);
	owner = find_owner(group);
	if (owner && owner != port_id)
		return error_set(
		    err, -EBUSY,
		    "group %u is taken by netlink port id %" PRIu32
		    " (usually the process id); the kernel has one reader for each group",
		    group, owner);
	return error_set(err, -EPERM,
			 "group %u: CAP_NET_ADMIN is missing in the user namespace that owns the "
			 "network namespace",
			 group);
}

int refusal_explain(int code, uint16_t group, uint32_t port_id, struct nfl_error *err)
{
	switch (-code) {
	case EPERM:
		return explain_eperm(group, port_id, err);
	case EEXIST: /* somebody was faster, this very moment */
	case EBUSY:
		return error_set(err, -EBUSY, "group %u is taken", group);
	case EOPNOTSUPP:
		return error_set(
		    err, -EOPNOTSUPP,
		    "group %u: this kernel cannot attach connections to logged packets", group);
	case EINVAL: /* what nfnetlink says when nobody serves the subsystem */
	case KERNEL_ENOTSUPP:
		return error_set(err, -EOPNOTSUPP,
				 "group %u: this kernel has no NFLOG (module nfnetlink_log)",
				 group);
	case ENOBUFS:
		return error_set(err, -ENOBUFS,
				 "group %u: the kernel's answer was lost for want of memory",
				 group);
	default:
		return error_set(err, code, "group %u: cannot bind: %s", group, strerror(-code));
	}
}
