/* SPDX-License-Identifier: MIT */
/* A received message is a list of slices; packets are read from one run of bytes. */
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>

#include "cleanup.h"

/* Joining into a buffer that stays is cheaper than grpc_byte_buffer_reader_readall(), which makes
 * a new one for each message. */
static int message_reserve(struct message *message, size_t len)
{
	uint8_t *grown;

	if (len <= message->capacity)
		return 0;
	grown = malloc(len);
	if (!grown)
		return -ENOMEM;
	free(message->joined);
	message->joined = grown;
	message->capacity = len;
	return 0;
}

static int message_join(struct message *message, grpc_byte_buffer_reader *reader, grpc_slice *slice,
			size_t len)
{
	size_t used = 0;
	int r = message_reserve(message, len);

	if (r < 0)
		return r;
	do {
		size_t piece = GRPC_SLICE_LENGTH(*slice);

		if (piece > len - used)
			return -EBADMSG;
		memcpy(message->joined + used, GRPC_SLICE_START_PTR(*slice), piece);
		used += piece;
	} while (grpc_byte_buffer_reader_peek(reader, &slice));
	return used == len ? 0 : -EBADMSG;
}

static int message_read(struct message *message, struct nfl_bytes *ret)
{
	grpc_byte_buffer_reader reader;
	grpc_slice *slice = NULL;
	size_t len;
	int r = 0;

	if (!grpc_byte_buffer_reader_init(&reader, message->buffer))
		return -EBADMSG;
	len = grpc_byte_buffer_length(reader.buffer_out);
	*ret = (struct nfl_bytes){0};
	if (len > 0 && grpc_byte_buffer_reader_peek(&reader, &slice)) {
		*ret = (struct nfl_bytes){GRPC_SLICE_START_PTR(*slice), (uint32_t)len};
		if (GRPC_SLICE_LENGTH(*slice) != len || reader.buffer_out != message->buffer) {
			r = message_join(message, &reader, slice, len);
			ret->data = message->joined;
		}
	}
	grpc_byte_buffer_reader_destroy(&reader);
	return r;
}

int message_set(struct message *message, grpc_byte_buffer *buffer, struct nfl_bytes *ret)
{
	int r;

	message_clear(message);
	message->buffer = buffer;
	r = message_read(message, ret);
	if (r < 0 || ret->data == message->joined)
		message_clear(message); /* copied: the slices can go */
	return r;
}

void message_clear(struct message *message)
{
	if (message->buffer)
		grpc_byte_buffer_destroy(TAKE_PTR(message->buffer));
}

void message_done(struct message *message)
{
	message_clear(message);
	free(message->joined);
	*message = (struct message){0};
}
