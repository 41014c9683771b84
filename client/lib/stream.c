/* SPDX-License-Identifier: MIT */
/*
 * A subscription as its reader sees it: messages of the call become events, one at a time. A packet
 * event is a view into the received message; nothing is copied or allocated for a packet.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/client.h>

#include "arena.h"
#include "call.h"
#include "cleanup.h"
#include "clock.h"
#include "events.h"
#include "message.h"
#include "request.h"
#include "sources.h"
#include "wire.h"

#define SUBSCRIBE "/nflog.v1.NflogService/Subscribe"

struct nfl_client_stream {
	struct call call;
	_Atomic bool cancelled;
	bool over;
	int result; /* of next(), once the stream is over */
	struct nfl_client_status status;
	char *status_text;      /* owned, what status.message points to; or NULL */
	struct message message; /* the packets' bytes */
	struct nfl_bytes batch; /* what is left of it */
	struct sources sources;
	struct events events;
	struct nfl_packet packet;
};

static void stream_freep(struct nfl_client_stream **stream)
{
	nfl_client_stream_free(*stream);
}

int nfl_client_subscribe(struct nfl_client *client,
			 const struct nfl_client_subscribe_options *options,
			 struct nfl_client_stream **ret)
{
	CLEANUP(stream_freep) struct nfl_client_stream *stream = NULL;
	CLEANUP(arena_reset) struct arena arena = {0};
	Nflog__V1__SubscribeRequest request;
	int r;

	if (!client || !ret)
		return -EINVAL;
	r = request_make(options, &arena, &request);
	if (r < 0)
		return r;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->status.message = "";
	r = call_begin(&stream->call, client, SUBSCRIBE, &request.base, NO_DEADLINE);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(stream);
	return 0;
}

static int stream_over(struct nfl_client_stream *stream, int result, int code, const char *text)
{
	stream->over = true;
	stream->result = result;
	stream->status = (struct nfl_client_status){.code = code, .message = text};
	return result;
}

static bool stream_cancelled(const struct nfl_client_stream *stream)
{
	return atomic_load_explicit(&stream->cancelled, memory_order_relaxed);
}

/* The call is over: cancelled from here, or the server's words are the status. */
static int stream_ended(struct nfl_client_stream *stream)
{
	const char *text;
	int code;

	if (stream_cancelled(stream))
		return stream_over(stream, -ECANCELED, NFL_CLIENT_CANCELLED,
				   "cancelled by the caller");
	code = call_status(&stream->call, &stream->status_text);
	text = stream->status_text ? stream->status_text : "";
	return stream_over(stream, code == NFL_CLIENT_OK ? 0 : -EREMOTEIO, code, text);
}

static int stream_failed(struct nfl_client_stream *stream, int r)
{
	call_cancel(&stream->call);
	if (r == -ENOMEM)
		return stream_over(stream, r, NFL_CLIENT_RESOURCE_EXHAUSTED,
				   "out of memory while reading an event");
	return stream_over(stream, r, NFL_CLIENT_INTERNAL,
			   "the server sent what is no nflog.v1.SubscribeResponse");
}

/* The next packet of the batch: 1, 0 when there is none left, -EBADMSG. */
static int next_packet(struct nfl_client_stream *stream, struct nfl_client_event *ret)
{
	struct nfl_packet *packet = &stream->packet;
	struct nfl_bytes bytes;
	int r = wire_batch_next(&stream->batch, &bytes);

	if (r <= 0)
		return r;
	r = wire_read_packet(bytes, packet);
	if (r < 0)
		return r;
	ret->type = NFL_CLIENT_PACKET;
	ret->packet = packet;
	ret->source = sources_find(&stream->sources, packet->source_id);
	if (ret->source) {
		packet->record.group = ret->source->group;
		ret->render_source.netns = ret->source->netns;
		ret->render_source.group = ret->source->group;
	} else {
		ret->render_source.netns = "?"; /* against the contract, yet a packet */
	}
	return 1;
}

/* A message has come: begins a batch (0), or is an event (1) or one not to tell (0). */
static int take_message(struct nfl_client_stream *stream, grpc_byte_buffer *buffer,
			struct nfl_client_event *ret)
{
	struct nfl_bytes bytes, token;
	int r = message_set(&stream->message, buffer, &bytes);

	if (r == 0)
		r = wire_response_batch(bytes.data, bytes.len, &stream->batch, &token);
	if (r != 0)
		return r < 0 ? r : 0;
	stream->batch = (struct nfl_bytes){0};
	return events_read(&stream->events, bytes, &stream->sources, ret);
}

/* Reads messages until one has an event: 1, 0 when the stream is over, or why not. */
static int wait_event(struct nfl_client_stream *stream, int64_t until_ns,
		      struct nfl_client_event *ret)
{
	grpc_byte_buffer *buffer;
	int r;

	while (!stream_cancelled(stream)) {
		r = call_receive(&stream->call, until_ns, &buffer);
		if (r <= 0)
			return r;
		r = take_message(stream, buffer, ret);
		if (r == 0)
			r = next_packet(stream, ret);
		if (r != 0)
			return r;
		/* Messages without an event may follow each other for ever. */
		if (monotonic_ns() >= until_ns)
			return -ETIMEDOUT;
	}
	return 0;
}

int nfl_client_next(struct nfl_client_stream *stream, int timeout_ms, struct nfl_client_event *ret)
{
	int r = 0;

	if (!stream || !ret)
		return -EINVAL;
	*ret = (struct nfl_client_event){0};
	if (stream->over)
		return stream->result;
	if (!stream_cancelled(stream))
		r = next_packet(stream, ret);
	if (r == 0)
		r = wait_event(stream, deadline_after_ms(timeout_ms), ret);
	if (r > 0 || r == -ETIMEDOUT)
		return r;
	return r == 0 ? stream_ended(stream) : stream_failed(stream, r);
}

int nfl_client_run(struct nfl_client_stream *stream, nfl_client_event_fn fn, void *data)
{
	struct nfl_client_event event;
	int r;

	if (!fn)
		return -EINVAL;
	do {
		r = nfl_client_next(stream, -1, &event);
		if (r <= 0)
			return r;
		r = fn(&event, data);
	} while (r == 0);
	return r;
}

void nfl_client_cancel(struct nfl_client_stream *stream)
{
	if (!stream)
		return;
	atomic_store(&stream->cancelled, true);
	call_cancel(&stream->call);
}

const struct nfl_client_status *nfl_client_status(const struct nfl_client_stream *stream)
{
	return &stream->status;
}

void nfl_client_stream_free(struct nfl_client_stream *stream)
{
	if (!stream)
		return;
	call_done(&stream->call);
	message_done(&stream->message);
	sources_done(&stream->sources);
	arena_reset(&stream->events.arena);
	free(stream->status_text);
	free(stream);
}
