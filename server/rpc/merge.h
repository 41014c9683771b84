/* SPDX-License-Identifier: MIT */
/* rpc/merge.h - the records of a subscription's sources, in order of arrival, as one batch */
#ifndef RPC_MERGE_H
#define RPC_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include <grpc/slice.h>

struct subscription;

#define BATCH_SLICES 3

struct batch {
	grpc_slice slices[BATCH_SLICES]; /* header, packets, token; set when there are packets */
	uint32_t packets;
	uint32_t filtered; /* passed over: a filter holds them back */
	bool full; /* ended by a bound, not for want of records; without packets: enough for now */
	bool stop; /* ended by what must be told before the next packet: a loss, caught_up */
	bool over; /* the next record is later than the stream's `until` */
};

/**
 * merge_batch - take records from where the cursors are, as many as the bounds allow
 * @watermark: of registry_order(), read before: no record of a later order is taken
 * Moves the cursors and notes the losses met. Slices are the caller's.
 */
void merge_batch(struct subscription *sub, uint64_t watermark, struct batch *ret);

#endif
