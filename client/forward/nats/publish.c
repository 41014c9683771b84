/* SPDX-License-Identifier: MIT */
/*
 * Publishing with many messages on their way. Acknowledgements come by a thread of the library, in any
 * order; what is stored counts from the front. A message that is refused, or not acknowledged in time,
 * is kept and sent again by nats_progress(): JetStream knows its id, so that twice is once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "jetstream.h"

#define ACK_WAIT_MS  5000
#define PAUSE_MIN_NS (NS_PER_S / 10)
#define PAUSE_MAX_NS (5 * NS_PER_S)

/* JetStream's numbers for what no repetition helps against. */
#define ERROR_OTHER_STREAM 10060 /* the subject belongs to another stream */
#define ERROR_TOO_LARGE    10054

int window_init(struct window *window, uint32_t size, size_t bytes_max)
{
	pthread_condattr_t attr;

	window->items = calloc(size, sizeof(*window->items));
	if (!window->items)
		return -ENOMEM;
	window->size = size;
	window->bytes_max = bytes_max;
	(void)pthread_mutex_init(&window->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&window->moved, &attr);
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

/* Message `at` of those that are not stored, from 0. */
static struct pending *window_at(struct window *window, uint32_t at)
{
	return &window->items[(window->first + at) % window->size];
}

void window_done(struct window *window)
{
	for (uint32_t i = 0; i < window->count; i++)
		if (window_at(window, i)->failed)
			natsMsg_Destroy(window_at(window, i)->msg);
	(void)pthread_cond_destroy(&window->moved);
	(void)pthread_mutex_destroy(&window->lock);
	free(window->items);
}

/* What is stored at the front is done with. */
static void window_advance(struct window *window)
{
	while (window->count > 0 && window_at(window, 0)->stored) {
		window->bytes -= window_at(window, 0)->len;
		*window_at(window, 0) = (struct pending){0};
		window->first++;
		window->count--;
	}
}

static void note_trouble(struct window *window, const jsPubAckErr *error)
{
	const char *text =
	    error->ErrText && *error->ErrText ? error->ErrText : natsStatus_GetText(error->Err);

	(void)snprintf(window->trouble.text, sizeof(window->trouble.text), "not stored: %s%s", text,
		       error->Err == NATS_NO_RESPONDERS
			   ? " (JetStream is off, or no stream has the subject)"
			   : "");
	window->is_final |= error->ErrCode == (jsErrCode)ERROR_OTHER_STREAM ||
			    error->ErrCode == (jsErrCode)ERROR_TOO_LARGE;
}

/* Threads: the library's. The message is ours from now on. */
void nats_acknowledged(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error, void *data)
{
	struct window *window = data;
	struct pending *pending = NULL;

	(void)js;
	(void)pthread_mutex_lock(&window->lock);
	for (uint32_t i = 0; i < window->count && !pending; i++)
		if (window_at(window, i)->msg == msg)
			pending = window_at(window, i);
	if (pending && ack) {
		pending->stored = true;
		pending->msg = NULL;
		window->trouble.text[0] = '\0';
		window_advance(window);
	} else if (pending && error) {
		pending->failed = true;
		note_trouble(window, error);
	}
	window->has_moved = true;
	(void)pthread_cond_signal(&window->moved);
	(void)pthread_mutex_unlock(&window->lock);
	if (!pending || ack)
		natsMsg_Destroy(msg);
}

/* The library owns the message when that succeeds. */
static natsStatus send_message(struct broker *broker, natsMsg *msg, const char *id)
{
	natsMsg *given = msg;
	jsPubOptions options;

	(void)jsPubOptions_Init(&options);
	options.MsgId = id;
	options.ExpectStream = broker->settings->stream;
	options.MaxWait = ACK_WAIT_MS;
	return js_PublishMsgAsync(broker->js, &given, &options);
}

/* A place in the window for the message; false: there is none. */
static bool take_place(struct window *window, natsMsg *msg, const struct broker_message *message)
{
	bool room;

	(void)pthread_mutex_lock(&window->lock);
	room = window->count < window->size &&
	       (window->count == 0 || window->bytes + message->len <= window->bytes_max);
	if (room && msg) {
		struct pending *pending = window_at(window, window->count++);

		*pending = (struct pending){.msg = msg, .len = message->len};
		(void)snprintf(pending->id, sizeof(pending->id), "%s", message->id);
		window->bytes += message->len;
	}
	(void)pthread_mutex_unlock(&window->lock);
	return room;
}

/* It could not even be sent: as one that was refused. */
static void keep_failed(struct window *window, natsMsg *msg, natsStatus status)
{
	jsPubAckErr error = {.Msg = msg, .Err = status};

	nats_acknowledged(NULL, msg, NULL, &error, window);
}

int nats_publish(struct broker *broker, const struct broker_message *message,
		 struct broker_error *err)
{
	natsMsg *msg = NULL;
	natsStatus s;

	if (!take_place(&broker->window, NULL, message))
		return -EAGAIN;
	if ((int64_t)message->len > natsConnection_GetMaxPayload(broker->nc)) {
		(void)snprintf(err->text, sizeof(err->text),
			       "a message of %zu bytes is more than the server takes (max_payload)",
			       message->len);
		return -EMSGSIZE;
	}
	s = natsMsg_Create(&msg, message->subject, NULL, message->data, (int)message->len);
	if (s != NATS_OK)
		return nats_failed(broker, message->subject, s, 0, err);
	(void)take_place(&broker->window, msg, message);
	s = send_message(broker, msg, message->id);
	if (s != NATS_OK)
		keep_failed(&broker->window, msg, s);
	return 0;
}

/* The next message from @from on that has to be sent again, as one that is on its way; NULL: none. */
static natsMsg *take_failed(struct window *window, uint64_t *from, char id[64])
{
	natsMsg *msg = NULL;

	(void)pthread_mutex_lock(&window->lock);
	if (*from < window->first)
		*from = window->first;
	for (; !msg && *from < window->first + window->count; ++*from) {
		struct pending *pending = window_at(window, (uint32_t)(*from - window->first));

		if (!pending->failed)
			continue;
		msg = pending->msg;
		memcpy(id, pending->id, sizeof(pending->id));
		pending->failed = false;
	}
	(void)pthread_mutex_unlock(&window->lock);
	return msg;
}

/* In the order of the messages, each once, after a pause that doubles while there is no success. */
static void send_again(struct broker *broker)
{
	bool is_tried = false;
	uint64_t from = 0;
	natsStatus s = NATS_OK;
	natsMsg *msg;
	char id[64];

	if (monotonic_ns() < broker->retry_ns)
		return;
	while (s == NATS_OK && (msg = take_failed(&broker->window, &from, id))) {
		s = send_message(broker, msg, id);
		if (s != NATS_OK)
			keep_failed(&broker->window, msg, s);
		is_tried = true;
	}
	if (!is_tried)
		return;
	broker->pause_ns = broker->pause_ns ? broker->pause_ns * 2 : PAUSE_MIN_NS;
	if (broker->pause_ns > PAUSE_MAX_NS)
		broker->pause_ns = PAUSE_MAX_NS;
	broker->retry_ns = monotonic_ns() + broker->pause_ns;
}

static void wait_moved(struct window *window, int timeout_ms)
{
	int64_t until_ns = monotonic_ns() + timeout_ms * NS_PER_MS;
	const struct timespec until = {.tv_sec = until_ns / NS_PER_S,
				       .tv_nsec = until_ns % NS_PER_S};
	int r = 0;

	while (!window->has_moved && r == 0 && timeout_ms > 0)
		r = pthread_cond_timedwait(&window->moved, &window->lock, &until);
}

int nats_progress(struct broker *broker, int timeout_ms, uint64_t *ret_stored,
		  struct broker_error *err)
{
	struct window *window = &broker->window;
	int r;

	send_again(broker);
	(void)pthread_mutex_lock(&window->lock);
	wait_moved(window, timeout_ms);
	r = window->has_moved ? 0 : -ETIMEDOUT;
	window->has_moved = false;
	*ret_stored = window->first;
	if (!window->trouble.text[0])
		broker->pause_ns = 0;
	if (window->trouble.text[0]) {
		*err = window->trouble;
		r = window->is_final ? -EPROTO : -EAGAIN;
	}
	(void)pthread_mutex_unlock(&window->lock);
	if (r == 0 || r == -ETIMEDOUT) {
		natsConnStatus status = natsConnection_Status(broker->nc);

		if (status != NATS_CONN_STATUS_CONNECTED) {
			(void)snprintf(err->text, sizeof(err->text), "no connection to %s",
				       broker->settings->url);
			return -EAGAIN;
		}
	}
	return r;
}
