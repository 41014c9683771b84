/* SPDX-License-Identifier: MIT */
/* Magic, stream id, epoch, token, counts; each of variable length behind its length. */
#include "checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static const char magic[8] = "nflfwd1";

#define COUNT_BYTES 16

struct writer {
	uint8_t *at;
};

static void put(struct writer *writer, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(writer->at, bytes, len);
	writer->at += len;
}

static void put_number(struct writer *writer, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*writer->at++ = (uint8_t)(value >> (8 * i));
}

int checkpoint_encode(const struct checkpoint *checkpoint, void **ret, size_t *ret_len)
{
	size_t epoch_len = strlen(checkpoint->epoch);
	size_t len = sizeof(magic) + STREAM_ID_LEN + 4 + epoch_len + 4 + checkpoint->token_len + 4 +
		     checkpoint->count_count * COUNT_BYTES;
	struct writer writer;

	if (len > CHECKPOINT_MAX)
		return -EMSGSIZE;
	*ret = malloc(len);
	if (!*ret)
		return -ENOMEM;
	*ret_len = len;
	writer.at = *ret;
	put(&writer, magic, sizeof(magic));
	put(&writer, checkpoint->stream_id, STREAM_ID_LEN);
	put_number(&writer, epoch_len, 4);
	put(&writer, checkpoint->epoch, epoch_len);
	put_number(&writer, checkpoint->token_len, 4);
	put(&writer, checkpoint->token, checkpoint->token_len);
	put_number(&writer, checkpoint->count_count, 4);
	for (size_t i = 0; i < checkpoint->count_count; i++) {
		put_number(&writer, checkpoint->counts[i].source_id, 4);
		put_number(&writer, checkpoint->counts[i].stage, 4);
		put_number(&writer, checkpoint->counts[i].count, 8);
	}
	return 0;
}

struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* NULL: there is not so much left. */
static const uint8_t *take(struct reader *reader, uint64_t len)
{
	const uint8_t *at = reader->at;

	if (len > (uint64_t)(reader->end - at))
		return NULL;
	reader->at += len;
	return at;
}

static uint64_t number_at(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = bytes; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

/* A part behind its length. */
static const uint8_t *take_part(struct reader *reader, size_t *ret_len)
{
	const uint8_t *at = take(reader, 4);

	if (!at)
		return NULL;
	*ret_len = number_at(at, 4);
	return take(reader, *ret_len);
}

static int take_counts(struct reader *reader, struct checkpoint *ret)
{
	const uint8_t *count = take(reader, 4), *at;
	struct checkpoint_count *counts;

	if (!count)
		return -EBADMSG;
	ret->count_count = number_at(count, 4);
	at = take(reader, (uint64_t)ret->count_count * COUNT_BYTES);
	if (!at || reader->at != reader->end)
		return -EBADMSG;
	counts = calloc(ret->count_count + 1, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (size_t i = 0; i < ret->count_count; i++, at += COUNT_BYTES) {
		counts[i].source_id = (uint32_t)number_at(at, 4);
		counts[i].stage = (uint32_t)number_at(at + 4, 4);
		counts[i].count = number_at(at + 8, 8);
	}
	ret->counts = counts;
	return 0;
}

/* Texts that are no texts would end up in messages and keys. */
static int copy_text(char *to, size_t max, const uint8_t *bytes, size_t len)
{
	if (len > max)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
			return -EBADMSG;
		to[i] = (char)bytes[i];
	}
	to[len] = '\0';
	return 0;
}

int checkpoint_decode(const void *bytes, size_t len, struct checkpoint *ret)
{
	struct reader reader = {bytes, (const uint8_t *)bytes + len};
	struct checkpoint checkpoint = {0};
	const uint8_t *head = take(&reader, sizeof(magic) + STREAM_ID_LEN), *epoch, *token;
	size_t epoch_len;
	int r;

	if (!head || memcmp(head, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	epoch = take_part(&reader, &epoch_len);
	token = epoch ? take_part(&reader, &checkpoint.token_len) : NULL;
	if (!token || checkpoint.token_len == 0)
		return -EBADMSG;
	checkpoint.token = token;
	r = copy_text(checkpoint.stream_id, STREAM_ID_LEN, head + sizeof(magic), STREAM_ID_LEN);
	if (r == 0)
		r = copy_text(checkpoint.epoch, EPOCH_MAX, epoch, epoch_len);
	if (r == 0)
		r = take_counts(&reader, &checkpoint);
	if (r == 0)
		*ret = checkpoint;
	return r;
}
