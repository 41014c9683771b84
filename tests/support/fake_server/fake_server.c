/* SPDX-License-Identifier: MIT */
/* The gRPC C core from the server's side, one call at a time, driven by a script. */
#include "fake_server.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include "acceptor.h"
#include "cleanup.h"
#include "must.h"

#define REQUEST_MAX  65536
#define PATIENCE_S   30
#define CALLS_MAX    32
#define UNREAD_BYTES 8388608 /* more than a client takes without being asked */

enum tag {
	TAG_NEW = 1,
	TAG_REQUEST,
	TAG_HEADERS,
	TAG_SENT,
	TAG_CLOSED,
	TAG_STATUS,
	TAG_SHUTDOWN,
};

#define TAGS (TAG_SHUTDOWN + 1)

struct fake_server {
	const struct fake_call *calls; /* borrowed */
	size_t count;
	unsigned served[CALLS_MAX]; /* calls that each script had */
	char folder[32];
	char address[64];
	struct acceptor *acceptor;            /* owned */
	grpc_server_credentials *credentials; /* owned, for its connections */
	grpc_server *core;                    /* owned */
	grpc_completion_queue *cq;            /* owned */
	pthread_t thread;
	bool came[TAGS]; /* tags that came, of the thread */
	bool ok[TAGS];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned gates_open;                /* [lock] that no script has come to yet */
	unsigned begun;                     /* [lock] calls */
	unsigned broken_off;                /* [lock] calls */
	unsigned char request[REQUEST_MAX]; /* [lock] of the last one */
	size_t request_len;                 /* [lock] */
};

/* The call that is being served. */
struct serving {
	grpc_call *core;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *request;
	int cancelled;
};

/* Waits for one tag; others that come meanwhile are noted. True when it came with success. */
static bool wait_tag(struct fake_server *s, enum tag tag)
{
	while (!s->came[tag]) {
		grpc_event event =
		    grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		size_t came = (size_t)(uintptr_t)event.tag;

		must(event.type == GRPC_OP_COMPLETE && came < TAGS, "an unexpected event");
		s->came[came] = true;
		s->ok[came] = event.success != 0;
	}
	s->came[tag] = false;
	return s->ok[tag];
}

static void start(const struct serving *serving, const grpc_op *op, enum tag tag)
{
	must(grpc_call_start_batch(serving->core, op, 1, (void *)(uintptr_t)tag, NULL) ==
		 GRPC_CALL_OK,
	     "a batch was refused");
}

static void start_send(const struct serving *serving, const void *bytes, size_t len)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(bytes, len);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};

	start(serving, &op, TAG_SENT);
	grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(slice);
}

static bool send_bytes(struct fake_server *s, const struct serving *serving, const void *bytes,
		       size_t len)
{
	start_send(serving, bytes, len);
	return wait_tag(s, TAG_SENT);
}

static bool send_step(struct fake_server *s, const struct serving *serving,
		      const struct fake_step *step)
{
	CLEANUP(freep) unsigned char *packed = NULL;
	size_t len;

	if (!step->message)
		return send_bytes(s, serving, step->bytes, step->len);
	len = protobuf_c_message_get_packed_size(step->message);
	packed = malloc(len + 1);
	must(packed != NULL, "out of memory");
	(void)protobuf_c_message_pack(step->message, packed);
	return send_bytes(s, serving, packed, len);
}

static struct timespec patience(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	return until;
}

static void wait_gate(struct fake_server *s)
{
	struct timespec until = patience();

	(void)pthread_mutex_lock(&s->lock);
	while (s->gates_open == 0)
		must(pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0, "a closed gate");
	s->gates_open--;
	(void)pthread_mutex_unlock(&s->lock);
}

static void open_gates(struct fake_server *s, unsigned count)
{
	(void)pthread_mutex_lock(&s->lock);
	s->gates_open += count;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static void send_status(struct fake_server *s, const struct serving *serving,
			const struct fake_step *step)
{
	grpc_slice details = grpc_slice_from_copied_string(step->text ? step->text : "");
	grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin"),
				 .value = grpc_slice_from_copied_buffer(step->bytes, step->len)};
	grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
		      .data.send_status_from_server = {.status = (grpc_status_code)step->code,
						       .status_details = &details,
						       .trailing_metadata = &trailer,
						       .trailing_metadata_count = step->len > 0}};

	start(serving, &op, TAG_STATUS);
	grpc_slice_unref(details);
	grpc_slice_unref(trailer.value);
	(void)wait_tag(s, TAG_STATUS);
}

/* The script for this call of a method, or NULL. */
static const struct fake_call *find_script(struct fake_server *s, const grpc_slice method)
{
	static const char service[] = "/nflog.v1.NflogService/";
	const struct fake_call *last = NULL;

	for (size_t i = 0; i < s->count; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s%s", service, s->calls[i].method);
		if (grpc_slice_str_cmp(method, path) != 0)
			continue;
		last = &s->calls[i];
		if (s->served[i]++ == 0)
			break;
	}
	return last;
}

/* As a server ends the call of a client that has stopped reading. */
static void break_off(struct fake_server *s, const struct serving *serving,
		      const struct fake_step *step)
{
	CLEANUP(freep) void *zeros = calloc(1, UNREAD_BYTES);

	must(zeros != NULL, "out of memory");
	start_send(serving, zeros, UNREAD_BYTES);
	(void)grpc_call_cancel_with_status(serving->core, (grpc_status_code)step->code, step->text,
					   NULL);
	(void)wait_tag(s, TAG_SENT);
	(void)pthread_mutex_lock(&s->lock);
	s->broken_off++;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static void wait_closed(struct fake_server *s)
{
	(void)wait_tag(s, TAG_CLOSED);
	s->came[TAG_CLOSED] = true; /* serve_call() looks for it too */
}

static void run_script(struct fake_server *s, const struct serving *serving,
		       const struct fake_call *script)
{
	for (size_t i = 0; i < script->count; i++) {
		const struct fake_step *step = &script->steps[i];

		switch (step->kind) {
		case FAKE_SEND:
			if (!send_step(s, serving, step))
				return; /* the client is gone */
			break;
		case FAKE_GATE:
			wait_gate(s);
			break;
		case FAKE_BREAK_OFF:
			break_off(s, serving, step);
			return;
		case FAKE_WRITE:
			acceptor_write(s->acceptor, step->bytes, step->len);
			break;
		case FAKE_DROP:
			acceptor_drop(s->acceptor);
			wait_closed(s);
			return;
		case FAKE_STALL:
			wait_closed(s);
			return;
		case FAKE_END:
			send_status(s, serving, step);
			return;
		}
	}
	send_status(s, serving, &(const struct fake_step){.code = GRPC_STATUS_OK});
}

static void keep_request(struct fake_server *s, grpc_byte_buffer *buffer)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;

	must(buffer && grpc_byte_buffer_reader_init(&reader, buffer), "no request");
	slice = grpc_byte_buffer_reader_readall(&reader);
	must(GRPC_SLICE_LENGTH(slice) <= REQUEST_MAX, "a request that large");
	(void)pthread_mutex_lock(&s->lock);
	s->request_len = GRPC_SLICE_LENGTH(slice);
	memcpy(s->request, GRPC_SLICE_START_PTR(slice), s->request_len);
	s->begun++;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
}

static void serve_call(struct fake_server *s, struct serving *serving)
{
	grpc_op closed = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
			  .data.recv_close_on_server.cancelled = &serving->cancelled};
	grpc_op headers = {.op = GRPC_OP_SEND_INITIAL_METADATA};
	grpc_op request = {.op = GRPC_OP_RECV_MESSAGE,
			   .data.recv_message.recv_message = &serving->request};
	const struct fake_call *script = find_script(s, serving->details.method);

	start(serving, &closed, TAG_CLOSED);
	start(serving, &request, TAG_REQUEST);
	if (wait_tag(s, TAG_REQUEST) && serving->request)
		keep_request(s, serving->request);
	start(serving, &headers, TAG_HEADERS);
	if (wait_tag(s, TAG_HEADERS) && script)
		run_script(s, serving, script);
	else
		send_status(s, serving,
			    &(const struct fake_step){.code = GRPC_STATUS_UNIMPLEMENTED,
						      .text = "no script"});
	(void)wait_tag(s, TAG_CLOSED);
	if (serving->request)
		grpc_byte_buffer_destroy(serving->request);
	grpc_call_unref(serving->core);
}

static void *serve(void *data)
{
	struct fake_server *s = data;
	bool going = true;

	while (going) {
		struct serving serving = {0};

		grpc_call_details_init(&serving.details);
		grpc_metadata_array_init(&serving.metadata);
		must(grpc_server_request_call(s->core, &serving.core, &serving.details,
					      &serving.metadata, s->cq, s->cq,
					      (void *)(uintptr_t)TAG_NEW) == GRPC_CALL_OK,
		     "no call can be asked for");
		going = wait_tag(s, TAG_NEW);
		if (going)
			serve_call(s, &serving);
		grpc_call_details_destroy(&serving.details);
		grpc_metadata_array_destroy(&serving.metadata);
	}
	(void)wait_tag(s, TAG_SHUTDOWN);
	return NULL;
}

static void serve_connection(int fd, void *data)
{
	struct fake_server *s = data;

	grpc_server_add_channel_from_fd(s->core, fd, s->credentials);
}

struct fake_server *fake_server_start(const struct fake_call *calls, size_t count)
{
	struct fake_server *s = calloc(1, sizeof(*s));

	must(s && count <= CALLS_MAX, "no memory or too many scripts");
	grpc_init();
	s->calls = calls;
	s->count = count;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	strcpy(s->folder, "/tmp/nfl-fake-XXXXXX");
	must(mkdtemp(s->folder) != NULL, "no folder");
	(void)snprintf(s->address, sizeof(s->address), "unix:%s/sock", s->folder);
	s->core = grpc_server_create(NULL, NULL);
	s->cq = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(s->core, s->cq, NULL);
	s->credentials = grpc_insecure_server_credentials_create();
	grpc_server_start(s->core);
	s->acceptor = acceptor_start(s->address + strlen("unix:"), serve_connection, s);
	must(pthread_create(&s->thread, NULL, serve, s) == 0, "no thread");
	return s;
}

void fake_server_stop(struct fake_server *s)
{
	open_gates(s, UINT_MAX / 2); /* the rest of the script fails, as nobody is connected */
	acceptor_stop(s->acceptor);
	grpc_server_shutdown_and_notify(s->core, s->cq, (void *)(uintptr_t)TAG_SHUTDOWN);
	grpc_server_cancel_all_calls(s->core);
	(void)pthread_join(s->thread, NULL);
	grpc_server_destroy(s->core);
	grpc_completion_queue_shutdown(s->cq);
	while (grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN) {
	}
	grpc_completion_queue_destroy(s->cq);
	grpc_server_credentials_release(s->credentials);
	(void)rmdir(s->folder);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	grpc_shutdown();
}

const char *fake_server_address(const struct fake_server *s)
{
	return s->address;
}

void fake_server_open_gate(struct fake_server *s)
{
	open_gates(s, 1);
}

void fake_server_wait_broken_off(struct fake_server *s)
{
	struct timespec until = patience();

	(void)pthread_mutex_lock(&s->lock);
	while (s->broken_off == 0)
		must(pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0, "no end");
	(void)pthread_mutex_unlock(&s->lock);
}

void fake_server_leave(struct fake_server *s)
{
	acceptor_leave(s->acceptor);
	acceptor_drop(s->acceptor);
}

void fake_server_return(struct fake_server *s)
{
	acceptor_return(s->acceptor);
}

const void *fake_server_request(struct fake_server *s, unsigned calls, size_t *ret_len)
{
	struct timespec until = patience();

	(void)pthread_mutex_lock(&s->lock);
	while (s->begun < calls)
		must(pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0, "no request came");
	*ret_len = s->request_len;
	(void)pthread_mutex_unlock(&s->lock);
	return s->request;
}
