/* SPDX-License-Identifier: MIT */
/* One message there, one back, the status looked at; see ask.h. */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "details.h"
#include "message.h"

#define PAGES_MAX 1000 /* of a server that never comes to an end */

static int fail(const struct question *q, int r, int code, const char *text)
{
	if (q->err) {
		q->err->code = code;
		(void)snprintf(q->err->message, sizeof(q->err->message), "%s", text);
	}
	return r;
}

static int fail_malformed(const struct question *q)
{
	return fail(q, -EBADMSG, NFL_CLIENT_INTERNAL,
		    "the server's answer is malformed or larger than this client takes");
}

static int fail_memory(const struct question *q)
{
	return fail(q, -ENOMEM, NFL_CLIENT_RESOURCE_EXHAUSTED, strerror(ENOMEM));
}

int question_unusable(const struct question *q)
{
	return arena_error(&q->answer->arena) == -ENOMEM ? fail_memory(q) : fail_malformed(q);
}

void answer_free(void *given)
{
	struct answer *answer = given;

	if (!answer)
		return;
	arena_reset(&answer->arena);
	free(answer);
}

int question_begin(struct question *q, struct nfl_client *client, int timeout_ms, const void *ret,
		   struct nfl_client_error *err)
{
	*q = (struct question){
	    .client = client, .deadline_ns = deadline_after_ms(timeout_ms), .err = err};
	if (err)
		*err = (struct nfl_client_error){0};
	if (!client || !ret)
		return fail(q, -EINVAL, NFL_CLIENT_INVALID_ARGUMENT, "an argument is NULL");
	q->answer = calloc(1, sizeof(*q->answer));
	if (!q->answer)
		return fail_memory(q);
	return 0;
}

void question_done(struct question *q)
{
	answer_free(q->answer);
}

/* Reads the call to its end: one message and the status OK, or an error. */
static int read_answer(const struct question *q, struct call *call, struct message *message,
		       struct nfl_bytes *ret)
{
	CLEANUP(freep) char *text = NULL;
	grpc_byte_buffer *buffer;
	bool answered = false;
	int code;

	while (call_receive(call, NO_DEADLINE, &buffer) > 0) {
		int r = message_set(message, buffer, ret);

		if (r < 0 || answered)
			return r == -ENOMEM ? fail_memory(q) : fail_malformed(q);
		answered = true;
	}
	code = call_status(call, &text);
	if (code != NFL_CLIENT_OK && q->err)
		details_read(&call->trailers, q->err->reason, q->err->field);
	if (code != NFL_CLIENT_OK)
		return fail(q, -EREMOTEIO, code, text ? text : "");
	return answered ? 0 : fail_malformed(q);
}

int ask(const struct question *q, const char *method, const ProtobufCMessage *request,
	const ProtobufCMessageDescriptor *type, void *ret)
{
	CLEANUP(call_done) struct call call = {0};
	CLEANUP(message_done) struct message message = {0};
	ProtobufCMessage *unpacked;
	struct nfl_bytes bytes = {0};
	int r = call_begin(&call, q->client, CALL_SHARED, method, request, q->deadline_ns);

	if (r < 0)
		return fail_memory(q);
	r = read_answer(q, &call, &message, &bytes);
	if (r < 0)
		return r;
	unpacked = arena_unpack(&q->answer->arena, type, bytes.data, bytes.len);
	if (!unpacked)
		return question_unusable(q);
	memcpy(ret, &unpacked, sizeof(unpacked)); /* a generated struct begins with its base */
	return 0;
}

int ask_pages(struct question *q, page_fn page)
{
	char first[] = "";
	char *token = first;

	for (int i = 0; i < PAGES_MAX; i++) {
		int r = page(q, &token);

		if (r < 0)
			return r;
		if (!*token)
			return 0;
	}
	return fail_malformed(q);
}

void *question_extend(struct question *q, size_t more, size_t item_size)
{
	void *items = arena_extend(&q->answer->arena, q->items, q->count, more, item_size);

	if (items)
		q->items = items;
	return items;
}
