/* SPDX-License-Identifier: MIT */
/* Datagrams with a descriptor at times, and what is a well-formed one. */
#include "protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "cleanup.h"

#define FDS_MAX 8 /* room to see, and close, what should not have come */

int protocol_send(int socket, const void *bytes, size_t len, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len}; /* only read */
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Keeps the first descriptor that came along, closes the others. */
static void take_fds(struct msghdr *message, int *ret_fd)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
			if (*ret_fd < 0)
				*ret_fd = fd;
			else
				closep(&fd);
		}
	}
}

int protocol_receive(int socket, void *bytes, size_t cap, int flags, int *ret_fd)
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
		len = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC | MSG_TRUNC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	take_fds(&message, ret_fd);
	return (int)len;
}

int protocol_send_message(int socket, const struct protocol_message *message, int fd)
{
	size_t len = offsetof(struct protocol_message, text) + strlen(message->text) + 1;

	return protocol_send(socket, message, len, fd);
}

bool protocol_is_message(const struct protocol_message *message, int len)
{
	size_t text = offsetof(struct protocol_message, text);

	return len > (int)text && len <= (int)sizeof(*message) &&
	       message->text[(size_t)len - text - 1] == '\0';
}

bool protocol_is_request(const struct protocol_request *request, int len)
{
	return len == (int)sizeof(*request) && request->op >= PROTOCOL_OPEN &&
	       request->op <= PROTOCOL_REPORT && request->group <= UINT16_MAX &&
	       memchr(request->shown, '\0', sizeof(request->shown));
}
