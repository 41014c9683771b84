/* SPDX-License-Identifier: MIT */
/* jetstream.h - the parts of the NATS module: connection, publishing, key-value store, reading */
#ifndef NATS_JETSTREAM_H
#define NATS_JETSTREAM_H

#include <pthread.h>

#include <nats/nats.h>

#include "broker.h"

/* A message that is not known to be stored. */
struct pending {
	natsMsg *msg; /* borrowed from the library while it has it, owned when `failed` */
	char id[64];  /* sent again under it */
	size_t len;
	bool stored;
	bool failed;
};

/* Messages first + 1 .. first + count, of which the first is not stored yet. */
struct window {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct pending *items; /* owned; a ring; [lock], as all that follows */
	uint32_t size;         /* const after start */
	size_t bytes_max;      /* const after start */
	uint64_t first;
	uint32_t count;
	size_t bytes;
	bool has_moved;              /* since progress() looked */
	bool is_final;               /* trouble is an end */
	struct broker_error trouble; /* empty: none */
};

struct broker {
	const struct broker_settings *settings; /* borrowed */
	natsConnection *nc;                     /* owned, as what follows */
	jsCtx *js;
	natsSubscription *sub;
	natsMsg *msg;     /* that was read last */
	bool follow;      /* when reading */
	uint64_t left;    /* messages to read before that ends, without follow */
	int64_t pause_ns; /* between two tries of what failed */
	int64_t retry_ns; /* monotonic: when; 0: at once */
	struct window window;
};

/* Puts the words for a status into *err, with what was being done; returns -EIO, or another -errno that
 * says more. @code: of JetStream; 0: none */
int nats_failed(const struct broker *broker, const char *what, natsStatus status, jsErrCode code,
		struct broker_error *err);

int window_init(struct window *window, uint32_t size, size_t bytes_max);
void window_done(struct window *window);
void nats_acknowledged(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error, void *data);

int nats_publish(struct broker *broker, const struct broker_message *message,
		 struct broker_error *err);
int nats_progress(struct broker *broker, int timeout_ms, uint64_t *ret_stored,
		  struct broker_error *err);

int nats_load(struct broker *broker, const char *bucket, const char *key, void **ret,
	      size_t *ret_len, struct broker_error *err);
int nats_store(struct broker *broker, const char *bucket, const char *key, const void *data,
	       size_t len, struct broker_error *err);

int nats_read(struct broker *broker, const struct broker_query *query, struct broker_error *err);
int nats_next(struct broker *broker, int timeout_ms, struct broker_message *ret,
	      struct broker_error *err);

#endif
