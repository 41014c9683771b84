/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets, bound with the right mode and group before anyone can connect. Calls nothing of gRPC:
 * it is done before privileges are given up, and by the process that removes what a dead daemon left.
 */
#include "sockets.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "rpc.h"

#define BACKLOG 128

static int fail(struct rpc_error *err, int code, const char *path, const char *what)
{
	(void)snprintf(err->text, sizeof(err->text), "%s: %s: %s", path, what, strerror(-code));
	return code;
}

/* Whether a server answers at the address. One that is too busy to answer lives, too. */
static bool is_alive(const struct sockaddr_un *address)
{
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	       errno != ECONNREFUSED;
}

/* Removes what a server left behind that did not end in order. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_alive(address))
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The last folder of the path; systemd makes /run/nflogd, a start by hand does not. */
static int make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Before listen(): nobody can connect yet, so there is no moment with the wrong rights. */
static int set_rights(const struct rpc_endpoint *endpoint)
{
	struct group *group;

	if (endpoint->group) {
		errno = 0;
		group = getgrnam(endpoint->group); /* main is the only thread that asks */
		if (!group)
			return errno ? -errno : -ESRCH;
		if (lchown(endpoint->unix_path, (uid_t)-1, group->gr_gid) < 0)
			return -errno;
	}
	return chmod(endpoint->unix_path, (mode_t)endpoint->mode) < 0 ? -errno : 0;
}

static int set_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

static int bind_socket(struct unix_socket *made)
{
	struct stat st;

	if (bind(made->fd, (struct sockaddr *)&made->address, sizeof(made->address)) < 0)
		return -errno;
	if (lstat(made->address.sun_path, &st) < 0)
		return -errno;
	made->dev = st.st_dev;
	made->inode = st.st_ino;
	return 0;
}

static void unix_socket_close(struct unix_socket *made)
{
	const char *path = made->address.sun_path;
	struct stat st;

	if (made->inode && lstat(path, &st) == 0 && st.st_dev == made->dev &&
	    st.st_ino == made->inode)
		(void)unlink(path); /* the next start replaces it otherwise */
	closep(&made->fd);
	made->fd = -1;
}

static int listen_unix(struct unix_socket *made, const struct rpc_endpoint *endpoint,
		       struct rpc_error *err)
{
	const char *path = endpoint->unix_path;
	int r = set_address(path, &made->address);

	if (r < 0)
		return fail(err, r, path, "no path for a socket");
	r = make_folder(path);
	if (r < 0)
		return fail(err, r, path, "cannot make its folder");
	r = remove_stale(&made->address);
	if (r < 0)
		return fail(err, r, path,
			    r == -EEXIST       ? "is there and is no socket"
			    : r == -EADDRINUSE ? "another server listens there"
					       : "cannot replace the socket left behind");
	made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made->fd < 0)
		return fail(err, -errno, path, "cannot make a socket");
	r = bind_socket(made);
	if (r < 0)
		return fail(err, r, path, "cannot bind");
	r = set_rights(endpoint);
	if (r < 0)
		return fail(err, r, path,
			    r == -ESRCH ? "there is no such group as its owner is to be"
					: "cannot set mode and group");
	if (listen(made->fd, BACKLOG) < 0)
		return fail(err, -errno, path, "cannot listen");
	return 0;
}

static int add(struct rpc_sockets *sockets, const struct rpc_endpoint *endpoint,
	       struct rpc_error *err)
{
	struct unix_socket *made = &sockets->items[sockets->count];
	int r;

	if (sockets->count == SOCKETS_MAX)
		return fail(err, -E2BIG, endpoint->unix_path, "too many unix sockets");
	*made = (struct unix_socket){.fd = -1};
	r = listen_unix(made, endpoint, err);
	if (r < 0) {
		unix_socket_close(made);
		return r;
	}
	sockets->count++;
	log_info("rpc.listening", "unix=%s mode=%04o", endpoint->unix_path, endpoint->mode);
	return 0;
}

int rpc_bind(const struct rpc_endpoint *endpoints, size_t count, struct rpc_sockets **ret,
	     struct rpc_error *err)
{
	struct rpc_sockets *sockets = calloc(1, sizeof(*sockets));
	int r = 0;

	if (!sockets) {
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		if (endpoints[i].unix_path)
			r = add(sockets, &endpoints[i], err);
	if (r < 0) {
		rpc_unbind(sockets);
		return r;
	}
	*ret = sockets;
	return 0;
}

void sockets_close(struct rpc_sockets *sockets)
{
	while (sockets->count > 0)
		unix_socket_close(&sockets->items[--sockets->count]);
}

void rpc_unbind(struct rpc_sockets *sockets)
{
	if (!sockets)
		return;
	sockets_close(sockets);
	free(sockets);
}

int rpc_remove_stale(const char *unix_path)
{
	struct sockaddr_un address;
	int r = set_address(unix_path, &address);

	return r < 0 ? r : remove_stale(&address);
}
