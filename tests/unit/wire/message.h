/* SPDX-License-Identifier: MIT */
/* message.h - what the contract says a packet is, said with protobuf-c instead of lib/wire */
#ifndef TEST_MESSAGE_H
#define TEST_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

#include "nflog/v1/nflog.pb-c.h"
#include "wire.h"

#define MESSAGE_TEXT_MAX 4096

/* A Packet message and the place for its parts; borrows the packet's bytes. */
struct message {
	Nflog__V1__Packet packet;
	Google__Protobuf__Timestamp receive_time;
	Google__Protobuf__Timestamp packet_time;
	Nflog__V1__Device device[4];
	Nflog__V1__Vlan vlan;
	Nflog__V1__Decoded decoded;
	Nflog__V1__Conntrack conntrack;
	Nflog__V1__Tuple original;
	Nflog__V1__Tuple reply;
	ProtobufCBinaryData unknown[NFL_UNKNOWN_MAX];
	char text[5][MESSAGE_TEXT_MAX]; /* prefix and four device names */
};

/* Fills the message in place: it points into itself. record.prefix has to be UTF-8. */
void message_make(struct message *message, const struct nfl_packet *packet, enum wire_view view,
		  uint32_t payload_limit);

/* The packet's bytes as protobuf-c packs them; the caller ends them with free(). */
uint8_t *message_pack(const struct nfl_packet *packet, enum wire_view view, uint32_t payload_limit,
		      size_t *ret_len);

/* Fails the test unless protobuf-c reads @bytes as the same message as the packet's, to the last
 * field and its presence. Both are compared as protobuf-c packs them, which is canonical. */
void message_assert_equal(struct nfl_bytes bytes, const struct nfl_packet *packet,
			  enum wire_view view, uint32_t payload_limit);

/* Stores and composes as nflogd does, in heap blocks of exactly the promised sizes; fails the test
 * where a length is not as announced. Returns the Packet message without tag and length; the caller
 * ends *ret_block with free(). */
struct nfl_bytes message_compose(const struct nfl_packet *packet, enum wire_view view,
				 uint32_t payload_limit, uint8_t **ret_block);

/* Packets with invented values. */
void packet_empty(struct nfl_packet *ret); /* only what every packet has, and all of it 0 */
void packet_full(struct nfl_packet *ret);  /* every field there is, none of them 0 */
void packet_zeros(struct nfl_packet *ret); /* every field whose zero is a value, and it is 0 */
void packet_tcp(struct nfl_packet *ret);   /* a usual one, with 128 bytes of payload */

#endif
