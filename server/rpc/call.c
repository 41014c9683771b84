/* SPDX-License-Identifier: MIT */
/*
 * The life of a call: requested from gRPC, arrived, its method found, its request read and handled,
 * answered or streamed, closed. Handlers are in the files of their methods.
 *
 * RECV_CLOSE_ON_SERVER is pending during the whole call and completes when the client has gone or
 * the status is sent, so a call whose peer was killed is over at once.
 */
#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>

#include "arena.h"
#include "clock.h"
#include "details.h"
#include "peers.h"
#include "policy.h"
#include "server.h"

/* From the cancel of a call to the end of its connection, should that take no byte either. */
#define CUT_NS            NS_PER_S
#define STALL_NS          (30 * NS_PER_S)   /* of who is no tenant, or one without another */
#define REQUEST_ARENA_MAX ((size_t)2097152) /* the largest token takes half of it */

static void on_new(struct tag *tag, bool ok);
static void on_close(struct tag *tag, bool ok);
static void on_request(struct tag *tag, bool ok);
static void on_headers(struct tag *tag, bool ok);
static void on_sent(struct tag *tag, bool ok);
static void on_status(struct tag *tag, bool ok);

bool status_set(struct status *status, grpc_status_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(status->text, sizeof(status->text), format, args);
	va_end(args);
	status->code = code;
	return false;
}

bool status_set_memory(struct status *status)
{
	*status = (struct status){GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory"};
	return false;
}

static struct call *call_new(struct cq *cq)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->cq = cq;
	call->timer_ns = CQ_NEVER;
	call->patience_ns = CQ_NEVER;
	grpc_call_details_init(&call->details);
	grpc_metadata_array_init(&call->metadata);
	call->on_new.fn = on_new;
	call->on_close.fn = on_close;
	call->on_request.fn = on_request;
	call->on_headers.fn = on_headers;
	call->on_sent.fn = on_sent;
	call->on_status.fn = on_status;
	return call;
}

static void call_free(struct call *call)
{
	if (call->stream)
		call->stream->free(call);
	if (call->is_anonymous)
		(void)atomic_fetch_sub(&call->cq->rpc->anonymous_calls, 1);
	gpr_free(call->stuck_peer);
	access_done(&call->access);
	if (call->request)
		grpc_byte_buffer_destroy(call->request);
	if (call->core)
		grpc_call_unref(call->core);
	grpc_call_details_destroy(&call->details);
	grpc_metadata_array_destroy(&call->metadata);
	free(call);
}

static void list_add(struct call *call)
{
	call->next = call->cq->calls;
	if (call->next)
		call->next->previous = call;
	call->cq->calls = call;
}

static void list_remove(struct call *call)
{
	if (call->next)
		call->next->previous = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		call->cq->calls = call->next;
}

/* A batch has completed; with the last one the call is over. */
static void batch_done(struct call *call)
{
	if (--call->batches > 0)
		return;
	list_remove(call);
	call_free(call);
}

static bool start(struct call *call, const grpc_op *ops, size_t count, struct tag *tag)
{
	if (call->cq->quitting ||
	    grpc_call_start_batch(call->core, ops, count, tag, NULL) != GRPC_CALL_OK)
		return false; /* then the tag never comes */
	call->batches++;
	return true;
}

int call_request(struct cq *cq)
{
	struct call *call = call_new(cq);

	if (!call)
		return -ENOMEM;
	if (grpc_server_request_call(cq->rpc->server, &call->core, &call->details, &call->metadata,
				     cq->queue, cq->queue, &call->on_new) != GRPC_CALL_OK) {
		call_free(call);
		return -EIO;
	}
	call->batches = 1;
	return 0;
}

void call_set_timer(struct call *call, int64_t time_ns)
{
	call->timer_ns = time_ns;
	if (time_ns < call->cq->timer_ns)
		call->cq->timer_ns = time_ns;
}

/* From now on it is the peer's turn. One that takes too long to send its request or to take a message
 * is ended: it pins memory. */
static void wait_for_peer(struct call *call)
{
	const struct tenant *tenant = call->access.tenant;
	int64_t timeout_ns = tenant ? tenant->limits.stall_timeout_ns : 0;

	call->patience_ns = call->cq->now_ns + (timeout_ns ? timeout_ns : STALL_NS);
	call_set_timer(call, call->patience_ns);
}

static const struct method *find_method(const struct call *call)
{
	const grpc_slice *path = &call->details.method;

	for (const struct method *method = rpc_methods; method->path; method++)
		if (grpc_slice_str_cmp(*path, method->path) == 0)
			return method;
	return NULL;
}

void call_receive(struct call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->request};

	if (start(call, &op, 1, &call->on_request))
		wait_for_peer(call);
	else
		call_cancel(call, GRPC_STATUS_INTERNAL, "the request cannot be read");
}

/* Nobody is behind it whose calls could be limited: all such calls together are. */
static bool count_anonymous(struct call *call, struct status *err)
{
	struct rpc *rpc = call->cq->rpc;

	if (atomic_fetch_add(&rpc->anonymous_calls, 1) < rpc->limits.anonymous_calls) {
		call->is_anonymous = true;
		return true;
	}
	(void)atomic_fetch_sub(&rpc->anonymous_calls, 1);
	return status_set(err, GRPC_STATUS_RESOURCE_EXHAUSTED,
			  "too many calls without credentials: %u are served at the same time",
			  rpc->limits.anonymous_calls);
}

static bool admit(struct call *call, struct status *err)
{
	if (call->method && call->method->is_open)
		return count_anonymous(call, err);
	return access_begin(call, err);
}

static void accept_call(struct call *call)
{
	struct status status;

	call->method = find_method(call);
	if (call->cq->stopping)
		status_set(&status, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	else if (!admit(call, &status))
		; /* says why */
	else if (!call->method)
		status_set(&status, GRPC_STATUS_UNIMPLEMENTED, "unknown method");
	else {
		call_receive(call);
		return;
	}
	call_finish(call, &status);
}

static void on_new(struct tag *tag, bool ok)
{
	struct call *call = CONTAINER_OF(tag, struct call, on_new);
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
		      .data.recv_close_on_server.cancelled = &call->cancelled};

	if (!ok) { /* shutdown: no call came */
		call_free(call);
		return;
	}
	cq_call_came(call->cq);
	list_add(call);
	if (start(call, &op, 1, &call->on_close))
		accept_call(call);
	batch_done(call);
}

static void on_close(struct tag *tag, bool ok)
{
	struct call *call = CONTAINER_OF(tag, struct call, on_close);

	(void)ok;
	call->finished = true;
	call->wants_news = false;
	call_set_timer(call, call->patience_ns); /* a message may still be stuck on its way */
	batch_done(call);
}

/* The request's bytes in one piece; unref it. */
static grpc_slice read_request(struct call *call)
{
	grpc_byte_buffer_reader reader;
	grpc_slice bytes = grpc_empty_slice();

	if (grpc_byte_buffer_reader_init(&reader, call->request)) {
		bytes = grpc_byte_buffer_reader_readall(&reader);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	grpc_byte_buffer_destroy(call->request);
	call->request = NULL;
	return bytes;
}

static void handle_request(struct call *call)
{
	grpc_slice bytes = read_request(call);
	struct arena arena;
	ProtobufCAllocator allocator;
	ProtobufCMessage *request;
	struct status status;

	arena_init(&arena, REQUEST_ARENA_MAX);
	allocator = arena_allocator(&arena);
	request = protobuf_c_message_unpack(call->method->request, &allocator,
					    GRPC_SLICE_LENGTH(bytes), GRPC_SLICE_START_PTR(bytes));
	grpc_slice_unref(bytes);
	/* While the request was on its way the policy may have changed. */
	if (!call->is_anonymous && access_is_stale(call) && !access_renew(call)) {
		status_set(&status, GRPC_STATUS_PERMISSION_DENIED, ACCESS_REVOKED_TEXT);
		call_finish(call, &status);
	} else if (request) {
		call->method->handle(call, request, &arena);
	} else {
		if (arena.is_short)
			status_set_memory(&status);
		else
			status_set(&status, GRPC_STATUS_INVALID_ARGUMENT,
				   "the request is malformed or has too many parts");
		call_finish(call, &status);
	}
	arena_done(&arena);
}

static void on_request(struct tag *tag, bool ok)
{
	struct call *call = CONTAINER_OF(tag, struct call, on_request);
	struct status status;

	call_set_timer(call, CQ_NEVER);
	call->patience_ns = CQ_NEVER;
	if (call->finished || !ok) {
		/* The peer is gone, or gRPC has refused a message that is too long. */
	} else if (call->request) {
		handle_request(call);
	} else if (call->method->is_repeated) {
		status = (struct status){.code = GRPC_STATUS_OK};
		call_finish(call, &status);
	} else {
		status_set(&status, GRPC_STATUS_INVALID_ARGUMENT, "there is no request");
		call_finish(call, &status);
	}
	batch_done(call);
}

static grpc_slice pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

	(void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	return slice;
}

/* Sends what ends a call: headers if they are missing, an answer if there is one, the status. */
static void send_end(struct call *call, grpc_byte_buffer *answer, grpc_status_code code,
		     const char *text)
{
	grpc_slice details = grpc_slice_from_copied_string(text);
	grpc_metadata trailer = {.key = grpc_slice_from_static_string(DETAILS_KEY),
				 .value = details_make(code, text)};
	grpc_op ops[3] = {0};
	size_t count = 0;

	if (!call->headers_sent)
		ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (answer) {
		ops[count].op = GRPC_OP_SEND_MESSAGE;
		ops[count++].data.send_message.send_message = answer;
	}
	ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[count].data.send_status_from_server.status = code;
	ops[count].data.send_status_from_server.trailing_metadata = &trailer;
	ops[count].data.send_status_from_server.trailing_metadata_count =
	    GRPC_SLICE_LENGTH(trailer.value) > 0;
	ops[count++].data.send_status_from_server.status_details = &details;
	call->finished = true;
	call->wants_news = false;
	if (start(call, ops, count, &call->on_status))
		wait_for_peer(call);
	grpc_slice_unref(details);
	grpc_slice_unref(trailer.value);
}

void call_reply(struct call *call, const ProtobufCMessage *response)
{
	grpc_slice slice = pack(response);
	grpc_byte_buffer *answer = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	send_end(call, answer, GRPC_STATUS_OK, "");
	grpc_byte_buffer_destroy(answer);
}

void call_reply_built(struct call *call, bool built, const ProtobufCMessage *response)
{
	struct status status;

	if (built) {
		call_reply(call, response);
		return;
	}
	status_set_memory(&status);
	call_finish(call, &status);
}

void call_finish(struct call *call, const struct status *status)
{
	if (!call->finished)
		send_end(call, NULL, status->code, status->text);
}

void call_cancel(struct call *call, grpc_status_code code, const char *text)
{
	call->finished = true;
	call->wants_news = false;
	call->timer_ns = CQ_NEVER;
	call->cancel_text = text;
	(void)grpc_call_cancel_with_status(call->core, code, text, NULL);
}

static void on_status(struct tag *tag, bool ok)
{
	struct call *call = CONTAINER_OF(tag, struct call, on_status);

	(void)ok;
	call->timer_ns = CQ_NEVER;
	batch_done(call);
}

void call_start_stream(struct call *call, const struct stream *stream, void *state)
{
	grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};

	call->stream = stream;
	call->state = state;
	call->headers_sent = true;
	(void)start(call, &op, 1, &call->on_headers); /* fails only when the call is over */
}

static void on_headers(struct tag *tag, bool ok)
{
	(void)ok; /* a call that is over says so in on_close */
	batch_done(CONTAINER_OF(tag, struct call, on_headers));
}

static void send_buffer(struct call *call, grpc_byte_buffer *buffer)
{
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};

	call->sending = start(call, &op, 1, &call->on_sent);
	if (call->sending)
		wait_for_peer(call);
	else
		call_cancel(call, GRPC_STATUS_INTERNAL, "a message cannot be sent");
	grpc_byte_buffer_destroy(buffer); /* gRPC has its own references */
}

size_t call_send_slices(struct call *call, grpc_slice *slices, size_t count)
{
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(slices, count);
	size_t len = grpc_byte_buffer_length(buffer);

	for (size_t i = 0; i < count; i++)
		grpc_slice_unref(slices[i]);
	send_buffer(call, buffer);
	return len;
}

size_t call_send(struct call *call, const ProtobufCMessage *message)
{
	grpc_slice slice = pack(message);

	return call_send_slices(call, &slice, 1);
}

size_t call_send_and(struct call *call, const ProtobufCMessage *message, grpc_slice fields)
{
	grpc_slice slices[] = {pack(message), fields};

	return call_send_slices(call, slices, 2);
}

static void on_sent(struct tag *tag, bool ok)
{
	struct call *call = CONTAINER_OF(tag, struct call, on_sent);

	call->sending = false;
	call->patience_ns = CQ_NEVER;
	call->timer_ns = CQ_NEVER;
	if (ok && !call->finished)
		call->stream->sent(call);
	batch_done(call);
}

/* A process that is stopped does not even read its socket: gRPC cannot write that the call is
 * cancelled, and keeps it until it can. Then the connection goes. */
static void cut(struct call *call)
{
	peers_cut(call->cq->rpc->peers, call->stuck_peer);
	call->patience_ns = CQ_NEVER;
}

static void lose_patience(struct call *call)
{
	if (call->stuck_peer) {
		cut(call);
		return;
	}
	call->stuck_peer = grpc_call_get_peer(call->core); /* a cancelled call does not know it */
	call_cancel(call, GRPC_STATUS_RESOURCE_EXHAUSTED,
		    "slow consumer: the client did not send its request, or took no message, for "
		    "longer than the stall timeout");
	call->patience_ns = call->cq->now_ns + CUT_NS;
	call_set_timer(call, call->patience_ns);
}

void call_look(struct call *call)
{
	call->wants_news = false;
	call->timer_ns = CQ_NEVER;
	if (call->cq->now_ns >= call->patience_ns)
		lose_patience(call);
	else if (call->stream && !call->finished && !call->sending)
		call->stream->look(call);
	else
		call_set_timer(call, call->patience_ns);
}

void call_renew(struct call *call)
{
	if (call->stream && !call->finished && !call->sending)
		call->stream->look(call);
}

void call_stop(struct call *call)
{
	struct status status;

	if (call->finished)
		return;
	if (call->stream) {
		call->stream->stop(call);
		return;
	}
	status_set(&status, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	call_finish(call, &status);
}

void call_peer(const struct call *call, char ret[CALL_PEER_MAX])
{
	char *core = grpc_call_get_peer(call->core);

	peers_describe(call->cq->rpc->peers, core, ret, CALL_PEER_MAX);
	gpr_free(core);
}
