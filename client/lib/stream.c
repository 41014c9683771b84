/* SPDX-License-Identifier: MIT */
/*
 * A subscription as its reader sees it: messages of the call become events, one at a time. A packet
 * event is a view into the received message; nothing is copied or allocated for a packet.
 *
 * A call that breaks is followed by another one that goes on behind the last response whose events
 * were all returned: `token` is that place, `arriving` the one behind the response in hand.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/client.h>

#include "arena.h"
#include "call.h"
#include "cancel.h"
#include "cleanup.h"
#include "clock.h"
#include "details.h"
#include "events.h"
#include "message.h"
#include "reconnect.h"
#include "request.h"
#include "sources.h"
#include "token.h"
#include "wire.h"

#define SUBSCRIBE "/nflog.v1.NflogService/Subscribe"

struct nfl_client_stream {
	const struct nfl_client *client; /* borrowed */
	struct request request;
	struct call call;
	struct cancel cancel;
	bool over;
	int result; /* of next(), once the stream is over */
	struct nfl_client_status status;
	char *status_text; /* owned, how the last call ended: status or why points to it; or NULL */
	struct reconnect reconnect;
	struct nfl_client_reconnecting reconnecting;
	struct message message;    /* the packets' bytes */
	struct nfl_bytes batch;    /* what is left of it */
	struct nfl_bytes arriving; /* token of the message */
	struct token token;
	uint64_t delivered; /* packets, over all calls */
	struct sources sources;
	struct events events;
	struct nfl_packet packet;
};

static void stream_freep(struct nfl_client_stream **stream)
{
	nfl_client_stream_free(*stream);
}

static int begin_call(struct nfl_client_stream *stream, enum call_connection connection)
{
	int r = call_begin(&stream->call, stream->client, connection, SUBSCRIBE,
			   &stream->request.message.base, NO_DEADLINE);

	if (r == 0)
		cancel_watch(&stream->cancel, &stream->call);
	return r;
}

static void end_call(struct nfl_client_stream *stream)
{
	cancel_watch(&stream->cancel, NULL);
	call_done(&stream->call);
}

int nfl_client_subscribe(struct nfl_client *client,
			 const struct nfl_client_subscribe_options *options,
			 struct nfl_client_stream **ret)
{
	CLEANUP(stream_freep) struct nfl_client_stream *stream = NULL;
	struct nfl_client_stream *made;
	int r;

	if (!client || !ret)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made || cancel_init(&made->cancel) < 0) {
		free(made);
		return -ENOMEM;
	}
	stream = made;
	stream->client = client;
	stream->status.message = "";
	r = request_make(options, &stream->request);
	if (r == 0)
		r = begin_call(stream, CALL_SHARED);
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

/* How the call ended, in words that live until the next one has. */
static struct nfl_client_status call_end(struct nfl_client_stream *stream)
{
	struct nfl_client_status status;

	free(stream->status_text);
	status.code = call_status(&stream->call, &stream->status_text);
	status.message = stream->status_text ? stream->status_text : "";
	details_read(&stream->call.trailers, status.reason, status.field);
	return status;
}

static bool begins_again(const struct nfl_client_stream *stream,
			 const struct nfl_client_status *status)
{
	const struct request *request = &stream->request;

	if (request->flags & NFL_CLIENT_NO_RECONNECT || !stream->reconnect.started)
		return false;
	/* Without a token only what comes from now on can be had, and that is no history. */
	if (stream->token.len == 0 && !request->follows)
		return false;
	return reconnect_helps(status, request->slow_is_final);
}

static int tell_reconnecting(struct nfl_client_stream *stream,
			     const struct nfl_client_status *status, struct nfl_client_event *ret)
{
	end_call(stream);
	stream->reconnecting.why = *status;
	stream->reconnecting.pause_ms = reconnect_plan_ms(&stream->reconnect);
	stream->reconnecting.try_number = stream->reconnect.tries;
	ret->type = NFL_CLIENT_RECONNECTING;
	ret->ends_response = true;
	ret->reconnecting = &stream->reconnecting;
	return 1;
}

/* The call is over: cancelled from here, to be begun again, or the server's words are the status. */
static int stream_ended(struct nfl_client_stream *stream, struct nfl_client_event *ret)
{
	struct nfl_client_status status;

	if (cancel_is_set(&stream->cancel))
		return stream_over(stream, -ECANCELED, NFL_CLIENT_CANCELLED,
				   "cancelled by the caller");
	status = call_end(stream);
	if (begins_again(stream, &status)) {
		/* Only the word that this was all got lost. */
		if (stream->request.max_packets && stream->delivered >= stream->request.max_packets)
			return stream_over(stream, 0, NFL_CLIENT_OK, "");
		return tell_reconnecting(stream, &status, ret);
	}
	(void)stream_over(stream, status.code == NFL_CLIENT_OK ? 0 : -EREMOTEIO, status.code,
			  status.message);
	stream->status = status; /* with its details */
	return stream->result;
}

static int stream_failed(struct nfl_client_stream *stream, int r)
{
	end_call(stream);
	if (r == -ENOMEM)
		return stream_over(stream, r, NFL_CLIENT_RESOURCE_EXHAUSTED,
				   "out of memory while reading an event");
	return stream_over(stream, r, NFL_CLIENT_INTERNAL,
			   "the server sent what is no nflog.v1.SubscribeResponse");
}

/* All events of the message in hand have been returned. Some messages have no token. */
static void place_reached(struct nfl_client_stream *stream)
{
	if (stream->arriving.len > 0)
		token_set(&stream->token, stream->arriving);
	stream->arriving = (struct nfl_bytes){0};
}

/* The next packet of the batch: 1, 0 when there is none left, -EBADMSG. */
static int next_packet(struct nfl_client_stream *stream, struct nfl_client_event *ret)
{
	struct nfl_packet *packet = &stream->packet;
	struct nfl_bytes bytes;
	int r = wire_batch_next(&stream->batch, &bytes);

	if (r == 0)
		place_reached(stream);
	if (r <= 0)
		return r;
	r = wire_read_packet(bytes, packet);
	if (r < 0)
		return r;
	ret->type = NFL_CLIENT_PACKET;
	ret->packet = packet;
	ret->message = bytes;
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

/* A message that is no batch: 1 with its event, 0 with one not to tell, or why not. */
static int take_event(struct nfl_client_stream *stream, struct nfl_bytes bytes,
		      struct nfl_client_event *ret)
{
	int r = events_read(&stream->events, bytes, &stream->sources, ret);

	if (r > 0 && ret->type == NFL_CLIENT_STARTED) {
		reconnect_succeeded(&stream->reconnect);
		stream->token.len = 0; /* of a call before: this server may have none */
	}
	if (r >= 0)
		place_reached(stream);
	if (r > 0) {
		ret->message = bytes;
		ret->ends_response = true;
	}
	return r;
}

/* A message has come: begins a batch (0), or is an event (1) or one not to tell (0). */
static int take_message(struct nfl_client_stream *stream, grpc_byte_buffer *buffer,
			struct nfl_client_event *ret)
{
	struct nfl_bytes bytes;
	int r = message_set(&stream->message, buffer, &bytes);

	if (r == 0)
		r = wire_response_batch(bytes.data, bytes.len, &stream->batch, &stream->arriving);
	if (r < 0)
		return r;
	if (token_reserve(&stream->token, stream->arriving.len) < 0)
		return -ENOMEM;
	if (r > 0)
		return 0;
	stream->batch = (struct nfl_bytes){0};
	return take_event(stream, bytes, ret);
}

/* Waits for the time of the next try, and begins it. 0, -ETIMEDOUT, or why not. */
static int try_again(struct nfl_client_stream *stream, int64_t until_ns)
{
	int64_t at_ns = stream->reconnect.try_at_ns;

	cancel_sleep(&stream->cancel, at_ns < until_ns ? at_ns : until_ns);
	if (cancel_is_set(&stream->cancel))
		return 0;
	if (monotonic_ns() < at_ns)
		return -ETIMEDOUT;
	stream->reconnect.try_at_ns = 0;
	request_resume(&stream->request, &stream->token, stream->delivered);
	return begin_call(stream, CALL_OWN);
}

/* The next message: 1, 0 when the call is over or the stream cancelled, or why not. */
static int wait_message(struct nfl_client_stream *stream, int64_t until_ns, grpc_byte_buffer **ret)
{
	int r = 0;

	if (stream->reconnect.try_at_ns)
		r = try_again(stream, until_ns);
	if (r < 0 || cancel_is_set(&stream->cancel))
		return r;
	return call_receive(&stream->call, until_ns, ret);
}

/* Reads messages until one has an event: 1, 0 when the stream is over, or why not. */
static int wait_event(struct nfl_client_stream *stream, int64_t until_ns,
		      struct nfl_client_event *ret)
{
	grpc_byte_buffer *buffer;
	int r;

	while (!cancel_is_set(&stream->cancel)) {
		r = wait_message(stream, until_ns, &buffer);
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

/* A packet is about to be returned: counts it, unless the stream goes no further. */
static int deliver(struct nfl_client_stream *stream, struct nfl_client_event *ret)
{
	int64_t until_ns = stream->request.until_ns;

	if (until_ns > 0 && ret->packet->record.receive_time_ns > until_ns) {
		*ret = (struct nfl_client_event){0};
		end_call(stream);
		return stream_over(stream, 0, NFL_CLIENT_OK, "");
	}
	stream->delivered++;
	if (!wire_batch_has_more(&stream->batch)) {
		place_reached(stream);
		ret->ends_response = true;
	}
	return 1;
}

int nfl_client_next(struct nfl_client_stream *stream, int timeout_ms, struct nfl_client_event *ret)
{
	int r = 0;

	if (!stream || !ret)
		return -EINVAL;
	*ret = (struct nfl_client_event){0};
	if (stream->over)
		return stream->result;
	if (!cancel_is_set(&stream->cancel))
		r = next_packet(stream, ret);
	if (r == 0)
		r = wait_event(stream, deadline_after_ms(timeout_ms), ret);
	if (r > 0 && ret->type == NFL_CLIENT_PACKET)
		return deliver(stream, ret);
	if (r > 0 || r == -ETIMEDOUT)
		return r;
	return r == 0 ? stream_ended(stream, ret) : stream_failed(stream, r);
}

size_t nfl_client_resume_token(const struct nfl_client_stream *stream, const void **ret_token)
{
	bool known = stream && stream->token.len > 0;

	if (ret_token)
		*ret_token = known ? stream->token.bytes : NULL;
	return known ? stream->token.len : 0;
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
	cancel_now(&stream->cancel);
}

const struct nfl_client_status *nfl_client_status(const struct nfl_client_stream *stream)
{
	return &stream->status;
}

void nfl_client_stream_free(struct nfl_client_stream *stream)
{
	if (!stream)
		return;
	end_call(stream);
	message_done(&stream->message);
	token_done(&stream->token);
	request_done(&stream->request);
	sources_done(&stream->sources);
	arena_reset(&stream->events.arena);
	free(stream->status_text);
	cancel_done(&stream->cancel);
	free(stream);
}
