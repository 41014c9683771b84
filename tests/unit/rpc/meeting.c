/* SPDX-License-Identifier: MIT */
/* Both ends of one call in one thread, on one completion queue. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <grpc/grpc_posix.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "meeting.h"
#include "peers.h"

#define PATIENCE_MS 10000
#define HEADERS_MAX 4

#define TAG_ARRIVED ((void *)1)
#define TAG_SENT    ((void *)2)
#define TAG_STATUS  ((void *)3)
#define TAG_CLOSED  ((void *)4)
#define TAG_STOPPED ((void *)5)

/* Until this tag comes; the others mean nothing. Fails the test when it takes too long. */
static void wait_for(struct meeting *meeting, void *tag)
{
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_millis(PATIENCE_MS, GPR_TIMESPAN));
	grpc_event event;

	do {
		event = grpc_completion_queue_next(meeting->queue, deadline, NULL);
		assert_int_equal(event.type, GRPC_OP_COMPLETE);
	} while (event.tag != tag);
}

static void meeting_begin(struct meeting *meeting)
{
	*meeting = (struct meeting){0};
	grpc_init();
	meeting->rpc.peers = peers_new(4, 4);
	assert_non_null(meeting->rpc.peers);
	meeting->cq.rpc = &meeting->rpc;
	meeting->call.cq = &meeting->cq;
	meeting->queue = grpc_completion_queue_create_for_next(NULL);
	meeting->rpc.server = grpc_server_create(NULL, NULL);
	grpc_server_register_completion_queue(meeting->rpc.server, meeting->queue, NULL);
}

static void send_headers(struct meeting *meeting, const struct meeting_header *headers)
{
	grpc_metadata metadata[HEADERS_MAX];
	grpc_op send = {.op = GRPC_OP_SEND_INITIAL_METADATA,
			.data.send_initial_metadata.metadata = metadata};
	grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
	size_t count = 0;

	for (; headers && headers[count].value; count++)
		metadata[count] =
		    (grpc_metadata){.key = grpc_slice_from_static_string(headers[count].name),
				    .value = grpc_slice_from_static_string(headers[count].value)};
	send.data.send_initial_metadata.count = count;
	status.data.recv_status_on_client.trailing_metadata = &meeting->trailers;
	status.data.recv_status_on_client.status = &meeting->code;
	status.data.recv_status_on_client.status_details = &meeting->details;
	assert_int_equal(grpc_call_start_batch(meeting->client, &status, 1, TAG_STATUS, NULL),
			 GRPC_CALL_OK);
	assert_int_equal(grpc_call_start_batch(meeting->client, &send, 1, TAG_SENT, NULL),
			 GRPC_CALL_OK);
}

static void meet(struct meeting *meeting, const struct meeting_header *headers)
{
	grpc_slice path = grpc_slice_from_static_string("/x/Y");

	grpc_call_details_init(&meeting->call.details);
	grpc_metadata_array_init(&meeting->call.metadata);
	grpc_metadata_array_init(&meeting->headers);
	grpc_metadata_array_init(&meeting->trailers);
	assert_int_equal(grpc_server_request_call(meeting->rpc.server, &meeting->call.core,
						  &meeting->call.details, &meeting->call.metadata,
						  meeting->queue, meeting->queue, TAG_ARRIVED),
			 GRPC_CALL_OK);
	meeting->client = grpc_channel_create_call(meeting->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
						   meeting->queue, path, NULL,
						   gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	send_headers(meeting, headers);
	wait_for(meeting, TAG_ARRIVED);
}

void meeting_by_unix(struct meeting *meeting, const struct meeting_header *headers)
{
	grpc_server_credentials *server = grpc_insecure_server_credentials_create();
	grpc_channel_credentials *client = grpc_insecure_credentials_create();
	struct ucred who;
	socklen_t len = sizeof(who);
	int fds[2];

	meeting_begin(meeting);
	grpc_server_start(meeting->rpc.server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &who, &len), 0);
	assert_int_equal(peers_add(meeting->rpc.peers, fds[0], &who), 0);
	grpc_server_add_channel_from_fd(meeting->rpc.server, fds[0], server);
	meeting->channel = grpc_channel_create_from_fd("test", fds[1], client, NULL);
	grpc_server_credentials_release(server);
	grpc_channel_credentials_release(client);
	meet(meeting, headers);
}

void meeting_listen(struct meeting *meeting, const char *host, grpc_server_credentials *server)
{
	int port;

	meeting_begin(meeting);
	(void)snprintf(meeting->address, sizeof(meeting->address), "%s:0", host);
	port = grpc_server_add_http2_port(meeting->rpc.server, meeting->address, server);
	assert_true(port > 0);
	grpc_server_credentials_release(server);
	grpc_server_start(meeting->rpc.server);
	(void)snprintf(meeting->address, sizeof(meeting->address), "%s:%d", host, port);
}

void meeting_connect(struct meeting *meeting, grpc_channel_credentials *client, const char *name,
		     const struct meeting_header *headers)
{
	/* gRPC's struct is older than const. A connection for each. */
	grpc_arg args[] = {{.type = GRPC_ARG_INTEGER,
			    .key = (char[]){GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL},
			    .value.integer = 1},
			   {.type = GRPC_ARG_STRING,
			    .key = (char[]){GRPC_SSL_TARGET_NAME_OVERRIDE_ARG},
			    .value.string = (char *)(uintptr_t)name}};
	const grpc_channel_args list = {.num_args = name ? 2 : 1, .args = args};

	meeting->channel = grpc_channel_create(meeting->address, client, &list);
	grpc_channel_credentials_release(client);
	meet(meeting, headers);
}

void meeting_part(struct meeting *meeting)
{
	grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
			 .data.recv_close_on_server.cancelled = &meeting->cancelled};

	assert_int_equal(grpc_call_start_batch(meeting->call.core, &close, 1, TAG_CLOSED, NULL),
			 GRPC_CALL_OK);
	(void)grpc_call_cancel(meeting->client, NULL);
	wait_for(meeting, TAG_CLOSED);
	grpc_call_unref(meeting->call.core);
	grpc_call_unref(meeting->client);
	grpc_channel_destroy(meeting->channel);
	grpc_call_details_destroy(&meeting->call.details);
	grpc_metadata_array_destroy(&meeting->call.metadata);
	grpc_metadata_array_destroy(&meeting->headers);
	grpc_metadata_array_destroy(&meeting->trailers);
	grpc_slice_unref(meeting->details);
}

void meeting_end(struct meeting *meeting)
{
	meeting_part(meeting);
	grpc_server_shutdown_and_notify(meeting->rpc.server, meeting->queue, TAG_STOPPED);
	wait_for(meeting, TAG_STOPPED);
	grpc_server_destroy(meeting->rpc.server);
	grpc_completion_queue_shutdown(meeting->queue);
	while (grpc_completion_queue_next(meeting->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
		   .type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(meeting->queue);
	peers_free(meeting->rpc.peers);
	grpc_shutdown();
}
