/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

#include <grpc/grpc.h>

#include <nfl/record.h>

/* The bytes of the message that is being read. Zero-initialised is none. */
struct message {
	grpc_byte_buffer *buffer; /* owned while it is read in place, else NULL */
	uint8_t *joined;          /* owned; kept for the next message */
	size_t capacity;
};

/**
 * message_set - make a received message readable as one run of bytes
 * @buffer: becomes the message's
 * @ret: borrowed until message_clear() or the next message_set()
 *
 * A message that came in one piece is read in place; pieces are joined with one copy.
 * Returns 0, -ENOMEM or -EBADMSG (compressed with what gRPC cannot read).
 */
int message_set(struct message *message, grpc_byte_buffer *buffer, struct nfl_bytes *ret);

/* Gives the received buffer back; joined bytes stay allocated. */
void message_clear(struct message *message);
void message_done(struct message *message);

#endif
