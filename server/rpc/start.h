/* SPDX-License-Identifier: MIT */
/*
 * rpc/start.h - where a new subscription begins in the logs of its sources
 *
 * Threads: the subscription's.
 */
#ifndef RPC_START_H
#define RPC_START_H

#include <stdbool.h>

struct status;
struct subscription;
struct token;

/* What is history is what the logs hold now; a stream that does not follow ends there. */
void start_note_ends(struct subscription *sub);

/**
 * start_place - place the cursors that subscription_new() has set to live
 * @token: of START_RESUME; else NULL
 * After start_note_ends(), and after the search of START_LAST with filters. Sets the records to skip
 * of START_LAST, and the resume status. Returns false with @err: OUT_OF_RANGE (strict resume),
 * INVALID_ARGUMENT (a token of this epoch that cannot be true).
 */
bool start_place(struct subscription *sub, const struct token *token, struct status *err);

#endif
