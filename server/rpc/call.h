/* SPDX-License-Identifier: MIT */
/*
 * rpc/call.h - one call of a client: what every method needs and none should repeat
 *
 * Arrival, the request message, headers, messages one at a time, status, and the end by whichever
 * side. A call lives until the last batch of operations that was started for it has completed;
 * gRPC completes every one exactly once, also when the peer is gone.
 *
 * Threads: that of the call's completion queue.
 */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

#include "access.h"
#include "cq.h"

#define CALL_SHUTDOWN_TEXT "server is shutting down"
#define CALL_PEER_MAX      ((size_t)128)
#define CALL_TEXT_MAX      ((size_t)512) /* of a status */

struct arena;
struct call;

/* How a call is to end. */
struct status {
	grpc_status_code code;
	char text[CALL_TEXT_MAX];
};

/* Fills a status; returns false, for checks: return status_set(...). */
bool status_set(struct status *status, grpc_status_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for want of memory, which may pass: RESOURCE_EXHAUSTED. */
bool status_set_memory(struct status *status);

/* What a method does. */
struct method {
	const char *path; /* "/nflog.v1.NflogService/Subscribe" */
	const ProtobufCMessageDescriptor *request;
	/* @request and @arena are the callee's until it returns. Called for each request of a stream of
	 * them. */
	void (*handle)(struct call *call, const ProtobufCMessage *request, struct arena *arena);
	bool is_open; /* needs no credentials, and tells nothing that does */
	bool
	    is_repeated; /* the client sends a stream of requests; call_receive() asks for the next */
};

/* What a streaming method does with a call that goes on; @state is its own. */
struct stream {
	void (*look)(struct call *call); /* its timer passed, or there is news */
	void (*sent)(struct call *call); /* the message before has been taken */
	void (*stop)(struct call *call); /* the server shuts down: come to an end */
	void (*free)(struct call *call); /* the last reference is gone */
};

struct call {
	struct cq *cq;                /* const; borrowed */
	struct call *next, *previous; /* in cq->calls */
	grpc_call *core;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *request;
	const struct method *method;
	struct access access;        /* who makes it */
	const struct stream *stream; /* NULL: not a streaming method, or not started yet */
	void *state;
	unsigned batches;  /* in flight */
	int cancelled;     /* set by gRPC */
	bool is_anonymous; /* counted in rpc->anonymous_calls; no access is known */
	bool headers_sent;
	bool sending;            /* a message is in flight: no second one may start */
	bool finished;           /* status sent, or cancelled: nothing more may start */
	bool wants_news;         /* look when the queue is woken */
	const char *cancel_text; /* why we cancelled it; static, NULL: we did not */
	char *stuck_peer;        /* owned, gRPC's: its name when patience was lost, else NULL */
	int64_t timer_ns;        /* monotonic; look then */
	int64_t patience_ns;     /* monotonic; the peer must have done its part until then */
	struct tag on_new, on_close, on_request, on_headers, on_sent, on_status;
};

/* Asks gRPC for one more call on this queue. */
int call_request(struct cq *cq);

/* Reads the next request of a stream of them; not while a message is in flight. */
void call_receive(struct call *call);

/* Answers a unary call. */
void call_reply(struct call *call, const ProtobufCMessage *response);
/* The same, or RESOURCE_EXHAUSTED when the answer could not be built for want of memory. */
void call_reply_built(struct call *call, bool built, const ProtobufCMessage *response);

/* Makes the call a stream: headers go out at once, so that the client sees it is accepted. */
void call_start_stream(struct call *call, const struct stream *stream, void *state);
/* Sends a message; not while one is in flight. Slices are taken over. Returns its bytes. */
size_t call_send_slices(struct call *call, grpc_slice *slices, size_t count);
size_t call_send(struct call *call, const ProtobufCMessage *message);
/* The same with more of its fields, as bytes of the wire. */
size_t call_send_and(struct call *call, const ProtobufCMessage *message, grpc_slice fields);

/* Ends the call after what was sent; not while a message is in flight. */
void call_finish(struct call *call, const struct status *status);
/* Ends the call now; a message in flight may not arrive. @text: static. */
void call_cancel(struct call *call, grpc_status_code code, const char *text);

/* The next look; replaces the one set before. CQ_NEVER: none. */
void call_set_timer(struct call *call, int64_t time_ns);

/* For the queue. */
void call_look(struct call *call);
void call_renew(struct call *call); /* the policy is another one */
void call_stop(struct call *call);

/* Who is at the other end: "unix uid 1000 pid 4711" or "ipv4:127.0.0.1:51234". */
void call_peer(const struct call *call, char ret[CALL_PEER_MAX]);

#endif
