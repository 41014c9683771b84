/* SPDX-License-Identifier: MIT */
/*
 * memo.c - the heads that were seen last, found by their bytes
 *
 * Called by attributes.c for each message of a busy listener: a find is a hash of four words and a
 * memcmp(), less than a third of what reading the attributes costs.
 */
#include "memo.h"

#include <string.h>

#include <linux/netfilter/nfnetlink_log.h>

#include "nlattr.h"

#define PACKET_HEADER (NLATTR_HEADER_BYTES + sizeof(struct nfulnl_msg_packet_hdr))
#define SPREAD        UINT64_C(0x9e3779b97f4a7c15) /* 2^64 by the golden ratio: Knuth's factor */

/* Where a head is kept. By the packet header, both ends of the prefix and what follows: in the order
 * in which the kernel sends them, these differ from rule to rule. Any other order is as right. */
static unsigned place_of(const struct nlattr_walk *walk)
{
	uint64_t words[4];
	uint16_t len;
	size_t end;

	if (walk->left < PACKET_HEADER + NLATTR_HEADER_BYTES + sizeof(uint64_t))
		return 0;
	memcpy(&len, walk->at + PACKET_HEADER, sizeof(len));
	end = PACKET_HEADER + (((size_t)len + 3) & ~(size_t)3);
	if (end + sizeof(uint64_t) > walk->left)
		return 0;
	memcpy(&words[0], walk->at, sizeof(uint64_t));
	memcpy(&words[1], walk->at + PACKET_HEADER + NLATTR_HEADER_BYTES, sizeof(uint64_t));
	memcpy(&words[2], walk->at + end - sizeof(uint64_t), sizeof(uint64_t));
	memcpy(&words[3], walk->at + end, sizeof(uint64_t));
	words[0] = (words[0] ^ words[1]) * SPREAD;
	words[0] = (words[0] ^ words[2] ^ words[3] << 1) * SPREAD;
	return (unsigned)(words[0] >> 32) % MEMO_HEADS;
}

static void move(struct nfl_bytes *bytes, const struct nfl_bytes *from, const uint8_t *from_begin,
		 const uint8_t *begin)
{
	bytes->len = from->len;
	bytes->data = from->data ? begin + (from->data - from_begin) : NULL;
}

/* @from: a record of the attributes at @from_begin; the same ones are at @begin. */
static void copy_head(struct nfl_record *to, const struct nfl_record *from,
		      const uint8_t *from_begin, const uint8_t *begin)
{
	memcpy(to, from, offsetof(struct nfl_record, hw_address));
	move(&to->hw_address, &from->hw_address, from_begin, begin);
	move(&to->prefix, &from->prefix, from_begin, begin);
	move(&to->hw_header, &from->hw_header, from_begin, begin);
	to->payload = to->ct = to->l2_header = (struct nfl_bytes){0};
}

size_t memo_find(const struct memo *memo, const struct nlattr_walk *walk, uint8_t family,
		 uint16_t group, struct nfl_record *ret)
{
	const struct memo_head *head = &memo->heads[place_of(walk)];

	if (!head->len || walk->left < head->len || head->record.family != family ||
	    head->record.group != group || memcmp(walk->at, head->bytes, head->len) != 0)
		return 0;
	copy_head(ret, &head->record, head->bytes, walk->at);
	return head->len;
}

void memo_keep(struct memo *memo, const struct nlattr_walk *walk, size_t len,
	       struct nfl_record *record)
{
	unsigned place = place_of(walk);
	struct memo_head *head = &memo->heads[place];

	/* One whose last attribute is not padded ends its message: behind the same bytes of another one
	 * there is padding. */
	if (len == 0 || len > sizeof(head->bytes) || len % 4 != 0)
		return;
	memo->number += MEMO_HEADS;
	record->head = memo->number + place;
	if (record->head == 0) /* after 2^29 others */
		return;
	head->len = (uint16_t)len;
	memcpy(head->bytes, walk->at, len);
	copy_head(&head->record, record, walk->at, head->bytes);
}
