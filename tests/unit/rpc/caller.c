/* SPDX-License-Identifier: MIT */
/* One call on a connection of its own, driven by the test's thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "caller.h"

#define TAG_START   ((void *)1)
#define TAG_STATUS  ((void *)2)
#define TAG_MESSAGE ((void *)3)

static void start(struct caller *caller, const grpc_op *ops, size_t count, void *tag)
{
	assert_int_equal(grpc_call_start_batch(caller->call, ops, count, tag, NULL), GRPC_CALL_OK);
	caller->batches++;
}

static grpc_arg integer(const char *key, int value)
{
	return (grpc_arg){
	    .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static void connect_to(struct caller *caller, const char *path)
{
	/* Small windows, so that a reader that stops is felt soon; a connection for each caller. */
	grpc_arg args[] = {integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
			   integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1)};
	grpc_channel_args list = {.num_args = 2, .args = args};
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	char target[200];

	(void)snprintf(target, sizeof(target), "%s%s", path[0] == '/' ? "unix:" : "", path);
	caller->channel = grpc_channel_create(target, credentials, &list);
	grpc_channel_credentials_release(credentials);
	assert_non_null(caller->channel);
}

static void start_call(struct caller *caller, const void *bytes, size_t len)
{
	grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
			  {.op = GRPC_OP_RECV_INITIAL_METADATA,
			   .data.recv_initial_metadata.recv_initial_metadata = &caller->headers}};
	grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
	grpc_byte_buffer *request = NULL;

	status.data.recv_status_on_client.trailing_metadata = &caller->trailers;
	status.data.recv_status_on_client.status = &caller->code;
	status.data.recv_status_on_client.status_details = &caller->details;
	start(caller, &status, 1, TAG_STATUS);
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	if (bytes) {
		grpc_slice slice = grpc_slice_from_copied_buffer(bytes, len);

		request = grpc_raw_byte_buffer_create(&slice, 1);
		grpc_slice_unref(slice);
		ops[3].op = GRPC_OP_SEND_MESSAGE;
		ops[3].data.send_message.send_message = request;
	}
	start(caller, ops, bytes ? 4 : 3, TAG_START);
	grpc_byte_buffer_destroy(request);
}

void caller_open(struct caller *caller, const char *path, const char *method, const void *bytes,
		 size_t len)
{
	grpc_slice path_slice;
	char full[100];

	*caller = (struct caller){.code = GRPC_STATUS_OK};
	(void)snprintf(full, sizeof(full), "%s%s",
		       method[0] == '/' ? "" : "/nflog.v1.NflogService/", method);
	connect_to(caller, path);
	caller->queue = grpc_completion_queue_create_for_next(NULL);
	grpc_metadata_array_init(&caller->headers);
	grpc_metadata_array_init(&caller->trailers);
	path_slice = grpc_slice_from_copied_string(full);
	caller->call =
	    grpc_channel_create_call(caller->channel, NULL, GRPC_PROPAGATE_DEFAULTS, caller->queue,
				     path_slice, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_slice_unref(path_slice);
	assert_non_null(caller->call);
	start_call(caller, bytes, len);
}

void caller_open_message(struct caller *caller, const char *path, const char *method,
			 const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	(void)protobuf_c_message_pack(message, bytes);
	caller_open(caller, path, method, bytes, len);
	free(bytes);
}

/* One completed batch. */
static void turn(struct caller *caller)
{
	gpr_timespec deadline = gpr_time_add(
	    gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(CALLER_PATIENCE_MS, GPR_TIMESPAN));
	grpc_event event = grpc_completion_queue_next(caller->queue, deadline, NULL);

	assert_int_equal(event.type, GRPC_OP_COMPLETE); /* else it took too long */
	caller->batches--;
	if (event.tag == TAG_MESSAGE)
		caller->receiving = false;
	if (event.tag == TAG_STATUS) {
		caller->ended = true;
		(void)snprintf(caller->text, sizeof(caller->text), "%.*s",
			       (int)GRPC_SLICE_LENGTH(caller->details),
			       (const char *)GRPC_SLICE_START_PTR(caller->details));
	}
}

grpc_byte_buffer *caller_next(struct caller *caller)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
		      .data.recv_message.recv_message = &caller->message};
	grpc_byte_buffer *message;

	if (!caller->receiving) {
		caller->message = NULL;
		start(caller, &op, 1, TAG_MESSAGE);
		caller->receiving = true;
	}
	while (caller->receiving)
		turn(caller);
	message = caller->message;
	caller->message = NULL;
	while (!message && !caller->ended)
		turn(caller);
	return message;
}

ProtobufCMessage *caller_next_message(struct caller *caller, const ProtobufCMessageDescriptor *type)
{
	grpc_byte_buffer *buffer = caller_next(caller);
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *message;
	grpc_slice bytes;

	if (!buffer)
		return NULL;
	assert_true(grpc_byte_buffer_reader_init(&reader, buffer));
	bytes = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(buffer);
	message = protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(bytes),
					    GRPC_SLICE_START_PTR(bytes));
	grpc_slice_unref(bytes);
	assert_non_null(message);
	return message;
}

Nflog__V1__SubscribeResponse *caller_next_event(struct caller *caller)
{
	return (Nflog__V1__SubscribeResponse *)caller_next_message(
	    caller, &nflog__v1__subscribe_response__descriptor);
}

void caller_expect_end(struct caller *caller, grpc_status_code code)
{
	assert_null(caller_next(caller));
	if (caller->code != code)
		print_error("status %d: %s\n", (int)caller->code, caller->text);
	assert_int_equal(caller->code, code);
}

void caller_close(struct caller *caller)
{
	(void)grpc_call_cancel(caller->call, NULL);
	while (caller->batches > 0)
		turn(caller);
	grpc_byte_buffer_destroy(caller->message);
	grpc_slice_unref(caller->details);
	grpc_metadata_array_destroy(&caller->headers);
	grpc_metadata_array_destroy(&caller->trailers);
	grpc_call_unref(caller->call);
	grpc_channel_destroy(caller->channel);
	grpc_completion_queue_shutdown(caller->queue);
	while (grpc_completion_queue_next(caller->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
		   .type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(caller->queue);
}
