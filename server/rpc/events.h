/* SPDX-License-Identifier: MIT */
/*
 * rpc/events.h - the messages of a live stream that are no packets
 *
 * One message is in flight at most: send only when none is. Threads: the subscription's.
 */
#ifndef RPC_EVENTS_H
#define RPC_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct follow;
struct source_status;
struct subscription;

/* Sends one loss that is due; at the end of a stream each one is. @ret_next_ns: when there is
 * another (monotonic), CQ_NEVER: none is pending. */
bool events_send_loss(struct subscription *sub, int64_t *ret_next_ns);
void events_send_heartbeat(struct subscription *sub);
void events_send_caught_up(struct subscription *sub);
/* A source's state; false without memory. */
bool events_send_source(struct subscription *sub, struct follow *follow,
			const struct source_status *status);

/* Counts a message that was sent. */
void events_count(struct subscription *sub, size_t bytes);

#endif
