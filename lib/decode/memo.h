/* SPDX-License-Identifier: MIT */
/*
 * decode/memo.h - what repeats from message to message is decoded once
 *
 * A message begins with what the rule and the devices decide (its head: packet header, prefix,
 * devices, mark, link layer), byte for byte the same for most packets of a busy group. Heads are
 * remembered with the record they make. A message that begins with the same bytes has the same
 * head, whatever they are: attributes are read one after the other.
 */
#ifndef DECODE_MEMO_H
#define DECODE_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

#include "nlattr.h"

#define MEMO_HEADS     NFL_HEADS
#define MEMO_BYTES_MAX 256

struct memo_head {
	struct nfl_record record; /* but for `unknown`; its pointers are into `bytes` */
	uint16_t len;             /* of the attributes in `bytes`; 0: none are kept */
	uint8_t bytes[MEMO_BYTES_MAX];
};

/* Of one listener, and its thread's. Zero-initialised: knows nothing. */
struct memo {
	uint32_t number; /* of the last head that was new */
	struct memo_head heads[MEMO_HEADS];
};

/**
 * memo_decode - nfl_decode_message(), and record.head
 * @memo: of the listener whose message it is; NULL: without
 */
int memo_decode(const void *message, size_t len, struct memo *memo, struct nfl_record *ret);

/**
 * memo_find - is the head of a message known?
 * @walk: over all of its attributes
 * @ret: its record as far as the head goes, all else absent, @head set; untouched when it is not
 * Returns how many bytes of attributes that were, or 0.
 */
size_t memo_find(const struct memo *memo, const struct nlattr_walk *walk, uint8_t family,
		 uint16_t group, struct nfl_record *ret);

/**
 * memo_keep - remember a head in place of another
 * @walk: over all attributes of the message
 * @len: bytes of those of the head; too many are not kept, nor those that end without padding
 * @record: of them alone; its @head is set
 */
void memo_keep(struct memo *memo, const struct nlattr_walk *walk, size_t len,
	       struct nfl_record *record);

#endif
