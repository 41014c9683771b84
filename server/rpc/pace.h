/* SPDX-License-Identifier: MIT */
/*
 * rpc/pace.h - when a live stream makes its next batch, and when it looks
 *
 * An idle stream waits for news and is written at once. After a batch that took all there was it
 * rests without being woken, so that a busy source costs one turn for each batch, not for each
 * datagram: for max_delay where the client asked for one, else up to that, by the batch's records. A batch ended by a bound is followed by the next at once. With a longer
 * max_delay packets gather: the stream looks from time to time whether a bound is reached.
 *
 * Threads: the subscription's.
 */
#ifndef RPC_PACE_H
#define RPC_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct subscription;

/* Are there records that were not looked at? Cheap. */
bool pace_has_records(const struct subscription *sub);

/* They may be sent now. */
bool pace_is_batch_due(struct subscription *sub);

/* They wait for more. Returns when to look at the latest. */
int64_t pace_gather(struct subscription *sub);

/* Nothing waits. Returns false when something has come in the meantime. */
bool pace_wait_for_news(struct subscription *sub);

/* A batch was sent, or all of it held back: a rest begins. */
void pace_rest(struct subscription *sub, uint64_t records);

/* Full batches in a row: may the next one be made in this turn? */
bool pace_may_go_on(struct subscription *sub);

#endif
