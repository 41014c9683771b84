/* SPDX-License-Identifier: MIT */
/*
 * opener/protocol.h - what goes over the socket between the daemon and its opener
 *
 * SOCK_SEQPACKET, one message a datagram, both ends of the same program. Requests are of one fixed
 * size, at most one is under way. A descriptor may travel with a request (UNBIND, CONFIGURE) or an
 * answer (OPEN, LINKS); one that is not expected is closed. Private to the room.
 */
#ifndef OPENER_PROTOCOL_H
#define OPENER_PROTOCOL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_TEXT_MAX PATH_MAX /* with its NUL */

enum protocol_op {
	PROTOCOL_OPEN = 1,
	PROTOCOL_LINKS,
	PROTOCOL_UNBIND,
	PROTOCOL_CONFIGURE,
	PROTOCOL_RELOAD,
	PROTOCOL_REPORT, /* all that there is, once more */
};

struct protocol_request {
	uint32_t op;
	uint32_t seq; /* of the answer */
	uint64_t dev;
	uint64_t inode;
	uint32_t group;
	uint32_t batching; /* CONFIGURE: enum batching, of an adaptive group */
	char shown[PROTOCOL_TEXT_MAX];
};

enum protocol_kind {
	PROTOCOL_ALL = 1, /* these three as enum opener_event_kind */
	PROTOCOL_SPACE,
	PROTOCOL_END,
	PROTOCOL_ANSWER,
	PROTOCOL_LOST, /* the worker died; what it was asked is not answered */
};

struct protocol_message {
	uint32_t kind;
	uint32_t seq;      /* ANSWER */
	int32_t error;     /* ANSWER: 0 or -errno */
	uint32_t is_there; /* SPACE: 0: the name has no namespace any more */
	uint64_t dev;      /* the same */
	uint64_t inode;
	char text[PROTOCOL_TEXT_MAX]; /* SPACE: the name; ANSWER: why not. Sent up to its NUL */
};

#define PROTOCOL_FOR_EVER (-1)

/**
 * protocol_send - one datagram
 * @fd: passed along; -1: none
 * @timeout_ms: how long to wait for room
 * 0 or -errno (-EPIPE: the other end is closed; -ETIMEDOUT).
 */
int protocol_send(int socket, const void *bytes, size_t len, int fd, int timeout_ms);

/**
 * protocol_receive - one datagram
 * @ret_fd: the caller's, -1 when none came along; of several none is kept
 * Never waits. Returns its length, which may be 0 or more than @cap, -EAGAIN, -EPIPE: the other end is
 * closed, or another -errno.
 */
int protocol_receive(int socket, void *bytes, size_t cap, int *ret_fd);

/* A message up to the NUL of its text; as protocol_send(). */
int protocol_send_message(int socket, const struct protocol_message *message, int fd,
			  int timeout_ms);
/* Is what was received a whole message? */
bool protocol_is_message(const struct protocol_message *message, int len);
/* The same of a request: an op that there is, a name that ends, and a descriptor where one belongs. */
bool protocol_is_request(const struct protocol_request *request, int len, int fd);

#endif
