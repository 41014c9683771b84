/* SPDX-License-Identifier: MIT */
/*
 * fake_server.h - a gRPC server in this process that says what a script says
 *
 * For tests of clients: well-formed and malformed answers, silence, and every status, on a unix
 * socket in a folder of its own. Calls are served one after the other, on any connection.
 *
 * Threads: the server has one of its own; all functions are for the test's thread.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

enum fake_step_kind {
	FAKE_SEND,      /* message, or bytes as they are */
	FAKE_GATE,      /* until fake_server_open_gate(), once for each gate */
	FAKE_STALL,     /* until the client is gone */
	FAKE_BREAK_OFF, /* with a status, in the midst of a message that the client does not read */
	FAKE_WRITE,     /* bytes as they are on the connection: HTTP/2, or a part of it */
	FAKE_DROP,      /* breaks the connections, as a daemon that is killed */
	FAKE_END, /* with a status, and bytes as its details; at the end of a script: with OK */
};

struct fake_step {
	enum fake_step_kind kind;
	const ProtobufCMessage *message;
	const void *bytes;
	size_t len;
	int code;
	const char *text;
};

/* One call; the first call of a method gets the first script of that method, and so on. The last
 * one serves all further calls. A method without a script is UNIMPLEMENTED. */
struct fake_call {
	const char *method; /* "Subscribe" */
	const struct fake_step *steps;
	size_t count;
};

struct fake_server;

/* @calls: borrowed until fake_server_stop(). Fails the test when the server cannot start. */
struct fake_server *fake_server_start(const struct fake_call *calls, size_t count);
void fake_server_stop(struct fake_server *server);

/* "unix:/tmp/..." */
const char *fake_server_address(const struct fake_server *server);
void fake_server_open_gate(struct fake_server *server);

/* Waits for FAKE_BREAK_OFF. The client must not ask for that message before. */
void fake_server_wait_broken_off(struct fake_server *server);

/* Nobody can connect, and all connections break; until the server is back. */
void fake_server_leave(struct fake_server *server);
void fake_server_return(struct fake_server *server);

/* Waits until so many calls were begun, and returns the bytes of the last one's request. */
const void *fake_server_request(struct fake_server *server, unsigned calls, size_t *ret_len);

#endif
