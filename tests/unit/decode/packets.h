/* SPDX-License-Identifier: MIT */
/* packets.h - packets written as hexadecimal text, with what their headers say */
#ifndef TEST_PACKETS_H
#define TEST_PACKETS_H

#include <nfl/record.h>

#define PACKET_BYTES_MAX 512

/* One packet and its expected decode; addresses are text, so the pointers of `expect` stay NULL. */
struct packet_case {
	const char *name;
	uint8_t family; /* 0: IPv4 */
	uint8_t hook;
	uint16_t hw_protocol;
	const char *hex;       /* blanks are for the reader */
	uint32_t headers_len;  /* captured bytes that hold every header; 0: none is looked for */
	const char *addresses; /* "source destination" */
	struct nfl_decoded expect;
};

/* Returns the number of bytes written. */
uint32_t packet_bytes(const char *hex, uint8_t bytes[PACKET_BYTES_MAX]);

/* Decodes the first len bytes, from a heap block of that length so that ASan sees an over-read. The
 * addresses are copied to `addresses` and the result's pointers moved there. */
struct nfl_decoded packet_decode(const struct packet_case *packet, const uint8_t *bytes,
				 uint32_t len, uint8_t addresses[2][16]);

/* Fails the test unless the packet decodes to just what it expects. */
void packet_assert_decoded(const struct packet_case *packet);

/* Fails the test unless the packet, cut at any length, decodes to a part of what it expects: all of
 * it from headers_len on, and below that with `truncated` set. */
void packet_assert_cuts(const struct packet_case *packet);

#endif
