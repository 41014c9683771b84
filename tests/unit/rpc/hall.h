/* SPDX-License-Identifier: MIT */
/* hall.h - a server with sources that the test fills: "red" 100 and 200, "blue" 100 */
#ifndef HALL_H
#define HALL_H

#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#include "caller.h"
#include "history.h"
#include "rpc.h"
#include "source.h"

#define HALL_LOG_BYTES ((size_t)1 << 20)

struct caller;
struct nfl_filter;
struct policy;
struct tenant_limits;

struct hall {
	struct history *history;
	struct registry *registry;
	struct source *red, *red_200, *blue; /* LISTENING; borrowed */
	struct policy *policy; /* in which whoever runs the test is tenant "local", an admin */
	struct rpc *rpc;
	uint64_t order;
	char folder[64];
	char path[96];
};

/* As cmocka's setup and teardown. */
int hall_open(void **state);
int hall_close(void **state);
/* With another limit of subscriptions or payload. */
void hall_open_with(struct hall *hall, uint32_t max_subscriptions, uint32_t max_payload_bytes);
/* With other limits. */
void hall_open_limited(struct hall *hall, const struct tenant_limits *limits);
/* The tenant has a filter, which is taken over. */
void hall_open_filtered(struct hall *hall, const struct tenant_limits *limits,
			struct nfl_filter *filter);
void hall_close_it(struct hall *hall);

/* One more source, WAITING; borrowed. Streams are not woken. */
struct source *hall_add(struct hall *hall, const char *netns, uint16_t group);
/* Another state, of which streams are told. */
void hall_set_state(struct hall *hall, struct source *source, enum source_state state,
		    const char *detail);
/* The namespace is deleted: told as GONE, and the name is free. */
void hall_remove(struct hall *hall, struct source *source);

/* From now on no stream looks at anything, until hall_go_on(): to it, what is done in between has
 * happened at once. Only the thread that holds them may let them go on. */
void hall_hold(void);
void hall_go_on(void);

/* Stores packets in one datagram, each with its sequence as its mark: published, and streams are woken. */
void hall_log(struct hall *hall, struct source *source, uint32_t count);
/* The same after a gap. */
void hall_log_after_loss(struct hall *hall, struct source *source, uint32_t count,
			 uint32_t lost_kernel, uint32_t lost_decode);

/* Stores one packet that was received at this time. */
void hall_log_at(struct hall *hall, struct source *source, int64_t time_ns);

/* Stores one packet of this order of arrival and publishes it, without waking or moving the order up
 * to which all is published. */
void hall_store(struct source *source, uint64_t order);
/* Everything up to this order is published: streams are woken. */
void hall_set_order(struct hall *hall, uint64_t order);

/* Subscribes and reads `started`, which is returned in the event; free it with
 * nflog__v1__subscribe_response__free_unpacked(). */
Nflog__V1__SubscribeResponse *hall_subscribe(struct hall *hall, struct caller *caller,
					     const Nflog__V1__SubscribeRequest *request);
/* The same without an interest in what started says. */
void hall_follow(struct hall *hall, struct caller *caller,
		 const Nflog__V1__SubscribeRequest *request);
/* How many subscriptions GetStats knows. */
size_t hall_count_subscriptions(struct hall *hall);

void hall_free_event(Nflog__V1__SubscribeResponse *event);

#endif
