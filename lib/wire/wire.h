/* SPDX-License-Identifier: MIT */
/*
 * wire/wire.h - nflog.v1.Packet on the wire, by hand: the hot path of nflogd and libnfl-client
 *
 * The only room that knows field numbers. nflogd encodes a packet once, when it arrives, into a
 * stored record: a header with segment lengths and the segments themselves, laid out so that each
 * view of the packet is a concatenation of few ranges. For every subscriber a view of it is then
 * composed into a batch by copying ranges; nothing is encoded again.
 *
 *	BASIC = decoded meta ct_basic          (one range)
 *	FULL  = decoded meta ct_full  rest payload  (one range for packets without conntrack)
 *	RAW   =         meta ct_raw   rest payload
 *
 * Order inside the stored bytes: decoded, meta, ct_basic, ct_full, ct_raw, rest, payload.
 * Protobuf readers do not depend on field order. Lengths are minimal varints.
 *
 * Any thread, no allocation.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

/* Values of nflog.v1.PacketView. */
enum wire_view {
	WIRE_VIEW_BASIC = 1,
	WIRE_VIEW_FULL = 2,
	WIRE_VIEW_RAW = 3,
};

/**
 * struct wire_stored - header of a stored record, native byte order, memory only
 * @total: bytes of header, segments and padding to 8; the next record begins there
 * @lost_kernel, @lost_decode: losses of this source since it began, this packet's gap included,
 *     modulo 2^32; a reader reports the difference to the previous record it saw
 * @order: arrival order over all sources of the daemon; records of one datagram share it
 * @time_ns: receive_time, CLOCK_REALTIME, to find a place by time
 * @payload: bytes of the payload field with tag and length; 0 when absent
 */
struct wire_stored {
	uint32_t total;
	uint32_t lost_kernel;
	uint32_t lost_decode;
	uint32_t meta;
	uint64_t order;
	int64_t time_ns;
	uint32_t rest;
	uint32_t payload;
	uint32_t payload_data; /* bytes of payload without tag and length */
	uint32_t ct_full;
	uint32_t ct_raw;
	uint16_t decoded;
	uint16_t ct_basic;
};

/* Upper bound of wire_store()'s result for this packet. */
size_t wire_store_bound(const struct nfl_packet *packet);

#define WIRE_MEMO_HEADS     NFL_HEADS
#define WIRE_MEMO_BYTES_MAX 256

/**
 * struct wire_memo - what repeats from packet to packet of one source is encoded once
 * @heads: the fields of nfl_record.head and the devices' names, by nfl_record.head
 * @time_ns, @time: receive_time, which all packets of a datagram share
 *
 * Zero-initialised: knows nothing. One thread's.
 */
struct wire_memo {
	struct wire_memo_head {
		uint32_t head; /* 0: none */
		uint32_t len;
		uint8_t bytes[WIRE_MEMO_BYTES_MAX];
	} heads[WIRE_MEMO_HEADS];
	int64_t time_ns;
	uint32_t time_len; /* 0: none */
	uint8_t time[32];
};

/* Are this packet's devices named already? Their names need not be set then. */
bool wire_memo_has(const struct wire_memo *memo, uint32_t head);

/* A device has another name now. */
void wire_memo_forget(struct wire_memo *memo);

/**
 * wire_store - encode a packet into a stored record
 * @buf: 8-byte aligned, at least wire_store_bound() bytes
 * @packet: sequence, source_id, record, decoded, conntrack, device names; a prefix or device name
 *     that is not valid UTF-8 is repaired (each bad byte becomes U+FFFD) and the prefix's own
 *     bytes are kept in prefix_raw
 * @memo: of the source; NULL: without
 *
 * lost_kernel, lost_decode and order of the header are 0: the caller's. time_ns is the record's.
 * Returns the record's total length.
 */
size_t wire_store(void *buf, const struct nfl_packet *packet, struct wire_memo *memo);

/* original_length of a packet whose record and decoded are known. */
uint32_t wire_original_length(const struct nfl_packet *packet);

/**
 * struct wire_cut - what a reader may know of packets; zero-initialised: everything
 * @payload_max: bytes of payload, 0: all. What is decoded, and original_length, are then what so
 *     many bytes tell, as if the kernel had copied no more: who may have 20 does not learn ports
 * @no_payload: none, nor what comes from it, as if the kernel had copied none
 * @no_conntrack: nothing of the connection
 *
 * A view and a payload_limit, which readers choose for themselves, cut what is left further.
 */
struct wire_cut {
	uint32_t payload_max;
	bool no_payload;
	bool no_conntrack;
};

/* Bytes that wire_compose() writes for this record, exactly; never more than stored->total.
 * payload_limit 0: no limit; cut NULL: none. */
size_t wire_composed_len(const struct wire_stored *stored, enum wire_view view,
			 uint32_t payload_limit, const struct wire_cut *cut);

/* Writes one element of PacketBatch.packets (tag, length, message). Returns its length. */
size_t wire_compose(void *buf, const struct wire_stored *stored, enum wire_view view,
		    uint32_t payload_limit, const struct wire_cut *cut);

/**
 * wire_read_stored - a stored record as a packet, for filters
 * @cut: what is not to be known is not there; NULL: none
 * @ret: as of wire_read_packet(), but without conntrack, link-layer headers and unknown attributes,
 *     which no filter looks at; points into @stored
 * Returns 0, or -EBADMSG where the bytes are not wire_store()'s.
 */
int wire_read_stored(const struct wire_stored *stored, const struct wire_cut *cut,
		     struct nfl_packet *ret);

#define WIRE_BATCH_HEADER_MAX 16

/* Tag and length of SubscribeResponse.batch for elements of batch_len bytes in all. */
size_t wire_batch_header(uint8_t buf[WIRE_BATCH_HEADER_MAX], size_t batch_len);

#define WIRE_SINGLE_HEADER_MAX 32

/* What stands in front of a message in a file of messages: its length. */
size_t wire_delimiter(uint8_t buf[WIRE_SINGLE_HEADER_MAX], size_t len);

/* The same in front of one packet, which becomes a SubscribeResponse with a batch of one. */
size_t wire_single_header(uint8_t buf[WIRE_SINGLE_HEADER_MAX], size_t packet_len);

/* --- reading, for the client ------------------------------------------------------------- */

/**
 * wire_response_batch - is this SubscribeResponse a batch, and where is it
 * @ret_batch: the PacketBatch message's bytes, borrowed
 * @ret_token: resume_token, borrowed; len 0 when absent
 * Returns 1 for a batch, 0 for another event (decode it with protobuf-c), -EBADMSG when malformed
 * or when the batch comes in two parts; nothing is set then.
 */
int wire_response_batch(const void *bytes, size_t len, struct nfl_bytes *ret_batch,
			struct nfl_bytes *ret_token);

/**
 * wire_batch_next - take the next packet off a batch
 * @batch: advanced past the element
 * Returns 1 with @ret_packet set, 0 at the end, -EBADMSG when malformed.
 */
int wire_batch_next(struct nfl_bytes *batch, struct nfl_bytes *ret_packet);

/* Does wire_batch_next() have something to tell yet? */
bool wire_batch_has_more(const struct nfl_bytes *batch);

/**
 * wire_read_packet - a Packet message as a view
 * @ret: all fields set; points into @bytes. record.prefix is the repaired text, prefix_raw the
 *     kernel's bytes where it had to be repaired. What is not on the wire is 0: record.group (the
 *     source has it), lost_kernel, lost_decode, decoded.transport_offset.
 *
 * The bytes are a peer's. Unknown fields and wrong wire types are skipped, of a repeated singular
 * field the last one counts, and an address that is neither 4 nor 16 bytes long, or a number too
 * large for its place, is as absent. Texts are not checked to be UTF-8.
 * Returns 0 or -EBADMSG; @ret is then undefined.
 */
int wire_read_packet(struct nfl_bytes bytes, struct nfl_packet *ret);

#endif
