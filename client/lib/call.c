/* SPDX-License-Identifier: MIT */
/*
 * The gRPC C core's way of a call: batches of operations that are started with a tag, and a
 * completion queue that hands each tag back once. See call.h for what callers see.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <grpc/byte_buffer.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include "address.h"
#include "cleanup.h"
#include "client.h"
#include "clock.h"
#include "probe.h"

#define WHY_MAX 512

enum tag {
	TAG_SENT = 1,
	TAG_HEADERS,
	TAG_MESSAGE,
	TAG_STATUS,
};

int64_t deadline_after_ms(int timeout_ms)
{
	return timeout_ms < 0 ? NO_DEADLINE : monotonic_ns() + timeout_ms * NS_PER_MS;
}

static gpr_timespec core_deadline(int64_t deadline_ns)
{
	int64_t left = deadline_ns - monotonic_ns();

	if (deadline_ns == NO_DEADLINE)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_nanos(left > 0 ? left : 0, GPR_TIMESPAN));
}

static int start(struct call *call, const grpc_op *ops, size_t count, enum tag tag)
{
	void *core_tag = (void *)(uintptr_t)tag;

	/* Refused only for operations that do not fit the call: then no tag ever comes. */
	if (grpc_call_start_batch(call->core, ops, count, core_tag, NULL) != GRPC_CALL_OK)
		return -ENOMEM;
	call->pending++;
	return 0;
}

static int ask_message(struct call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
		      .data.recv_message.recv_message = &call->received};
	int r = start(call, &op, 1, TAG_MESSAGE);

	call->receiving = r == 0;
	return r;
}

/* Waiting would let gRPC try a connection again and again, where one try is wanted. */
static uint32_t connection_flags(const struct call *call)
{
	return call->own_channel ? 0 : GRPC_INITIAL_METADATA_WAIT_FOR_READY;
}

static int send_request(struct call *call, const ProtobufCMessage *request)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));
	grpc_byte_buffer *buffer;
	int r;

	(void)protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(slice));
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_metadata token = {.key = grpc_slice_from_static_string("authorization"),
			       .value = call->authorization};
	const grpc_op ops[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA,
	     .flags = connection_flags(call),
	     .data.send_initial_metadata = {.metadata = &token, .count = call->has_token}},
	    {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer},
	    {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
	};
	r = start(call, ops, sizeof(ops) / sizeof(ops[0]), TAG_SENT);
	grpc_byte_buffer_destroy(buffer); /* the core holds references of its own */
	grpc_slice_unref(slice);
	return r;
}

/* Answers come in three steps, each with a tag of its own. */
static int ask_answers(struct call *call)
{
	grpc_op headers = {.op = GRPC_OP_RECV_INITIAL_METADATA,
			   .data.recv_initial_metadata.recv_initial_metadata = &call->headers};
	grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			  .data.recv_status_on_client = {.trailing_metadata = &call->trailers,
							 .status = &call->code,
							 .status_details = &call->details}};

	if (start(call, &status, 1, TAG_STATUS) < 0 || start(call, &headers, 1, TAG_HEADERS) < 0)
		return -ENOMEM;
	return ask_message(call);
}

int call_begin(struct call *call, const struct nfl_client *client, enum call_connection connection,
	       const char *method, const ProtobufCMessage *request, int64_t deadline_ns)
{
	grpc_slice path = grpc_slice_from_static_string(method);
	grpc_channel *channel = client->channel;

	call->client = client;
	call->connect_deadline_ns =
	    monotonic_ns() + (int64_t)client->connect_timeout_ms * NS_PER_MS;
	call->details = grpc_empty_slice();
	call->authorization = grpc_empty_slice();
	call->has_token = secure_authorization(&client->secure, &call->authorization);
	grpc_metadata_array_init(&call->headers);
	grpc_metadata_array_init(&call->trailers);
	call->cq = grpc_completion_queue_create_for_next(NULL);
	if (connection == CALL_OWN) {
		call->own_channel = client_connect(client);
		channel = call->own_channel;
	}
	if (!channel)
		return -ENOMEM;
	call->core = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, call->cq,
					      path, NULL, core_deadline(deadline_ns), NULL);
	if (!call->core || ask_answers(call) < 0)
		return -ENOMEM;
	return send_request(call, request);
}

/* gRPC does not tell why a call still waits for its connection; a unix socket is asked directly. */
static const char *why_unreachable_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(closep) int fd = -1;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(address.sun_path, path, strlen(path) + 1); /* fits: nfl_client_new() looked */
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return "no answer";
	return strerror(errno);
}

static void why_unreachable(const struct call *call, char *ret, size_t cap)
{
	grpc_channel *channel = call->own_channel ? call->own_channel : call->client->channel;
	const char *path = address_unix_path(call->client->server);

	(void)snprintf(ret, cap, "%s", path ? why_unreachable_unix(path) : "no answer");
	if (!path)
		probe_channel(channel, call->client->secure.tls, ret, cap);
}

static void give_up_connecting(struct call *call)
{
	char why[WHY_MAX];
	char text[WHY_MAX + ADDRESS_TARGET_MAX];

	call->connect_deadline_ns = NO_DEADLINE;
	why_unreachable(call, why, sizeof(why));
	(void)snprintf(text, sizeof(text), "cannot reach %s within %u ms: %s", call->client->server,
		       call->client->connect_timeout_ms, why);
	(void)grpc_call_cancel_with_status(call->core, GRPC_STATUS_UNAVAILABLE, text, NULL);
}

static void take_tag(struct call *call, enum tag tag)
{
	call->pending--;
	switch (tag) {
	case TAG_SENT:
		break;
	case TAG_HEADERS:
		call->connect_deadline_ns = NO_DEADLINE;
		break;
	case TAG_MESSAGE:
		call->receiving = false;
		break;
	case TAG_STATUS:
		call->connect_deadline_ns = NO_DEADLINE;
		call->ended = true;
		break;
	}
}

/* Waits for one tag. Returns 0 or -ETIMEDOUT. */
static int poll_queue(struct call *call, int64_t until_ns)
{
	int64_t connect_ns = call->connect_deadline_ns;
	int64_t first_ns = connect_ns < until_ns ? connect_ns : until_ns;
	grpc_event event = grpc_completion_queue_next(call->cq, core_deadline(first_ns), NULL);

	if (event.type == GRPC_OP_COMPLETE) {
		take_tag(call, (enum tag)(uintptr_t)event.tag);
		return 0;
	}
	if (connect_ns != NO_DEADLINE && monotonic_ns() >= connect_ns) {
		give_up_connecting(call); /* its status comes as a tag */
		return 0;
	}
	return -ETIMEDOUT;
}

int call_receive(struct call *call, int64_t until_ns, grpc_byte_buffer **ret)
{
	for (;;) {
		int r;

		if (!call->receiving && call->received) {
			*ret = TAKE_PTR(call->received);
			/* Where the next one cannot be asked for, none comes: the call just ends. */
			(void)ask_message(call);
			return 1;
		}
		/* The status may overtake a message that is still being handed over. */
		if (call->ended && !call->receiving)
			return 0;
		r = poll_queue(call, until_ns);
		if (r < 0)
			return r;
	}
}

void call_cancel(struct call *call)
{
	(void)grpc_call_cancel(call->core, NULL);
}

int call_status(const struct call *call, char **ret_message)
{
	size_t len = GRPC_SLICE_LENGTH(call->details);

	*ret_message = strndup((const char *)GRPC_SLICE_START_PTR(call->details), len);
	return (int)call->code;
}

/* Every tag that was promised comes, and soon, because the call is over. */
static void finish_batches(struct call *call)
{
	if (!call->ended)
		call_cancel(call);
	while (call->pending > 0) {
		grpc_event event =
		    grpc_completion_queue_next(call->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

		take_tag(call, (enum tag)(uintptr_t)event.tag);
	}
}

void call_done(struct call *call)
{
	if (!call->cq)
		return;
	if (call->core) {
		finish_batches(call);
		grpc_call_unref(call->core);
	}
	if (call->own_channel)
		grpc_channel_destroy(call->own_channel);
	if (call->received)
		grpc_byte_buffer_destroy(call->received);
	grpc_metadata_array_destroy(&call->headers);
	grpc_metadata_array_destroy(&call->trailers);
	grpc_slice_unref(call->details);
	grpc_slice_unref(call->authorization);
	grpc_completion_queue_shutdown(call->cq);
	while (
	    grpc_completion_queue_next(call->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
	    GRPC_QUEUE_SHUTDOWN) {
	}
	grpc_completion_queue_destroy(call->cq);
	*call = (struct call){0};
}
