/* SPDX-License-Identifier: MIT */
/*
 * The Kafka module of nflogctl forward, by librdkafka. Its idempotent producer repeats what was not
 * stored, in order and once, for as long as it takes; an error that comes back is one that no repetition
 * helps against. Delivery reports come in the calls of progress(): there is one thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "broker.h"
#include "cleanup.h"

#define OPEN_WAIT_MS  5000
#define CLOSE_WAIT_MS 1000

/* Messages first + 1 .. first + count, of which the first is not stored yet. */
struct broker {
	const struct broker_settings *settings; /* borrowed */
	rd_kafka_t *producer;                   /* owned */
	bool *stored;                           /* owned; a ring */
	uint64_t first;
	uint32_t count;
	size_t bytes;
	bool has_moved;              /* since progress() looked */
	bool is_final;               /* trouble is an end */
	struct broker_error trouble; /* empty: none */
};

const struct broker_module *nfl_broker_module(void);

static __attribute__((format(printf, 2, 3))) void say(struct broker_error *err, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
}

/* --- reports ----------------------------------------------------------------------------- */

static void advance(struct broker *broker)
{
	uint32_t size = broker->settings->window_messages;

	while (broker->count > 0 && broker->stored[broker->first % size]) {
		broker->stored[broker->first % size] = false;
		broker->first++;
		broker->count--;
	}
}

static void take_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *data)
{
	struct broker *broker = data;
	uint64_t at = (uint64_t)(uintptr_t)message->_private;

	(void)producer;
	broker->has_moved = true;
	broker->bytes -= message->len;
	if (message->err) {
		say(&broker->trouble, "not stored: %s", rd_kafka_err2str(message->err));
		broker->is_final = true;
		return;
	}
	if (!broker->is_final)
		broker->trouble.text[0] = '\0';
	broker->stored[at % broker->settings->window_messages] = true;
	advance(broker);
}

/* Brokers that cannot be reached, and what ends the producer. */
static void take_error(rd_kafka_t *producer, int error, const char *reason, void *data)
{
	struct broker *broker = data;
	char text[200];

	broker->has_moved = true;
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		(void)rd_kafka_fatal_error(producer, text, sizeof(text));
		broker->is_final = true;
		reason = text;
	}
	say(&broker->trouble, "%s", reason);
}

static void drop_log(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
	(void)producer; /* what matters comes by take_error() */
	(void)level;
	(void)facility;
	(void)text;
}

/* --- open -------------------------------------------------------------------------------- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct broker_error *err)
{
	char text[200];

	if (!value || rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
		return 0;
	say(err, "%s", text);
	return -EINVAL;
}

/* NAME=VALUE of --broker-option. */
static int set_option(rd_kafka_conf_t *conf, const char *option, struct broker_error *err)
{
	const char *value = strchr(option, '=');
	CLEANUP(freep) char *name = NULL;

	if (!value) {
		say(err, "--broker-option %s: expected NAME=VALUE", option);
		return -EINVAL;
	}
	name = strndup(option, (size_t)(value - option));
	if (!name) {
		say(err, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	return set(conf, name, value + 1, err);
}

static int set_all(rd_kafka_conf_t *conf, const struct broker_settings *settings,
		   struct broker_error *err)
{
	const struct {
		const char *name;
		const char *value;
	} known[] = {
	    {"bootstrap.servers", settings->url + strlen("kafka://")},
	    {"client.id", "nflogctl"},
	    {"enable.idempotence", "true"},
	    {"message.timeout.ms", "0"}, /* never give up */
	    {"queue.buffering.max.messages", "100000"},
	    {"linger.ms", "5"},
	    {"security.protocol", settings->ca || settings->cert ? "ssl" : NULL},
	    {"ssl.ca.location", settings->ca},
	    {"ssl.certificate.location", settings->cert},
	    {"ssl.key.location", settings->key},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && r == 0; i++)
		r = set(conf, known[i].name, known[i].value, err);
	for (size_t i = 0; i < settings->option_count && r == 0; i++)
		r = set_option(conf, settings->options[i], err);
	return r;
}

static int make_producer(struct broker *broker, struct broker_error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[200];
	int r = set_all(conf, broker->settings, err);

	if (r < 0) {
		rd_kafka_conf_destroy(conf);
		return r;
	}
	rd_kafka_conf_set_opaque(conf, broker);
	rd_kafka_conf_set_dr_msg_cb(conf, take_report);
	rd_kafka_conf_set_error_cb(conf, take_error);
	rd_kafka_conf_set_log_cb(conf, drop_log);
	broker->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (broker->producer)
		return 0;
	rd_kafka_conf_destroy(conf);
	say(err, "%s", text);
	return -EINVAL;
}

/* Is there anybody, and has he the topic? Better said now than never. */
static int find_topic(struct broker *broker, struct broker_error *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *topic =
	    rd_kafka_topic_new(broker->producer, broker->settings->stream, NULL);
	rd_kafka_resp_err_t error =
	    topic ? rd_kafka_metadata(broker->producer, 0, topic, &metadata, OPEN_WAIT_MS)
		  : rd_kafka_last_error();

	if (!error && metadata->topic_cnt == 1)
		error = metadata->topics[0].err;
	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	if (topic)
		rd_kafka_topic_destroy(topic);
	if (!error || error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) /* it is being made */
		return 0;
	say(err, "topic %s: %s", broker->settings->stream, rd_kafka_err2str(error));
	return -EIO;
}

static void kafka_close(struct broker *broker)
{
	if (broker->producer) {
		(void)rd_kafka_purge(broker->producer,
				     RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		(void)rd_kafka_flush(broker->producer, CLOSE_WAIT_MS);
		rd_kafka_destroy(broker->producer);
	}
	free(broker->stored);
	free(broker);
}

static int kafka_open(const struct broker_settings *settings, struct broker **ret,
		      struct broker_error *err)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int r;

	if (!broker) {
		say(err, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	broker->settings = settings;
	broker->stored = calloc(settings->window_messages, sizeof(*broker->stored));
	r = broker->stored ? 0 : -ENOMEM;
	if (r < 0)
		say(err, "%s", strerror(ENOMEM));
	if (r == 0)
		r = make_producer(broker, err);
	if (r == 0)
		r = find_topic(broker, err);
	if (r < 0) {
		kafka_close(broker);
		return r;
	}
	*ret = broker;
	return 0;
}

/* --- publishing -------------------------------------------------------------------------- */

static bool has_room(const struct broker *broker, size_t len)
{
	return broker->count < broker->settings->window_messages &&
	       (broker->count == 0 || broker->bytes + len <= broker->settings->window_bytes);
}

static int kafka_publish(struct broker *broker, const struct broker_message *message,
			 struct broker_error *err)
{
	uint64_t at = broker->first + broker->count;
	rd_kafka_resp_err_t error;

	if (!has_room(broker, message->len))
		return -EAGAIN;
	/* The library copies; it does not write through these pointers. */
	error = rd_kafka_producev(
	    broker->producer, RD_KAFKA_V_TOPIC(broker->settings->stream),
	    RD_KAFKA_V_KEY((void *)(uintptr_t)message->subject, strlen(message->subject)),
	    RD_KAFKA_V_VALUE((void *)(uintptr_t)message->data, message->len),
	    RD_KAFKA_V_HEADER("nflog-id", message->id, (ssize_t)strlen(message->id)),
	    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)at),
	    RD_KAFKA_V_END);
	if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return -EAGAIN;
	if (error) {
		say(err, "%s", rd_kafka_err2str(error));
		return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? -EMSGSIZE : -EIO;
	}
	broker->count++;
	broker->bytes += message->len;
	return 0;
}

static int kafka_progress(struct broker *broker, int timeout_ms, uint64_t *ret_stored,
			  struct broker_error *err)
{
	int r;

	(void)rd_kafka_poll(broker->producer, timeout_ms);
	*ret_stored = broker->first;
	r = broker->has_moved ? 0 : -ETIMEDOUT;
	broker->has_moved = false;
	if (!broker->trouble.text[0])
		return r;
	*err = broker->trouble;
	return broker->is_final ? -EPROTO : -EAGAIN;
}

__attribute__((visibility("default"))) const struct broker_module *nfl_broker_module(void)
{
	static const struct broker_module module = {
	    .abi = BROKER_ABI,
	    .open = kafka_open,
	    .close = kafka_close,
	    .publish = kafka_publish,
	    .progress = kafka_progress,
	};

	return &module;
}
