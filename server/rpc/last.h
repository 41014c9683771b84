/* SPDX-License-Identifier: MIT */
/*
 * rpc/last.h - START_LAST with filters: where the newest N packets that match begin
 *
 * It takes time that grows with the history, so it is done in turns, before `started`.
 * Threads: the subscription's.
 */
#ifndef RPC_LAST_H
#define RPC_LAST_H

#include <stdbool.h>
#include <stdint.h>

struct subscription;

/* Is a search to be made, and has it not come to its end? */
bool last_is_searching(const struct subscription *sub);
/* Goes on for a turn. */
void last_search(struct subscription *sub);
/* How many of the matching packets found come before the last N. */
uint64_t last_surplus(const struct subscription *sub);

#endif
