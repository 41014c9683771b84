/* SPDX-License-Identifier: MIT */
/*
 * netns.c - from a name, path, pid or descriptor to a namespace, and a call inside it
 *
 * A namespace is an open file of nsfs. A socket belongs for ever to the namespace it is created
 * in, so its maker needs to be there for that moment only. The descriptor keeps the namespace
 * alive: callers close it as soon as the socket exists.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "error.h"

#define NETNS_DIR "/run/netns"
/* Of the calling thread: other threads of the process may be elsewhere. */
#define NETNS_OWN "/proc/thread-self/ns/net"
/* Whatever lies at a path of the configuration, to open it must neither wait nor take a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* ESRCH is what /proc says of a process that ends while it is looked at. */
static int open_failed(int code, const char *what, struct nfl_error *err)
{
	if (code == ENOENT || code == ENOTDIR || code == ESRCH || code == ENXIO)
		return error_set(err, -ENOENT, "%s does not exist", what);
	if (code == EACCES || code == EPERM)
		return error_set(err, -EPERM, "%s cannot be opened: %s", what, strerror(code));
	return error_set(err, -code, "cannot open %s: %s", what, strerror(code));
}

/* Opens a file and says what it was wanted for when that fails. */
static int open_file(const char *path, int flags, const char *what, int *ret_fd,
		     struct nfl_error *err)
{
	int fd = open(path, flags);

	if (fd < 0)
		return open_failed(errno, what, err);
	*ret_fd = fd;
	return 0;
}

static bool is_name(const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int open_name(const char *name, int *ret_fd, struct nfl_error *err)
{
	char path[sizeof(NETNS_DIR) + 1 + NAME_MAX];
	char what[sizeof(path) + 32];
	int fd;

	if (!is_name(name))
		return error_set(err, -EINVAL,
				 "network namespace \"%s\": expected a name as in " NETNS_DIR,
				 name ? name : "");
	(void)snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	(void)snprintf(what, sizeof(what), "network namespace \"%s\"", name);
	fd = open(path, OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0 && errno == ELOOP)
		return error_set(err, -ENOENT, "%s is a symbolic link, no namespace", path);
	if (fd < 0)
		return open_failed(errno, what, err);
	*ret_fd = fd;
	return 0;
}

static int open_path(const char *path, int *ret_fd, struct nfl_error *err)
{
	if (!path || !*path)
		return error_set(err, -EINVAL, "network namespace: the path is empty");
	return open_file(path, OPEN_FLAGS, path, ret_fd, err);
}

static int open_pid(pid_t pid, int *ret_fd, struct nfl_error *err)
{
	char path[64], what[64];

	if (pid <= 0)
		return error_set(err, -EINVAL, "network namespace: %jd is no process id",
				 (intmax_t)pid);
	(void)snprintf(path, sizeof(path), "/proc/%jd/ns/net", (intmax_t)pid);
	(void)snprintf(what, sizeof(what), "network namespace of process %jd", (intmax_t)pid);
	return open_file(path, OPEN_FLAGS, what, ret_fd, err);
}

static int duplicate(int fd, int *ret_fd, struct nfl_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return error_set(err, -errno, "network namespace: descriptor %d: %s", fd,
				 strerror(errno));
	*ret_fd = copy;
	return 0;
}

/* `ip netns add` makes a plain file first and mounts the namespace on it a moment later, so a
 * plain file is a namespace that is not there yet. */
static int check_is_netns(int fd, struct nfl_error *err)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs) < 0)
		return error_set(err, -errno, "network namespace: %s", strerror(errno));
	if (fs.f_type != NSFS_MAGIC)
		return error_set(err, -ENOENT, "no network namespace: the file is not on nsfs");
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type >= 0 && type != CLONE_NEWNET)
		return error_set(err, -ENOENT, "no network namespace: another kind of namespace");
	return 0;
}

static int open_kind(const struct nfl_netns *netns, int *ret_fd, struct nfl_error *err)
{
	switch (netns->kind) {
	case NFL_NETNS_SELF:
		return open_file(NETNS_OWN, OPEN_FLAGS, NETNS_OWN, ret_fd, err);
	case NFL_NETNS_NAME:
		return open_name(netns->name, ret_fd, err);
	case NFL_NETNS_PATH:
		return open_path(netns->name, ret_fd, err);
	case NFL_NETNS_PID:
		return open_pid(netns->pid, ret_fd, err);
	case NFL_NETNS_FD:
		return duplicate(netns->fd, ret_fd, err);
	}
	return error_set(err, -EINVAL, "network namespace: unknown kind %d", (int)netns->kind);
}

int netns_open(const struct nfl_netns *netns, int *ret_fd, struct nfl_error *err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	r = open_kind(netns, &fd, err);
	if (r < 0)
		return r;
	r = check_is_netns(fd, err);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

int netns_identify(int fd, uint64_t *ret_dev, uint64_t *ret_inode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_dev = st.st_dev;
	*ret_inode = st.st_ino;
	return 0;
}

static bool is_same(int a, int b)
{
	uint64_t a_dev = 0, a_inode = 0, b_dev = 0,
		 b_inode = 0; /* gcc -O2 cannot see they are set */

	return netns_identify(a, &a_dev, &a_inode) == 0 &&
	       netns_identify(b, &b_dev, &b_inode) == 0 && a_dev == b_dev && a_inode == b_inode;
}

static int enter(int fd, struct nfl_error *err)
{
	if (setns(fd, CLONE_NEWNET) == 0)
		return 0;
	if (errno == EPERM)
		return error_set(
		    err, -EPERM,
		    "cannot enter the network namespace: CAP_SYS_ADMIN is missing, here "
		    "or in the user namespace that owns it");
	return error_set(err, -errno, "cannot enter the network namespace: %s", strerror(errno));
}

int netns_call(int fd, int (*fn)(void *data), void *data, struct nfl_error *err)
{
	CLEANUP(closep) int own = -1;
	int r;

	r = open_file(NETNS_OWN, OPEN_FLAGS, NETNS_OWN, &own, err);
	if (r < 0)
		return r;
	if (is_same(fd, own)) /* to stay needs no capability */
		return fn(data);
	r = enter(fd, err);
	if (r < 0)
		return r;
	r = fn(data);
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return r;
}
