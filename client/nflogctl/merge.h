/* SPDX-License-Identifier: MIT */
/*
 * merge.h - several streams as one, in the order of the times at which their servers received the
 * packets
 *
 * The next packet of each stream is at hand, or a thread waits for it. The oldest of those at hand
 * goes first; while another connected stream has none at hand it is held back until it is as old as
 * the window. So what comes later than that can be out of order, and nothing is held back longer. A
 * server whose clock is ahead would hold its packets back for longer: what it is ahead by is taken
 * off. What a server sends after its connection was lost may be of any time.
 *
 * Nothing is copied: a stream is not read further while its next event waits for its turn, so that
 * memory is bounded by one response of each server.
 *
 * Threads: all functions from main; a thread of its own for each stream waits where main would.
 */
#ifndef NFLOGCTL_MERGE_H
#define NFLOGCTL_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

struct merge;

/* What merge_next() returns beside the results of nfl_client_next(). */
#define MERGE_ENDED 2

/**
 * merge_new - begin with no stream
 * @count: places for streams
 * @window_ns: how long a packet may be held back
 * Returns 0, -ENOMEM or -errno of starting threads.
 */
int merge_new(size_t count, int64_t window_ns, struct merge **ret);

/* Cancels the streams that go on; they stay the caller's. NULL is allowed. */
void merge_free(struct merge *merge);

/**
 * merge_set - put a stream to an empty place, or to one whose stream has ended
 * @replays: it begins with history. Its packets are old, so that the window says nothing: others are
 *     held back until it has caught up, or says nothing for a second
 */
void merge_set(struct merge *merge, size_t at, struct nfl_client_stream *stream, bool replays);

/* Takes the stream out: nothing more of it is returned. It is cancelled, and stays the caller's. */
void merge_drop(struct merge *merge, size_t at);

/**
 * merge_next - the next event of any stream
 * @timeout_ms: from 0
 * @ret_at: whose
 * @ret: borrowed, valid until the next call
 * Returns 1 with an event; MERGE_ENDED when the stream at @ret_at has, once, see merge_result();
 * -ETIMEDOUT, also where there is no stream.
 */
int merge_next(struct merge *merge, int timeout_ms, size_t *ret_at, struct nfl_client_event *ret);

/* From now on nothing is held back. */
void merge_hurry(struct merge *merge);

/* The next event of this stream, if it has one at hand: as nfl_client_next() without waiting. For
 * what is left of a response whose first packets were returned. */
int merge_rest(struct merge *merge, size_t at, struct nfl_client_event *ret);

/* How a stream has ended: as nfl_client_next(). */
int merge_result(const struct merge *merge, size_t at);

#endif
