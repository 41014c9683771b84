/* SPDX-License-Identifier: MIT */
/* nfl/decode.h - bytes to records: netlink datagrams, packet headers, conntrack attributes */
#ifndef NFL_DECODE_H
#define NFL_DECODE_H

#include <nfl/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * nfl_decode_message - one netlink message of type NFULNL_MSG_PACKET to a record
 * @message: borrowed; the struct nlmsghdr and its body, 4-byte aligned
 * @len: bytes at @message, at least nlmsg_len
 * @ret: filled on success; points into @message. receive_time_ns and lost_* are set to 0
 *
 * Returns 0, or -EBADMSG when the message is no packet message, is cut short, or an attribute has
 * a wrong length; @ret is then undefined. Any thread, never allocates.
 */
NFL_API int nfl_decode_message(const void *message, size_t len, struct nfl_record *ret);

/**
 * nfl_decode_payload - the packet's headers
 * @record: borrowed; family, hook and hw_protocol decide where decoding begins
 * @ret: always filled; points into the record's payload
 *
 * Cannot fail: a payload that is not understood gives an empty @ret. Any thread, never allocates.
 */
NFL_API void nfl_decode_payload(const struct nfl_record *record, struct nfl_decoded *ret);

/**
 * nfl_decode_network - the payload from the packet's network header on
 * Without the Ethernet header that it has at some hooks, and without VLAN tags: what BPF programs and
 * capture files of raw IP expect. Points into the record's payload; empty where there is none. Any
 * thread, never allocates.
 */
NFL_API struct nfl_bytes nfl_decode_network(const struct nfl_record *record);

/**
 * nfl_decode_conntrack - NFULA_CT's nested attributes
 * @record: borrowed; without NFL_HAS_CT the result is empty
 * @ret: always filled; what could not be read is absent
 */
NFL_API void nfl_decode_conntrack(const struct nfl_record *record, struct nfl_conntrack *ret);

#ifdef __cplusplus
}
#endif
#endif
