/* SPDX-License-Identifier: MIT */
/*
 * The thread that answers. A connection reads a request up to its empty line, writes the answer, and
 * then takes what else the peer sends until that closes: a close with unread bytes would reset the
 * connection, and the answer with it.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "clock.h"
#include "page.h"

#define BACKLOG         128
#define ACCEPT_PAUSE_MS 100 /* without descriptors */

enum stage {
	STAGE_FREE,
	STAGE_READING,
	STAGE_WRITING,
	STAGE_ENDING,
};

struct connection {
	enum stage stage;
	int fd;
	int64_t since_ns; /* monotonic, as all times here */
	int64_t deadline_ns;
	char request[HTTP_REQUEST_BYTES];
	size_t request_len;
	struct answer answer;
	size_t sent; /* of head and body together */
};

struct http {
	struct http_options options;
	int listen_fd;
	int stop_fd;
	pthread_t thread;
	bool is_running; /* main only */

	/* the thread only */
	struct connection connections[HTTP_CONNECTIONS];
	int64_t accept_ns; /* not before */
	struct page *page; /* a reference; the newest one, or NULL */
	int64_t page_ns;
};

/* --- addresses ------------------------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static int parse_address(const char *text, union address *ret, socklen_t *ret_len)
{
	const char *colon = strrchr(text, ':');
	bool is_ipv6 = *text == '[';
	char host[INET6_ADDRSTRLEN];
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	size_t len;

	if (!colon || port == 0 || port > UINT16_MAX || (is_ipv6 && colon[-1] != ']'))
		return -EINVAL;
	len = (size_t)(colon - text) - (is_ipv6 ? 2 : 0);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text + is_ipv6, len);
	host[len] = '\0';
	*ret = (union address){0};
	ret->any.sa_family = is_ipv6 ? AF_INET6 : AF_INET;
	*ret_len = is_ipv6 ? sizeof(ret->in6) : sizeof(ret->in);
	if (is_ipv6)
		ret->in6.sin6_port = htons((uint16_t)port);
	else
		ret->in.sin_port = htons((uint16_t)port);
	return inet_pton(ret->any.sa_family, host,
			 is_ipv6 ? (void *)&ret->in6.sin6_addr : (void *)&ret->in.sin_addr) == 1
		   ? 0
		   : -EINVAL;
}

static int open_listener(const char *text)
{
	CLEANUP(closep) int fd = -1;
	const int on = 1;
	union address address;
	socklen_t len;
	int r = parse_address(text, &address, &len);

	if (r < 0)
		return r;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A restart finds connections of before in TIME_WAIT. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &address.any, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(&fd);
}

/* --- connections ------------------------------------------------------------------------------ */

static void drop(struct connection *connection)
{
	if (connection->stage == STAGE_FREE)
		return;
	answer_done(&connection->answer);
	(void)close(connection->fd);
	*connection = (struct connection){.fd = -1};
}

/* A free place, or that of the one which has been there for longest, if that was long enough to ask:
 * else a crowd that arrives at once would push out who is just about to. NULL: wait. */
static struct connection *find_place(struct http *http, int64_t now_ns)
{
	struct connection *oldest = &http->connections[0];

	for (size_t i = 0; i < ARRAY_SIZE(http->connections); i++) {
		struct connection *connection = &http->connections[i];

		if (connection->stage == STAGE_FREE)
			return connection;
		if (connection->since_ns < oldest->since_ns)
			oldest = connection;
	}
	http->accept_ns = oldest->since_ns + HTTP_STAY_MS * NS_PER_MS;
	if (http->accept_ns > now_ns)
		return NULL;
	drop(oldest);
	return oldest;
}

/* accept4(2) is rpc's: its connections, counted and limited as those of gRPC. */
static int accept_plainly(int listen_fd)
{
	CLEANUP(closep) int fd = accept(listen_fd, NULL, NULL);

	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return take_fd(&fd);
}

static void accept_one(struct http *http, int64_t now_ns)
{
	struct connection *connection = find_place(http, now_ns);
	int fd;

	if (!connection)
		return;
	fd = accept_plainly(http->listen_fd);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			http->accept_ns = now_ns + ACCEPT_PAUSE_MS * NS_PER_MS;
		return;
	}
	connection->stage = STAGE_READING;
	connection->fd = fd;
	connection->since_ns = now_ns;
	connection->deadline_ns = now_ns + HTTP_REQUEST_MS * NS_PER_MS;
}

/* A page that is new enough; NULL: there is none, for want of memory. */
static struct page *page_of_now(struct http *http, int64_t now_ns)
{
	if (!http->page || now_ns - http->page_ns > HTTP_FRESH_MS * NS_PER_MS) {
		http->page = page_unref(http->page);
		http->page = page_new(http->options.write, http->options.data);
		http->page_ns = now_ns;
	}
	return http->page;
}

static void write_some(struct connection *connection)
{
	const struct answer *answer = &connection->answer;

	while (connection->sent < answer_len(answer)) {
		size_t len;
		const char *bytes = answer_from(answer, connection->sent, &len);
		ssize_t n = send(connection->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			drop(connection);
			return;
		}
		connection->sent += (size_t)n;
	}
	(void)shutdown(connection->fd, SHUT_WR); /* fails only when the peer is gone: read tells */
	connection->stage = STAGE_ENDING;
}

static void respond(struct http *http, struct connection *connection, int64_t now_ns)
{
	enum request request = request_parse(connection->request, connection->request_len);
	bool wants_page = request == REQUEST_GET || request == REQUEST_HEAD;

	if (request == REQUEST_INCOMPLETE) {
		if (connection->request_len < sizeof(connection->request))
			return;
		request = REQUEST_TOO_LONG;
	}
	answer_make(&connection->answer, request, wants_page ? page_of_now(http, now_ns) : NULL);
	connection->stage = STAGE_WRITING;
	connection->deadline_ns = now_ns + HTTP_ANSWER_MS * NS_PER_MS;
	write_some(connection);
}

static void read_some(struct http *http, struct connection *connection, int64_t now_ns)
{
	char rest[HTTP_REQUEST_BYTES];
	bool is_reading = connection->stage == STAGE_READING;
	char *room = is_reading ? connection->request + connection->request_len : rest;
	size_t len =
	    is_reading ? sizeof(connection->request) - connection->request_len : sizeof(rest);
	ssize_t n = recv(connection->fd, room, len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(connection);
		return;
	}
	if (!is_reading)
		return;
	connection->request_len += (size_t)n;
	respond(http, connection, now_ns);
}

/* --- the loop --------------------------------------------------------------------------------- */

#define POLL_STOP   0
#define POLL_LISTEN 1
#define POLL_FIRST  2

static short events_of(const struct connection *connection)
{
	return connection->stage == STAGE_WRITING ? POLLOUT : POLLIN;
}

/* What to wait for, and how long in ms; -1: for ever. */
static int prepare(const struct http *http, struct pollfd *fds, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX;

	fds[POLL_STOP] = (struct pollfd){.fd = http->stop_fd, .events = POLLIN};
	fds[POLL_LISTEN] = (struct pollfd){.fd = http->listen_fd, .events = POLLIN};
	if (http->accept_ns > now_ns) {
		fds[POLL_LISTEN].fd = -1; /* poll() looks over it */
		next_ns = http->accept_ns;
	}
	for (size_t i = 0; i < ARRAY_SIZE(http->connections); i++) {
		const struct connection *connection = &http->connections[i];
		bool is_free = connection->stage == STAGE_FREE;

		fds[POLL_FIRST + i] = (struct pollfd){.fd = is_free ? -1 : connection->fd,
						      .events = events_of(connection)};
		if (!is_free && connection->deadline_ns < next_ns)
			next_ns = connection->deadline_ns;
	}
	if (next_ns == INT64_MAX)
		return -1;
	return next_ns > now_ns ? (int)((next_ns - now_ns) / NS_PER_MS) + 1 : 0;
}

static void serve(struct http *http, const struct pollfd *fds, int64_t now_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(http->connections); i++) {
		struct connection *connection = &http->connections[i];

		if (connection->stage == STAGE_FREE)
			continue;
		if (now_ns >= connection->deadline_ns)
			drop(connection);
		else if (fds[POLL_FIRST + i].revents && connection->stage == STAGE_WRITING)
			write_some(connection);
		else if (fds[POLL_FIRST + i].revents)
			read_some(http, connection, now_ns);
	}
	if (fds[POLL_LISTEN].revents)
		accept_one(http, now_ns);
}

static void *run(void *data)
{
	struct http *http = data;

	for (;;) {
		struct pollfd fds[POLL_FIRST + HTTP_CONNECTIONS];
		int timeout_ms = prepare(http, fds, monotonic_ns());

		if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
			continue; /* EINTR, or ENOMEM for a moment */
		if (fds[POLL_STOP].revents)
			return NULL;
		serve(http, fds, monotonic_ns());
	}
}

/* --- life --------------------------------------------------------------------------------------- */

static void http_freep(struct http **http)
{
	http_free(*http);
}

int http_open(const struct http_options *options, struct http **ret)
{
	CLEANUP(http_freep) struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->options = *options;
	http->options.listen = NULL; /* the caller's */
	http->listen_fd = -1;
	http->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (http->stop_fd < 0)
		return -errno;
	http->listen_fd = open_listener(options->listen);
	if (http->listen_fd < 0)
		return http->listen_fd;
	*ret = TAKE_PTR(http);
	return 0;
}

int http_start(struct http *http)
{
	int r = pthread_create(&http->thread, NULL, run, http);

	http->is_running = r == 0;
	return -r;
}

void http_free(struct http *http)
{
	const uint64_t one = 1;

	if (!http)
		return;
	if (http->is_running) {
		(void)!write(http->stop_fd, &one, sizeof(one)); /* its counter is 0: cannot fail */
		(void)pthread_join(http->thread, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(http->connections); i++)
		drop(&http->connections[i]);
	(void)page_unref(http->page);
	closep(&http->listen_fd);
	closep(&http->stop_fd);
	free(http);
}
