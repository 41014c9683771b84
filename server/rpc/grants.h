/* SPDX-License-Identifier: MIT */
/*
 * rpc/grants.h - a live stream under another policy
 *
 * What was revoked is not sent any more, from the next message on, queued records included; one message
 * that is in flight cannot be taken back. What is newly granted, and was asked for, joins.
 *
 * Threads: the subscription's.
 */
#ifndef RPC_GRANTS_H
#define RPC_GRANTS_H

#include <stdbool.h>

struct subscription;

/**
 * grants_renew - take in the policy of now, when it is another one
 * False: the stream is over at once, with PERMISSION_DENIED in sub->end: its principal is not the tenant
 * any more, or something that it asked for by name is revoked, or all that it had.
 */
bool grants_renew(struct subscription *sub);

/* Tells of one source that was revoked and lets go of it; false: there is none. Before anything else is
 * sent. */
bool grants_step(struct subscription *sub);

#endif
