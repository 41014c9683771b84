/* SPDX-License-Identifier: MIT */
/* caller.h - a gRPC client for the tests of server/rpc: raw enough to send what no client would */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>
#include <nflog/v1/nflog.pb-c.h>

#define CALLER_PATIENCE_MS 10000 /* a test that waits longer has failed */

struct caller {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	grpc_call *call;
	grpc_metadata_array headers, trailers;
	grpc_byte_buffer *message;
	grpc_status_code code;
	grpc_slice details;
	bool receiving, ended; /* RECV_MESSAGE pending; status is there */
	unsigned batches;
	char text[600]; /* of the status */
};

/* Connects and starts one call with these bytes as its request; NULL: none is sent. */
void caller_open(struct caller *caller, const char *path, const char *method, const void *bytes,
		 size_t len);
void caller_open_message(struct caller *caller, const char *path, const char *method,
			 const ProtobufCMessage *message);
/* Ends the call if it lives, and the connection. */
void caller_close(struct caller *caller);

/* The next message, owned; NULL at the end, when code and text are set. Fails the test when
 * neither comes. */
grpc_byte_buffer *caller_next(struct caller *caller);
/* The same, unpacked. */
Nflog__V1__SubscribeResponse *caller_next_event(struct caller *caller);
ProtobufCMessage *caller_next_message(struct caller *caller,
				      const ProtobufCMessageDescriptor *type);
/* Fails the test unless the call ends now, with this status. */
void caller_expect_end(struct caller *caller, grpc_status_code code);

#endif
