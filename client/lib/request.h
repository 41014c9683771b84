/* SPDX-License-Identifier: MIT */
/* request.h - what a stream asks the server for: at first, and where it goes on after a break */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

#include "arena.h"
#include "token.h"

/* Zero-initialised is none. */
struct request {
	Nflog__V1__SubscribeRequest message;
	Nflog__V1__StartPosition resume; /* what message.start is, once resumed */
	struct arena arena;              /* holds what the message points to */
	uint32_t flags;                  /* NFL_CLIENT_*, as the options have it */
	bool slow_is_final;              /* NFL_CLIENT_SLOW_DISCONNECT */
	bool follows;
	uint64_t max_packets; /* of the whole stream; 0: no limit */
	int64_t until_ns;     /* of a resumed stream that follows: none is in the message; or 0 */
};

/**
 * request_make - a SubscribeRequest from a caller's options
 * @options: borrowed, checked here: they come from outside of the library; NULL for none
 * @ret: request_done() it also after a failure
 * Returns 0, -EINVAL or -ENOMEM.
 */
int request_make(const struct nfl_client_subscribe_options *options, struct request *ret);

/**
 * request_resume - make it ask for what comes after a token
 * @token: borrowed while the message is used; an empty one: from now on
 * @delivered: packets until now, fewer than max_packets
 */
void request_resume(struct request *request, const struct token *token, uint64_t delivered);

void request_done(struct request *request);

#endif
