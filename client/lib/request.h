/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

#include "arena.h"

/**
 * request_make - a SubscribeRequest from a caller's options
 * @options: checked here: they come from outside of the library
 * @arena: holds what the request points to
 * Returns 0, -EINVAL or -ENOMEM.
 */
int request_make(const struct nfl_client_subscribe_options *options, struct arena *arena,
		 Nflog__V1__SubscribeRequest *ret);

#endif
