/* SPDX-License-Identifier: MIT */
/*
 * wire/segment.h - nflog.v1.LogSegment on the wire: what a forwarder stores, and what is read back
 *
 * Packets pass as the bytes that the server sent, in runs: a run is a SubscribeResponse with a batch,
 * whose length is known only when it ends, so that its header has a fixed size. Whoever writes takes the
 * parts in this order: head, sources, spans, then runs and other responses as they came.
 *
 * Any thread, no allocation.
 */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

struct wire_span {
	uint32_t source_id;
	uint64_t after;
	uint64_t last;
};

struct wire_source {
	uint32_t source_id;
	struct nfl_bytes netns;
	uint16_t group;
	int state;
	struct nfl_bytes detail;
	int64_t state_time_ns; /* 0: none */
};

struct wire_loss {
	int stage;
	uint32_t source_id;
	uint64_t count;
	uint64_t cumulative_count;
	bool lower_bound;
	int64_t first_time_ns; /* 0: none, as the next */
	int64_t last_time_ns;
};

/* --- writing: each returns the bytes written --------------------------------------------- */

#define WIRE_SPAN_MAX   64
#define WIRE_LOSS_MAX   160
#define WIRE_FIELD_MAX  16 /* tag and length in front of bytes */
#define WIRE_RUN_HEADER 10
#define WIRE_RUN_MAX    ((size_t)1 << 27) /* bytes of packets in one run */

/* host, stream_id and server_epoch; room for WIRE_FIELD_MAX and its length for each. */
size_t wire_put_segment_head(uint8_t *buf, struct nfl_bytes host, struct nfl_bytes stream_id,
			     struct nfl_bytes epoch);
/* Room for 128 bytes and the texts. */
size_t wire_put_source(uint8_t *buf, const struct wire_source *source);
size_t wire_put_span(uint8_t buf[WIRE_SPAN_MAX], const struct wire_span *span);
size_t wire_put_loss(uint8_t buf[WIRE_LOSS_MAX], const struct wire_loss *loss);
/* A `started` with an epoch and a resume status alone; room for 64 bytes and the epoch. */
size_t wire_put_started(uint8_t *buf, struct nfl_bytes epoch, int resume_status);
/* A response as it came, without its resume token; room for WIRE_FIELD_MAX and its length.
 * 0: malformed. */
size_t wire_put_response(uint8_t *buf, struct nfl_bytes response);
/* In front of a run of so many bytes, at most WIRE_RUN_MAX. */
void wire_put_run(uint8_t buf[WIRE_RUN_HEADER], size_t len);
/* A packet of a run; room for WIRE_FIELD_MAX and its length. */
size_t wire_put_packet(uint8_t *buf, struct nfl_bytes packet);

/* --- reading ----------------------------------------------------------------------------- */

enum wire_segment_part {
	WIRE_SEGMENT_HOST = 1,
	WIRE_SEGMENT_STREAM_ID = 2,
	WIRE_SEGMENT_EPOCH = 3,
	WIRE_SEGMENT_SOURCE = 4,
	WIRE_SEGMENT_SPAN = 5,
	WIRE_SEGMENT_RESPONSE = 6,
};

/**
 * wire_segment_next - take the next part off a segment
 * @segment: advanced past it; parts that this version does not know are skipped
 * Returns 1, 0 at the end, -EBADMSG.
 */
int wire_segment_next(struct nfl_bytes *segment, enum wire_segment_part *ret_part,
		      struct nfl_bytes *ret);

/* 0, or -EBADMSG: malformed, without a source, or a span of nothing. */
int wire_read_span(struct nfl_bytes bytes, struct wire_span *ret);

#endif
