/* SPDX-License-Identifier: MIT */
/* Keeps a duplicate of each connection, as shutdown() works on the connection itself. */
#include "acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "must.h"

#define CONNECTIONS_MAX 64

struct acceptor {
	struct sockaddr_un address;
	accepted_fn accepted;
	void *data;
	int fd; /* owned, that listens; -1: away */
	pthread_t thread;
	pthread_mutex_t lock;
	int connections[CONNECTIONS_MAX]; /* [lock] owned */
	size_t count;                     /* [lock] */
};

static void keep(struct acceptor *a, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	(void)pthread_mutex_lock(&a->lock);
	must(copy >= 0 && a->count < CONNECTIONS_MAX, "too many connections");
	a->connections[a->count++] = copy;
	(void)pthread_mutex_unlock(&a->lock);
}

static void *accept_all(void *data)
{
	struct acceptor *a = data;

	for (;;) {
		int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno == EINVAL)
			return NULL; /* acceptor_leave() has shut it down */
		if (fd < 0)
			continue;
		keep(a, fd);
		a->accepted(fd, a->data);
	}
}

void acceptor_return(struct acceptor *a)
{
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(a->fd >= 0, "no socket");
	must(bind(a->fd, (const struct sockaddr *)&a->address, sizeof(a->address)) == 0 &&
		 listen(a->fd, CONNECTIONS_MAX) == 0,
	     "cannot listen");
	must(pthread_create(&a->thread, NULL, accept_all, a) == 0, "no thread");
}

void acceptor_leave(struct acceptor *a)
{
	(void)unlink(a->address.sun_path);
	(void)shutdown(a->fd, SHUT_RDWR);
	(void)pthread_join(a->thread, NULL);
	(void)close(a->fd);
	a->fd = -1;
}

struct acceptor *acceptor_start(const char *path, accepted_fn accepted, void *data)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	must(a && strlen(path) < sizeof(a->address.sun_path), "no memory or too long a path");
	a->address.sun_family = AF_UNIX;
	strcpy(a->address.sun_path, path);
	a->accepted = accepted;
	a->data = data;
	(void)pthread_mutex_init(&a->lock, NULL);
	acceptor_return(a);
	return a;
}

void acceptor_write(struct acceptor *a, const void *bytes, size_t len)
{
	ssize_t sent;

	(void)pthread_mutex_lock(&a->lock);
	must(a->count > 0, "no connection");
	sent = send(a->connections[a->count - 1], bytes, len, MSG_NOSIGNAL);
	(void)pthread_mutex_unlock(&a->lock);
	must(sent == (ssize_t)len, "cannot write");
}

void acceptor_drop(struct acceptor *a)
{
	(void)pthread_mutex_lock(&a->lock);
	while (a->count > 0) {
		int fd = a->connections[--a->count];

		(void)shutdown(fd, SHUT_RDWR);
		(void)close(fd);
	}
	(void)pthread_mutex_unlock(&a->lock);
}

void acceptor_stop(struct acceptor *a)
{
	if (a->fd >= 0)
		acceptor_leave(a);
	acceptor_drop(a);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
