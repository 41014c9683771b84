/* SPDX-License-Identifier: MIT */
/*
 * events.h - responses that are no packets, as events
 *
 * They are rare, so protobuf-c unpacks them. What an event points to lives in this struct until the
 * next event is read. Zero-initialised is empty.
 */
#ifndef CLIENT_EVENTS_H
#define CLIENT_EVENTS_H

#include <nfl/client.h>

#include "arena.h"
#include "sources.h"

struct events {
	struct arena arena; /* of the event that was read last */
	union {
		struct nfl_client_started started;
		struct nfl_client_loss loss;
		struct nfl_client_heartbeat heartbeat;
	};
};

/**
 * events_read - one SubscribeResponse that is no batch
 * @sources: takes in what the event tells of sources
 * @ret: zeroed by the caller
 * Returns 1 with an event, 0 for an event that this version does not know, -EBADMSG, -ENOMEM.
 */
int events_read(struct events *events, struct nfl_bytes bytes, struct sources *sources,
		struct nfl_client_event *ret);

#endif
