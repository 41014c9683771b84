/* SPDX-License-Identifier: MIT */
/*
 * Resume tokens, written with every response and parsed when a client comes back.
 *
 *	version 1, epoch 8 bytes, order 8 bytes, flags 1, skip, then for each source:
 *	2 * source_id + (has losses), record, [lost_kernel, lost_decode, history, rate_limit]
 *
 * Numbers are varints where nothing else is said. The order of arrival counts the datagrams of all
 * sources, also of those that the bearer may not see, so it is written in a form that only this
 * server can read.
 */
#include "token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fields.h"
#include "get.h"
#include "history.h"
#include "put.h"
#include "server.h"
#include "source.h"
#include "subscription.h"

#define TOKEN_VERSION      1
#define TOKEN_LOST_UNKNOWN 1 /* flag */
#define TOKEN_HEAD_BYTES   (1 + 8 + 8 + 1)
#define FIELD_HEAD_MAX     (TAG_MAX_LEN + VARINT_MAX_LEN)
#define PLACE_BYTES_MAX    (6 * VARINT_MAX_LEN)

static uint32_t mix(uint32_t half, uint64_t key)
{
	uint64_t x = (half + key) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 29) * (key | 1);
	return (uint32_t)(x >> 32);
}

/* A Feistel network: whatever mix() does, it can be undone. */
static uint64_t hide(const uint64_t keys[RPC_TOKEN_KEYS], uint64_t value)
{
	uint32_t left = (uint32_t)(value >> 32);
	uint32_t right = (uint32_t)value;

	for (unsigned i = 0; i < RPC_TOKEN_KEYS; i++) {
		uint32_t mixed = left ^ mix(right, keys[i]);

		left = right;
		right = mixed;
	}
	return (uint64_t)left << 32 | right;
}

static uint64_t unhide(const uint64_t keys[RPC_TOKEN_KEYS], uint64_t value)
{
	uint32_t left = (uint32_t)(value >> 32);
	uint32_t right = (uint32_t)value;

	for (unsigned i = RPC_TOKEN_KEYS; i-- > 0;) {
		uint32_t mixed = right ^ mix(left, keys[i]);

		right = left;
		left = mixed;
	}
	return (uint64_t)left << 32 | right;
}

static struct token_place place_of(const struct follow *follow)
{
	const struct loss *losses = follow->losses;

	return (struct token_place){
	    .source_id = follow->source->id,
	    .record = follow->cursor.record,
	    .lost_kernel =
		follow->lost[LOSS_KERNEL_SOCKET] - (uint32_t)losses[LOSS_KERNEL_SOCKET].pending,
	    .lost_decode = follow->lost[LOSS_DECODE] - (uint32_t)losses[LOSS_DECODE].pending,
	    .history = losses[LOSS_HISTORY].pending,
	    .rate_limit = losses[LOSS_RATE_LIMIT].pending,
	};
}

static bool has_losses(const struct token_place *place)
{
	return place->lost_kernel || place->lost_decode || place->history || place->rate_limit;
}

static uint8_t *put_place(uint8_t *p, const struct token_place *place)
{
	bool losses = has_losses(place);

	p = put_varint(p, 2 * (uint64_t)place->source_id + losses);
	p = put_varint(p, place->record);
	if (!losses)
		return p;
	p = put_varint(p, place->lost_kernel);
	p = put_varint(p, place->lost_decode);
	p = put_varint(p, place->history);
	return put_varint(p, place->rate_limit);
}

/* Every source that has had a record, also where this stream began behind it: what is not named has
 * nothing up to the token's order. */
static uint8_t *put_places(uint8_t *p, const struct subscription *sub)
{
	for (size_t i = 0; i < sub->follow_count; i++) {
		struct token_place place = place_of(sub->follows[i]);

		if (history_end(sub->follows[i]->source->log) > 0 || has_losses(&place))
			p = put_place(p, &place);
	}
	return p;
}

static uint8_t *put_token(uint8_t *p, const struct subscription *sub)
{
	const struct rpc *rpc = sub->call->cq->rpc;
	uint64_t order = hide(rpc->token_keys, sub->order);

	*p++ = TOKEN_VERSION;
	memcpy(p, &rpc->epoch_number, sizeof(rpc->epoch_number));
	p += sizeof(rpc->epoch_number);
	memcpy(p, &order, sizeof(order));
	p += sizeof(order);
	*p++ = sub->lost_unknown ? TOKEN_LOST_UNKNOWN : 0;
	return put_places(put_varint(p, sub->skip), sub);
}

grpc_slice token_slice(const struct subscription *sub)
{
	grpc_slice slice;
	uint8_t head[FIELD_HEAD_MAX];
	uint8_t *start, *end;
	size_t head_len;

	if (sub->follow_count > TOKEN_PLACES_MAX)
		return grpc_empty_slice();
	slice = grpc_slice_malloc(FIELD_HEAD_MAX + TOKEN_HEAD_BYTES + VARINT_MAX_LEN +
				  sub->follow_count * PLACE_BYTES_MAX);
	start = GRPC_SLICE_START_PTR(slice) + FIELD_HEAD_MAX;
	end = put_token(start, sub);
	if ((size_t)(end - start) > TOKEN_BYTES_MAX) {
		grpc_slice_unref(slice);
		return grpc_empty_slice();
	}
	/* The length is known only now: its field's head goes right before. */
	head_len =
	    (size_t)(put_varint(put_tag(head, RESPONSE_RESUME_TOKEN), (uint64_t)(end - start)) -
		     head);
	memcpy(start - head_len, head, head_len);
	return grpc_slice_sub_no_ref(slice, FIELD_HEAD_MAX - head_len,
				     FIELD_HEAD_MAX + (size_t)(end - start));
}

/* Takes a number of at most @max; false when there is none. */
static bool take(struct get *get, uint64_t max, uint64_t *ret)
{
	const uint8_t *next = get_varint(get->p, get->end, ret);

	if (!next || *ret > max)
		return false;
	get->p = next;
	return true;
}

static bool take_place(struct get *get, struct token_place *place)
{
	uint64_t id, lost_kernel = 0, lost_decode = 0;

	*place = (struct token_place){0};
	if (!take(get, 2 * (uint64_t)UINT32_MAX + 1, &id) || !take(get, UINT64_MAX, &place->record))
		return false;
	if ((id & 1) &&
	    (!take(get, UINT32_MAX, &lost_kernel) || !take(get, UINT32_MAX, &lost_decode) ||
	     !take(get, place->record, &place->history) ||
	     !take(get, place->record - place->history, &place->rate_limit)))
		return false; /* what was lost after it had been stored is a part of all records */
	place->source_id = (uint32_t)(id >> 1);
	place->lost_kernel = (uint32_t)lost_kernel;
	place->lost_decode = (uint32_t)lost_decode;
	return true;
}

static size_t count_places(struct get get)
{
	struct token_place place;
	size_t count = 0;

	while (get.p < get.end && count <= TOKEN_PLACES_MAX && take_place(&get, &place))
		count++;
	return count;
}

static int compare(const void *a, const void *b)
{
	const struct token_place *left = a;
	const struct token_place *right = b;

	return left->source_id < right->source_id ? -1 : left->source_id > right->source_id;
}

static int take_places(struct get *get, struct arena *arena, struct token *token)
{
	size_t count = count_places(*get);

	if (count > TOKEN_PLACES_MAX)
		return -EBADMSG;
	token->places = arena_alloc(arena, (count + 1) * sizeof(*token->places));
	if (!token->places)
		return -ENOMEM;
	while (token->count < count && take_place(get, &token->places[token->count]))
		token->count++;
	if (get->p != get->end)
		return -EBADMSG;
	qsort(token->places, count, sizeof(*token->places), compare);
	for (size_t i = 1; i < count; i++)
		if (token->places[i].source_id == token->places[i - 1].source_id)
			return -EBADMSG;
	return 0;
}

int token_parse(const struct rpc *rpc, const void *bytes, size_t len, struct arena *arena,
		struct token *ret)
{
	const uint8_t *head = bytes;
	struct token token = {0};
	struct get get;
	int r;

	if (len < TOKEN_HEAD_BYTES || head[0] != TOKEN_VERSION)
		return -EBADMSG;
	memcpy(&token.epoch, head + 1, sizeof(token.epoch));
	memcpy(&token.order, head + 9, sizeof(token.order));
	token.order = unhide(rpc->token_keys, token.order);
	token.lost_unknown = head[17] == TOKEN_LOST_UNKNOWN;
	if (head[17] > TOKEN_LOST_UNKNOWN)
		return -EBADMSG;
	get = (struct get){.p = head + TOKEN_HEAD_BYTES, .end = head + len};
	if (!take(&get, UINT64_MAX, &token.skip))
		return -EBADMSG;
	r = take_places(&get, arena, &token);
	if (r < 0)
		return r;
	*ret = token;
	return 0;
}

const struct token_place *token_find(const struct token *token, uint32_t source_id)
{
	const struct token_place key = {.source_id = source_id};

	return token->count ? bsearch(&key, token->places, token->count, sizeof(key), compare)
			    : NULL;
}
