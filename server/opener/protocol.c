/* SPDX-License-Identifier: MIT */
/* Datagrams with a descriptor at times, and what is a well-formed one. */
#include "protocol.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "cleanup.h"
#include "clock.h"

#define FDS_MAX 8 /* room to see, and close, what should not have come */

/* Until there may be room; false: not in time. */
static bool wait_for_room(int socket, int64_t deadline_ns)
{
	struct pollfd writable = {.fd = socket, .events = POLLOUT};
	int64_t left_ms = -1;

	if (deadline_ns != INT64_MAX) {
		left_ms = (deadline_ns - monotonic_ns()) / NS_PER_MS;
		if (left_ms <= 0)
			return false;
	}
	return poll(&writable, 1, (int)left_ms) != 0;
}

int protocol_send(int socket, const void *bytes, size_t len, int fd, int timeout_ms)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len}; /* only read */
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	int64_t deadline_ns = timeout_ms < 0 ? INT64_MAX : monotonic_ns() + timeout_ms * NS_PER_MS;

	if (fd >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	while (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == ECONNRESET) /* closed before it had read everything */
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (errno == EAGAIN && !wait_for_room(socket, deadline_ns))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Keeps the descriptor that came along; of several, which nobody asked for, none. */
static void take_fds(struct msghdr *message, int *ret_fd)
{
	size_t taken = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
			if (taken++ == 0)
				*ret_fd = fd;
			else
				closep(&fd);
		}
	}
	if (taken > 1) {
		closep(ret_fd);
		*ret_fd = -1;
	}
}

/* A datagram may have no bytes, which looks like the end. */
static bool is_closed(int socket)
{
	struct pollfd closed = {.fd = socket}; /* POLLHUP is always told of */

	return poll(&closed, 1, 0) > 0;
}

int protocol_receive(int socket, void *bytes, size_t cap, int *ret_fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = {.iov_base = bytes, .iov_len = cap};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t len;

	*ret_fd = -1;
	do
		len = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
	while (len < 0 && errno == EINTR);
	if (len < 0) /* ECONNRESET: it was closed before it had read everything */
		return errno == ECONNRESET ? -EPIPE : -errno;
	take_fds(&message, ret_fd);
	if (len == 0 && is_closed(socket)) {
		closep(ret_fd);
		*ret_fd = -1;
		return -EPIPE;
	}
	return (int)len;
}

int protocol_send_message(int socket, const struct protocol_message *message, int fd,
			  int timeout_ms)
{
	size_t len = offsetof(struct protocol_message, text) + strlen(message->text) + 1;

	return protocol_send(socket, message, len, fd, timeout_ms);
}

bool protocol_is_message(const struct protocol_message *message, int len)
{
	size_t text = offsetof(struct protocol_message, text);

	return len > (int)text && len <= (int)sizeof(*message) &&
	       message->text[(size_t)len - text - 1] == '\0';
}

/* Is it about a socket, which comes along? */
static bool has_socket(uint32_t op)
{
	return op == PROTOCOL_UNBIND || op == PROTOCOL_CONFIGURE;
}

bool protocol_is_request(const struct protocol_request *request, int len, int fd)
{
	return len == (int)sizeof(*request) && request->op >= PROTOCOL_OPEN &&
	       request->op <= PROTOCOL_REPORT && request->group <= UINT16_MAX &&
	       memchr(request->shown, '\0', sizeof(request->shown)) &&
	       has_socket(request->op) == (fd >= 0);
}
