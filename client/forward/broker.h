/* SPDX-License-Identifier: MIT */
/*
 * broker.h - what nflogctl forward and subscribe --from want of a message broker
 *
 * A broker is a module that is loaded when its scheme is asked for ("nats://", "kafka://"), so that
 * nothing else links its library and each is a package of its own. A module exports one function,
 * nfl_broker_module(), which returns a struct broker_module.
 *
 *	lanes ──publish──▶ broker ──▶ its server          progress(): the first n messages are stored
 *
 * Messages are numbered from 1 in the order of publish(). What was not stored is sent again by the module,
 * under the same id, for as long as it takes: it gives up only where no repetition can help.
 *
 * Threads: all calls from one. A library's own threads stay inside the module.
 */
#ifndef FORWARD_BROKER_H
#define FORWARD_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_ABI 1

struct broker; /* the module's own */

/* Why something failed, or does not go on at the moment. May be of outside origin: escape it. */
struct broker_error {
	char text[256];
};

/**
 * struct broker_settings - whom to talk to; all texts are borrowed for the life of the broker
 * @url: without the last part: "nats://host:4222"; several servers are separated by commas
 * @stream: the last part: JetStream's stream, Kafka's topic
 * @ca, @cert, @key, @creds: files; NULL: none
 * @options: "name=value" of the broker's library, @option_count of them
 * @client: how this end calls itself
 * @create: a stream for @create_subject is made where there is none
 * @window_messages, @window_bytes: published and not stored yet, at most
 */
struct broker_settings {
	const char *url;
	const char *stream;
	const char *ca;
	const char *cert;
	const char *key;
	const char *creds;
	const char *const *options;
	size_t option_count;
	const char *client;
	bool create;
	const char *create_subject;
	uint32_t window_messages;
	size_t window_bytes;
};

/**
 * struct broker_message - one message; borrowed for the call that it is given to
 * @subject: NATS: subject, Kafka: key
 * @id: the same for the same message only; NULL where it is read
 */
struct broker_message {
	const char *subject;
	const char *id;
	const void *data;
	size_t len;
	uint64_t number; /* where it is read: the broker's, for error messages */
	int64_t
	    time_ns; /* where it is read: when it was stored, CLOCK_REALTIME of the broker; 0: not known */
};

/**
 * struct broker_query - what to read
 * @subject: NATS: which subjects, with wildcards; NULL: all of the stream
 * @since_ns: what was stored from then on, CLOCK_REALTIME; 0: not given
 * @all: from the first message; neither: from now on
 * @follow: go on when all that is there was read
 */
struct broker_query {
	const char *subject;
	int64_t since_ns;
	bool all;
	bool follow;
};

struct broker_module {
	uint32_t abi; /* BROKER_ABI */

	/* Connects. 0 with an owned broker, or -errno with a text. */
	int (*open)(const struct broker_settings *settings, struct broker **ret,
		    struct broker_error *err);
	/* Ends; what is not stored yet may be lost. */
	void (*close)(struct broker *broker);

	/* 0; -EAGAIN: the window is full; -EMSGSIZE or another -errno with a text: never. */
	int (*publish)(struct broker *broker, const struct broker_message *message,
		       struct broker_error *err);
	/**
	 * Waits until something happens, sends again what has to be.
	 * @ret_stored: the first so many messages are stored
	 * Returns 0; -ETIMEDOUT: nothing happened; -EAGAIN with a text: in trouble, goes on trying; another
	 * -errno with a text: never.
	 */
	int (*progress)(struct broker *broker, int timeout_ms, uint64_t *ret_stored,
			struct broker_error *err);

	/* A key-value store; NULL: there is none. load: 1 with what the caller has to free(), 0: no such
	 * key, -errno with a text. */
	int (*load)(struct broker *broker, const char *bucket, const char *key, void **ret,
		    size_t *ret_len, struct broker_error *err);
	int (*store)(struct broker *broker, const char *bucket, const char *key, const void *data,
		     size_t len, struct broker_error *err);

	/* Reading; NULL: cannot. next: 1 with a message, borrowed until the next call; 0: all was read
	 * (without follow); -ETIMEDOUT; -errno with a text. */
	int (*read)(struct broker *broker, const struct broker_query *query,
		    struct broker_error *err);
	int (*next)(struct broker *broker, int timeout_ms, struct broker_message *ret,
		    struct broker_error *err);
};

typedef const struct broker_module *(*broker_module_fn)(void);

#endif
