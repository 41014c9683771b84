/* SPDX-License-Identifier: MIT */
/*
 * Connections of the unix sockets: accepted by a thread that survives running out of descriptors,
 * handed to gRPC with the peer's credentials on record.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include "cleanup.h"
#include "clock.h"
#include "inlet.h"
#include "log.h"
#include "peers.h"
#include "sockets.h"

#define ACCEPT_RETRY_MS 100 /* after running out of descriptors */

struct acceptor {
	grpc_server *server;                  /* borrowed */
	grpc_server_credentials *credentials; /* owned; the insecure ones: the socket file guards */
	struct peers *peers;                  /* borrowed */
	int stop_fd;                          /* eventfd */
	struct rpc_sockets *sockets;          /* borrowed */
	pthread_t thread;
	bool running;
	bool refusing; /* [thread] has logged that connections are too many */
};

struct acceptor *acceptor_new(grpc_server *server, struct peers *peers, struct rpc_sockets *sockets)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor)
		return NULL;
	acceptor->server = server;
	acceptor->peers = peers;
	acceptor->sockets = sockets;
	acceptor->credentials = grpc_insecure_server_credentials_create();
	acceptor->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (acceptor->stop_fd < 0) {
		acceptor_free(acceptor);
		return NULL;
	}
	return acceptor;
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

	if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
		return true;
	if (fd < 0) {
		*ret_exhausted = errno != EAGAIN; /* of descriptors or memory, mostly */
		return false;
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
	struct pollfd fds[SOCKETS_MAX + 1] = {{.fd = acceptor->stop_fd, .events = POLLIN}};
	bool exhausted = false;
	int sweep_ms = -1;

	for (size_t i = 0; i < acceptor->sockets->count; i++)
		fds[i + 1] =
		    (struct pollfd){.fd = acceptor->sockets->items[i].fd, .events = POLLIN};
	for (;;) {
		/* Out of descriptors the sockets stay readable: wait for time, not for them. */
		nfds_t count = exhausted ? 1 : acceptor->sockets->count + 1;

		/* Fails only for a signal or for want of memory: then it is tried again. */
		int ready = poll(fds, count, exhausted ? ACCEPT_RETRY_MS : sweep_ms);

		if (ready > 0 && fds[0].revents)
			return NULL;
		exhausted = false;
		for (size_t i = 0; i < acceptor->sockets->count && !exhausted; i++)
			while (accept_one(acceptor, acceptor->sockets->items[i].fd, &exhausted))
				;
		sweep_ms = inlet_sweep(monotonic_ns()); /* gRPC has no such timer for these */
	}
}

int acceptor_start(struct acceptor *acceptor)
{
	int r;

	if (acceptor->sockets->count == 0)
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
	sockets_close(acceptor->sockets);
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
