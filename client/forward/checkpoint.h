/* SPDX-License-Identifier: MIT */
/*
 * checkpoint.h - the place that a forwarder goes on at, as bytes for a file or a key-value store
 *
 * Beside the server's resume token it holds what the durable log counts from its beginning: the stream's
 * id, and for each source how far it reaches and what it has lost. Numbers are little-endian.
 */
#ifndef FORWARD_CHECKPOINT_H
#define FORWARD_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_ID_LEN  16
#define EPOCH_MAX      64
#define LOSS_STAGES    8 /* numbers of enum nfl_client_loss_stage, and some to come */
#define CHECKPOINT_MAX ((size_t)1024 * 1024)

#define CHECKPOINT_COVERED UINT32_MAX /* in place of a stage: the last sequence in a segment */

/* A number of a source: what it has lost at a stage, or CHECKPOINT_COVERED. */
struct checkpoint_count {
	uint32_t source_id;
	uint32_t stage;
	uint64_t count;
};

struct checkpoint {
	char stream_id[STREAM_ID_LEN + 1];
	char epoch[EPOCH_MAX + 1]; /* of the server; what losses are of */
	const void *token;         /* borrowed */
	size_t token_len;
	/* Borrowed where it is encoded, owned where decoded. */
	const struct checkpoint_count *counts;
	size_t count_count;
};

/* @ret: the caller's. Returns 0, -ENOMEM, or -EMSGSIZE. */
int checkpoint_encode(const struct checkpoint *checkpoint, void **ret, size_t *ret_len);

/* @ret: counts are owned, the token points into @bytes. 0, -EBADMSG, -ENOMEM. */
int checkpoint_decode(const void *bytes, size_t len, struct checkpoint *ret);

#endif
