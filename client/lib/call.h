/* SPDX-License-Identifier: MIT */
/*
 * call.h - one gRPC call that sends one message and reads any number
 *
 * A call has a completion queue of its own, and whoever waits for the call drives it: the library
 * has no thread of its own. One message is asked for at a time; the next one is asked for as soon
 * as the caller takes one, so that it comes in while that one is worked on.
 *
 * Threads: one at a time, but call_cancel() is for any thread.
 */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

#include <nfl/client.h>

#define NO_DEADLINE INT64_MAX

enum call_connection {
	CALL_SHARED, /* the client's, and waits until there is one */
	/* One of its own that is tried for once: who comes back after a pause decides when, and
	 * not what is left of gRPC's own pauses between tries. */
	CALL_OWN,
};

struct call {
	const struct nfl_client *client; /* borrowed */
	grpc_channel *own_channel;       /* owned; NULL: the client's */
	grpc_call *core;                 /* owned */
	grpc_completion_queue *cq;       /* owned */
	int64_t connect_deadline_ns;     /* monotonic; NO_DEADLINE once the server has answered */
	unsigned pending;                /* batches in flight: each returns its tag exactly once */
	bool receiving;                  /* one of them asks for a message */
	bool ended;                      /* the status has come */
	grpc_byte_buffer *received;      /* owned; NULL at the end of the messages */
	grpc_metadata_array headers;     /* owned */
	grpc_metadata_array trailers;    /* owned */
	bool has_token;
	grpc_slice authorization; /* owned */
	grpc_status_code code;
	grpc_slice details; /* owned */
};

/**
 * call_begin - start a call and send its request; does not wait
 * @call: zero-initialised; in use until call_done(), also after a failure
 * @method: "/nflog.v1.NflogService/Subscribe"
 * @request: borrowed for the call
 * @deadline_ns: monotonic end of the whole call, or NO_DEADLINE
 * Returns 0 or -ENOMEM.
 */
int call_begin(struct call *call, const struct nfl_client *client, enum call_connection connection,
	       const char *method, const ProtobufCMessage *request, int64_t deadline_ns);

/**
 * call_receive - wait for the next message
 * @until_ns: monotonic; a time that has passed looks once
 * @ret: owned
 * Returns 1 with a message, 0 after the last one (the status is there), or -ETIMEDOUT. Without an
 * answer within the client's connect timeout the call ends with UNAVAILABLE.
 */
int call_receive(struct call *call, int64_t until_ns, grpc_byte_buffer **ret);

/* Ends the call with CANCELLED and wakes who waits for it. */
void call_cancel(struct call *call);

/* How an ended call ended: a gRPC code, and a text that the caller frees or NULL. */
int call_status(const struct call *call, char **ret_message);

/* Cancels what is under way and frees; a call that was never begun is allowed. */
void call_done(struct call *call);

/* A monotonic time so many ms from now; -1 is NO_DEADLINE. */
int64_t deadline_after_ms(int timeout_ms);

#endif
