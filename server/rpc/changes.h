/* SPDX-License-Identifier: MIT */
/*
 * rpc/changes.h - sources that come, change their state and go, in the middle of a stream
 *
 * A source that matches what was asked for joins the stream at its first record and is told before
 * its first packet. Its states are told at once, but GONE only after its last packet and loss; then
 * it is followed no more. Streams that do not follow keep the sources that they began with.
 *
 * Threads: the subscription's.
 */
#ifndef RPC_CHANGES_H
#define RPC_CHANGES_H

#include <stdbool.h>

#include <nflog/v1/nflog.pb-c.h>

struct arena;
struct follow;
struct subscription;

/* Describes a source for `started`; what it says is not told again. NULL without memory. */
Nflog__V1__Source *changes_describe(struct subscription *sub, struct follow *follow,
				    struct arena *arena);

/* Sources that match what was asked for, are granted, and are not followed yet join from now on. 0 or
 * -ENOMEM. */
int changes_join_granted(struct subscription *sub);
/* Follows a source no more, whatever is left of it. */
void changes_let_go(struct subscription *sub, struct follow *follow);

/* Cheap: is there anything to read or to tell? */
bool changes_are_due(const struct subscription *sub);

/* Reads what is new; sends one event or finds one loss that is due. False: nothing to do. */
bool changes_step(struct subscription *sub);

#endif
