/* SPDX-License-Identifier: MIT */
/* meeting.h - one call that has arrived at a bare gRPC server, for tests of what it proves */
#ifndef MEETING_H
#define MEETING_H

#include <stddef.h>

#include <grpc/grpc_security.h>

#include "call.h"
#include "server.h"

struct meeting {
	struct rpc rpc; /* no more of it than identify looks at */
	struct cq cq;
	struct call call; /* the server's side of it */
	grpc_completion_queue *queue;
	char address[64];
	grpc_channel *channel;
	grpc_call *client;
	grpc_metadata_array headers, trailers;
	grpc_status_code code;
	grpc_slice details;
	int cancelled;
};

/* A header of the client's; an array ends with one without a value. */
struct meeting_header {
	const char *name;
	const char *value;
};

/* By a pair of unix sockets, as from the acceptor. */
void meeting_by_unix(struct meeting *meeting, const struct meeting_header *headers);
/* By TCP at an address "127.0.0.1" or "[::1]"; credentials are released. @name: what the server's
 * certificate must be for; NULL: no matter. */
void meeting_listen(struct meeting *meeting, const char *host, grpc_server_credentials *server);
void meeting_connect(struct meeting *meeting, grpc_channel_credentials *client, const char *name,
		     const struct meeting_header *headers);
/* Ends the call and its connection: another may come. */
void meeting_part(struct meeting *meeting);
/* The whole of it. */
void meeting_end(struct meeting *meeting);

#endif
