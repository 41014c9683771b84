/* SPDX-License-Identifier: MIT */
/* line.c: requests go in one after the other; the answer to the last one shows that all were taken. */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "log.h"
#include "opener.h"
#include "protocol.h"
#include "worker.h"

#define LAST_SEQ UINT32_C(0x5ea1ed)
#define NAMES    "/nonexistent"

struct line {
	int ours[WARDEN_SOCKETS], theirs[WARDEN_SOCKETS];
	pthread_t worker;
};

static void *run(void *data)
{
	struct rules rules = {0};
	const struct opener_options options = {.rules = &rules, .names = NAMES};
	struct line *line = data;

	FUZZ_CHECK(worker_run(&options, line->theirs) == 0);
	return NULL;
}

struct line *line_open(void)
{
	struct line *line = calloc(1, sizeof(*line));

	FUZZ_CHECK(line != NULL);
	log_setup((enum log_level)0, LOG_FORMAT_TEXT);
	for (int i = 0; i < WARDEN_SOCKETS; i++) {
		int pair[2];

		FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
		line->ours[i] = pair[0];
		line->theirs[i] = pair[1];
	}
	FUZZ_CHECK(pthread_create(&line->worker, NULL, run, line) == 0);
	return line;
}

void line_send(struct line *line, struct nfl_bytes request, bool whole, bool with_fd)
{
	uint8_t bytes[sizeof(struct protocol_request)] = {0};
	int fd = with_fd ? line->ours[1] : -1;

	if (request.len > sizeof(bytes))
		return;
	memcpy(bytes, request.data, request.len);
	FUZZ_CHECK(protocol_send(line->ours[0], bytes, whole ? sizeof(bytes) : request.len, fd,
				 PROTOCOL_FOR_EVER) == 0);
}

/* True for the answer to the last request. */
static bool take(int socket)
{
	struct pollfd readable = {.fd = socket, .events = POLLIN};
	struct protocol_message message;
	int fd, len;

	while (poll(&readable, 1, -1) < 0)
		FUZZ_CHECK(errno == EINTR);
	len = protocol_receive(socket, &message, sizeof(message), &fd);
	FUZZ_CHECK(protocol_is_message(&message, len));
	FUZZ_CHECK(fd < 0); /* nothing is given to who may have nothing */
	return message.kind == PROTOCOL_ANSWER && message.seq == LAST_SEQ;
}

void line_close(struct line *line)
{
	struct protocol_request last = {.op = PROTOCOL_REPORT, .seq = LAST_SEQ};

	FUZZ_CHECK(protocol_send(line->ours[0], &last, sizeof(last), -1, PROTOCOL_FOR_EVER) == 0);
	while (!take(line->ours[0]))
		;
	for (int i = 0; i < WARDEN_SOCKETS; i++)
		(void)close(line->ours[i]);
	FUZZ_CHECK(pthread_join(line->worker, NULL) == 0);
	for (int i = 0; i < WARDEN_SOCKETS; i++)
		(void)close(line->theirs[i]);
	free(line);
}
