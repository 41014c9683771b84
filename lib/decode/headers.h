/* SPDX-License-Identifier: MIT */
/*
 * decode/headers.h - what the files that read packet headers share
 *
 * Each decode_*() reads one kind of header at the beginning of what it is given, sets in @ret what
 * it found and hands the rest to the next. @ret comes zeroed from nfl_decode_payload().
 */
#ifndef DECODE_HEADERS_H
#define DECODE_HEADERS_H

#include <nfl/record.h>

/**
 * struct capture - the bytes not yet read
 * @begin: of the payload, for offsets
 * @at: of what is not yet read
 * @end: of the packet or of the capture, whichever is first; what follows a packet is padding
 * @cut: the packet goes on beyond @end, as far as its headers tell
 */
struct capture {
	const uint8_t *begin;
	const uint8_t *at;
	const uint8_t *end;
	bool cut;
};

static inline size_t capture_left(const struct capture *capture)
{
	return (size_t)(capture->end - capture->at);
}

/* Are there as many bytes? If not, it is the capture that is too short, or a broken packet. */
static inline bool capture_holds(const struct capture *capture, size_t len, struct nfl_decoded *ret)
{
	if (capture_left(capture) >= len)
		return true;
	ret->truncated |= capture->cut;
	return false;
}

/* The packet says that it has this many bytes from @at on. */
static inline void capture_limit(struct capture *capture, size_t len)
{
	if (len > capture_left(capture))
		return;
	capture->end = capture->at + len;
	capture->cut = false;
}

void decode_arp(struct capture capture, struct nfl_decoded *ret);
void decode_ipv4(struct capture capture, struct nfl_decoded *ret);
void decode_ipv6(struct capture capture, struct nfl_decoded *ret);
void decode_transport(struct capture capture, uint8_t protocol, struct nfl_decoded *ret);

#endif
