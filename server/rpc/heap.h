/* SPDX-License-Identifier: MIT */
/*
 * rpc/heap.h - the sources of a subscription that have records, the earliest record's first
 *
 * Lives in sub->heap while a batch is made; a follow in it has an open span.
 */
#ifndef RPC_HEAP_H
#define RPC_HEAP_H

#include <stdint.h>

struct follow;
struct subscription;

void heap_push(struct subscription *sub, struct follow *follow);
/* The first one has moved on to a later record. */
void heap_renew_first(struct subscription *sub);
void heap_drop_first(struct subscription *sub);

/* The order up to which records of the first come before all others; UINT64_MAX: it is alone. */
uint64_t heap_run_end(const struct subscription *sub);

#endif
