/* SPDX-License-Identifier: MIT */
/* rpc/pump.h - what a live subscription sends next, and when it looks again */
#ifndef RPC_PUMP_H
#define RPC_PUMP_H

struct subscription;

/* Goes on; while a message is in flight it does nothing. */
void pump_look(struct subscription *sub);

/* The message in flight has been taken. */
void pump_sent(struct subscription *sub);

/* The server stops: what is in the logs now is sent, then UNAVAILABLE. */
void pump_stop(struct subscription *sub);

#endif
