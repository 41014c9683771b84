/* SPDX-License-Identifier: MIT */
/*
 * datagram.c - walk over the messages of a datagram and number the losses
 *
 * One datagram is one packet message, or many and then an NLMSG_DONE. Anything else that comes this
 * way (an answer that was late) is no packet and stepped over. The kernel numbers every packet that
 * it logs to a group; a number that is missing is a packet that never came.
 */
#include "datagram.h"

#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include <nfl/decode.h>

#include "memo.h"

#define BUSY_BYTES  2048 /* left of a datagram: some ten messages */
#define PACKET_TYPE ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET)

/* The next whole message; false when there is none. */
static bool take_message(struct datagram *datagram, const uint8_t **ret,
			 struct nlmsghdr *ret_header)
{
	size_t step;

	if (datagram->left < sizeof(*ret_header))
		return false;
	memcpy(ret_header, datagram->at, sizeof(*ret_header));
	if (ret_header->nlmsg_len < sizeof(*ret_header) || ret_header->nlmsg_len > datagram->left)
		return false;
	step = NLMSG_ALIGN((size_t)ret_header->nlmsg_len);
	if (step > datagram->left) /* the last one need not be padded */
		step = datagram->left;
	*ret = datagram->at;
	datagram->at += step;
	datagram->left -= step;
	return true;
}

/* What is missing between the last record and this one. Differences are modulo 2^32, as SEQ is. */
static void count_loss(struct stream *stream, struct nfl_listener_stats *stats,
		       struct nfl_record *record)
{
	uint32_t missing;

	if (!(record->present & NFL_HAS_SEQ))
		return;
	missing = record->seq - stream->next_seq;
	stream->next_seq = record->seq + 1;
	if (stream->after_damage) {
		record->lost_decode = missing;
		stats->lost_decode += missing;
	} else {
		record->lost_kernel = missing;
		stats->lost_kernel += missing;
	}
	stream->after_damage = false;
}

/* BIND comes before the settings, also in one request. A packet logged between the two comes whole,
 * and without a number. */
static void limit_payload(const struct stream *stream, struct nfl_record *record)
{
	if (record->payload.len <= stream->copy_range)
		return;
	record->payload.len = stream->copy_range;
	if (!stream->copy_range)
		record->present &= ~NFL_HAS_PAYLOAD;
}

/* Nothing more can be read from it. Of a datagram that was cut, the missing end is no news. */
static void end_damaged(struct datagram *datagram, struct stream *stream,
			struct nfl_listener_stats *stats)
{
	if (!datagram->cut)
		stats->malformed++;
	stream->after_damage = true;
	datagram->left = 0;
}

/* Who gets one message at a time has no use for it. */
static struct memo *memo_of(struct stream *stream, const struct datagram *datagram)
{
	if (!stream->memo && datagram->left > BUSY_BYTES)
		stream->memo = calloc(1, sizeof(*stream->memo)); /* NULL: without */
	return stream->memo;
}

int datagram_deliver(struct datagram *datagram, struct stream *stream,
		     struct nfl_listener_stats *stats, nfl_record_fn fn, void *data)
{
	int delivered = 0, stop = 0;
	struct nfl_packet packet; /* for nfl_record_packet() */
	struct nfl_record *record = &packet.record;
	struct nlmsghdr header;
	const uint8_t *message;

	while (datagram->left && !stop) {
		if (!take_message(datagram, &message, &header)) {
			end_damaged(datagram, stream, stats);
			break;
		}
		if (header.nlmsg_type != PACKET_TYPE)
			continue;
		if (memo_decode(message, header.nlmsg_len, memo_of(stream, datagram), record) < 0) {
			end_damaged(datagram, stream, stats);
			break;
		}
		record->receive_time_ns = datagram->time_ns;
		limit_payload(stream, record);
		count_loss(stream, stats, record);
		stats->records++;
		delivered++;
		stop = fn(record, data);
	}
	if (datagram->left == 0 && datagram->cut)
		stream->after_damage = true;
	return stop < 0 ? stop : delivered;
}
