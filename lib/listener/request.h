/* SPDX-License-Identifier: MIT */
/* listener/request.h - the messages that configure an NFLOG group, and the kernel's answer */
#ifndef LISTENER_REQUEST_H
#define LISTENER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nfl_listener_options;

#define REQUEST_CAP_BYTES 128

/* In place of a seq: the kernel says nothing to what it has done, and its error is of no request that
 * anybody waits for. */
#define REQUEST_UNANSWERED 0

/* A request in the making; `bytes` is what goes to the kernel. */
struct request {
	uint32_t seq;
	size_t len;
	_Alignas(8) uint8_t bytes[REQUEST_CAP_BYTES];
};

/* BIND and every setting, in one message: no packet is logged with half of the settings. */
void request_bind(const struct nfl_listener_options *resolved, uint32_t seq, struct request *ret);
/* Every setting, for a group that is bound. */
void request_settings(const struct nfl_listener_options *resolved, uint32_t seq,
		      struct request *ret);
void request_unbind(uint16_t group, uint32_t seq, struct request *ret);

/**
 * request_is_answer - whether a datagram is an answer of the kernel, not packets
 * @ret_seq: the seq of the request that it answers
 * @ret_error: 0 or a negative errno
 */
bool request_is_answer(const void *datagram, size_t len, uint32_t *ret_seq, int *ret_error);

#endif
