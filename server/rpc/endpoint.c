/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets: bound with the right mode and group before anyone can connect, accepted by a thread
 * that survives running out of descriptors, handed to gRPC with the peer's credentials on record.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include "cleanup.h"
#include "clock.h"
#include "inlet.h"
#include "log.h"
#include "peers.h"
#include "rpc.h"

#define LISTENERS_MAX   16
#define BACKLOG         128
#define ACCEPT_RETRY_MS 100 /* after running out of descriptors */

struct listener {
	int fd;
	struct sockaddr_un address;
	dev_t dev; /* of the socket file, so that a stranger's is not removed */
	ino_t inode;
};

struct acceptor {
	grpc_server *server;                  /* borrowed */
	grpc_server_credentials *credentials; /* owned; the insecure ones: the socket file guards */
	struct peers *peers;                  /* borrowed */
	int stop_fd;                          /* eventfd */
	struct listener listeners[LISTENERS_MAX];
	size_t count;
	pthread_t thread;
	bool running;
	bool refusing; /* [thread] has logged that connections are too many */
};

struct acceptor *acceptor_new(grpc_server *server, struct peers *peers)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor)
		return NULL;
	acceptor->server = server;
	acceptor->peers = peers;
	acceptor->credentials = grpc_insecure_server_credentials_create();
	acceptor->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (acceptor->stop_fd < 0) {
		acceptor_free(acceptor);
		return NULL;
	}
	return acceptor;
}

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

static int bind_socket(struct listener *listener)
{
	struct stat st;

	if (bind(listener->fd, (struct sockaddr *)&listener->address, sizeof(listener->address)) <
	    0)
		return -errno;
	if (lstat(listener->address.sun_path, &st) < 0)
		return -errno;
	listener->dev = st.st_dev;
	listener->inode = st.st_ino;
	return 0;
}

static void listener_close(struct listener *listener)
{
	const char *path = listener->address.sun_path;
	struct stat st;

	if (listener->inode && lstat(path, &st) == 0 && st.st_dev == listener->dev &&
	    st.st_ino == listener->inode)
		(void)unlink(path); /* the next start replaces it otherwise */
	closep(&listener->fd);
	listener->fd = -1;
}

static int listen_unix(struct listener *listener, const struct rpc_endpoint *endpoint,
		       struct rpc_error *err)
{
	const char *path = endpoint->unix_path;
	int r = set_address(path, &listener->address);

	if (r < 0)
		return fail(err, r, path, "no path for a socket");
	r = make_folder(path);
	if (r < 0)
		return fail(err, r, path, "cannot make its folder");
	r = remove_stale(&listener->address);
	if (r < 0)
		return fail(err, r, path,
			    r == -EEXIST       ? "is there and is no socket"
			    : r == -EADDRINUSE ? "another server listens there"
					       : "cannot replace the socket left behind");
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return fail(err, -errno, path, "cannot make a socket");
	r = bind_socket(listener);
	if (r < 0)
		return fail(err, r, path, "cannot bind");
	r = set_rights(endpoint);
	if (r < 0)
		return fail(err, r, path,
			    r == -ESRCH ? "there is no such group as its owner is to be"
					: "cannot set mode and group");
	if (listen(listener->fd, BACKLOG) < 0)
		return fail(err, -errno, path, "cannot listen");
	return 0;
}

int acceptor_add(struct acceptor *acceptor, const struct rpc_endpoint *endpoint,
		 struct rpc_error *err)
{
	struct listener *listener = &acceptor->listeners[acceptor->count];
	int r;

	if (acceptor->count == LISTENERS_MAX)
		return fail(err, -E2BIG, endpoint->unix_path, "too many unix sockets");
	*listener = (struct listener){.fd = -1};
	r = listen_unix(listener, endpoint, err);
	if (r < 0) {
		listener_close(listener);
		return r;
	}
	acceptor->count++;
	log_info("rpc.listening", "unix=%s mode=%04o", endpoint->unix_path, endpoint->mode);
	return 0;
}

/* Logged once until a connection is accepted again: a peer decides how often it happens. */
static void refuse(struct acceptor *acceptor, const struct ucred *who)
{
	if (!acceptor->refusing)
		log_warn("rpc.connections", "refused=uid:%u reason=\"too many connections\"",
			 who->uid);
	acceptor->refusing = true;
}

/* Returns false when there is nothing to accept, or no descriptor to do it with. */
static bool accept_one(struct acceptor *acceptor, int listener, bool *ret_exhausted)
{
	CLEANUP(closep) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who;
	socklen_t len = sizeof(who);

	if (fd < 0) {
		*ret_exhausted =
		    errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
		return errno == ECONNABORTED || errno == EINTR;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return true;
	if (peers_add(acceptor->peers, fd, &who) < 0) {
		refuse(acceptor, &who);
		return true;
	}
	acceptor->refusing = false;
	grpc_server_add_channel_from_fd(acceptor->server, take_fd(&fd), acceptor->credentials);
	return true;
}

static void *run(void *data)
{
	struct acceptor *acceptor = data;
	struct pollfd fds[LISTENERS_MAX + 1] = {{.fd = acceptor->stop_fd, .events = POLLIN}};
	bool exhausted = false;
	int sweep_ms = -1;

	for (size_t i = 0; i < acceptor->count; i++)
		fds[i + 1] = (struct pollfd){.fd = acceptor->listeners[i].fd, .events = POLLIN};
	for (;;) {
		/* Out of descriptors the sockets stay readable: wait for time, not for them. */
		nfds_t count = exhausted ? 1 : acceptor->count + 1;

		/* Fails only for a signal or for want of memory: then it is tried again. */
		int ready = poll(fds, count, exhausted ? ACCEPT_RETRY_MS : sweep_ms);

		if (ready > 0 && fds[0].revents)
			return NULL;
		exhausted = false;
		for (size_t i = 0; i < acceptor->count && !exhausted; i++)
			while (accept_one(acceptor, acceptor->listeners[i].fd, &exhausted))
				;
		sweep_ms = inlet_sweep(monotonic_ns()); /* gRPC has no such timer for these */
	}
}

int acceptor_start(struct acceptor *acceptor)
{
	int r;

	if (acceptor->count == 0)
		return 0;
	r = pthread_create(&acceptor->thread, NULL, run, acceptor);
	acceptor->running = r == 0;
	return -r;
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (acceptor->running) {
		(void)eventfd_write(acceptor->stop_fd, 1);
		(void)pthread_join(acceptor->thread, NULL);
		acceptor->running = false;
	}
	while (acceptor->count > 0)
		listener_close(&acceptor->listeners[--acceptor->count]);
}

void acceptor_free(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	acceptor_stop(acceptor);
	closep(&acceptor->stop_fd);
	if (acceptor->credentials)
		grpc_server_credentials_release(acceptor->credentials);
	free(acceptor);
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 5 && text[digits] == '\0' &&
	       strtoul(text, NULL, 10) <= 65535;
}

bool endpoint_is_loopback(const char *tcp)
{
	const char *colon = strrchr(tcp, ':');
	char host[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;

	if (!colon || !is_port(colon + 1) || (size_t)(colon - tcp) >= sizeof(host))
		return false;
	memcpy(host, tcp, (size_t)(colon - tcp));
	if (strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}
