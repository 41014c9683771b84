/* SPDX-License-Identifier: MIT */
/*
 * proto_json.h - messages of the contract in protobuf's own JSON
 *
 * The canonical mapping of proto3: names in lowerCamelCase, 64-bit numbers and times as strings, bytes in
 * base64, enums by name, what has its default left out. Driven by the descriptors, so that it knows
 * every field that the contract has.
 */
#ifndef NFLOGCTL_PROTO_JSON_H
#define NFLOGCTL_PROTO_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <nfl/record.h>

#include "pool.h"

struct proto_json {
	struct pool pool;
	char *text; /* owned: one line, with the newline */
	size_t len;
	size_t capacity;
	bool is_numeric; /* enums as numbers */
	int error;       /* -ENOMEM */
};

/**
 * proto_json_render - one message as one line, in json->text
 * @is_packet: a Packet, which becomes a SubscribeResponse with a batch of one; else a SubscribeResponse
 * Returns 0; -EBADMSG for what cannot be unpacked, -ENOMEM.
 */
int proto_json_render(struct proto_json *json, struct nfl_bytes message, bool is_packet,
		      bool is_numeric);

/* The same of a SubscribeRequest. */
int proto_json_render_request(struct proto_json *json, struct nfl_bytes message);

void proto_json_done(struct proto_json *json);

#endif
