/* SPDX-License-Identifier: MIT */
/* rpc/merge.h - the records of a subscription's sources, in order of arrival, as one batch */
#ifndef RPC_MERGE_H
#define RPC_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include <grpc/slice.h>

struct subscription;

struct batch {
	grpc_slice slices[2]; /* header and packets; set when there are packets */
	uint32_t packets;
	bool full; /* ended by a bound, not for want of records */
	bool stop; /* ended by a loss that must be told before the next packet */
};

/**
 * merge_batch - take records from where the cursors are, as many as the bounds allow
 * Moves the cursors and notes the losses met. Slices are the caller's.
 */
void merge_batch(struct subscription *sub, struct batch *ret);

#endif
