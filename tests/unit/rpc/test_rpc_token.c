/* SPDX-License-Identifier: MIT */
/* Resume tokens: what is written comes back, and nothing that a peer sends does harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "hall.h"
#include "put.h"
#include "server.h"
#include "token.h"

#define HEAD_BYTES 19 /* version, epoch, order, flags, no skip */

/* A subscription to some sources that no client has. */
struct stand_in {
	struct cq cq;
	struct call call;
	struct subscription sub;
	struct follow *follows[4];
	struct arena arena;
};

static void stand_in_init(struct stand_in *in, struct hall *hall)
{
	struct source *sources[] = {hall->red, hall->red_200, hall->blue};

	*in = (struct stand_in){.cq = {.rpc = hall->rpc}};
	in->call.cq = &in->cq;
	in->sub.call = &in->call;
	in->sub.follows = in->follows;
	for (size_t i = 0; i < 3; i++) {
		in->follows[i] = follow_new(sources[i]);
		assert_non_null(in->follows[i]);
		in->sub.follow_count++;
	}
	arena_init(&in->arena, 1 << 20);
}

static void stand_in_done(struct stand_in *in)
{
	for (size_t i = 0; i < in->sub.follow_count; i++)
		follow_free(in->follows[i]);
	arena_done(&in->arena);
}

/* What a client would store: the field's content. */
static struct nfl_bytes write_token(struct stand_in *in)
{
	grpc_slice slice = token_slice(&in->sub);
	Nflog__V1__SubscribeResponse *response = nflog__v1__subscribe_response__unpack(
	    NULL, GRPC_SLICE_LENGTH(slice), GRPC_SLICE_START_PTR(slice));
	struct nfl_bytes token = {0};
	uint8_t *copy;

	assert_non_null(response);
	copy = arena_alloc(&in->arena, response->resume_token.len + 1);
	assert_non_null(copy);
	token.data = copy;
	token.len = (uint32_t)response->resume_token.len;
	memcpy(copy, response->resume_token.data, token.len);
	hall_free_event(response);
	grpc_slice_unref(slice);
	return token;
}

static int parse(struct stand_in *in, struct nfl_bytes token, struct token *ret)
{
	return token_parse(in->cq.rpc, token.data, token.len, &in->arena, ret);
}

static void what_was_written_comes_back(void **state)
{
	struct hall *hall = *state;
	const struct token_place *place;
	struct stand_in in;
	struct token token;

	hall_log(hall, hall->red, 300);
	stand_in_init(&in, hall);
	in.sub.order = UINT64_C(0x123456789abcdef0);
	in.sub.skip = 12345;
	in.sub.lost_unknown = true;
	in.follows[0]->lost[LOSS_KERNEL_SOCKET] = 1000;
	in.follows[0]->losses[LOSS_KERNEL_SOCKET].pending = 10; /* seen, not reported */
	in.follows[0]->lost[LOSS_DECODE] = 2;
	in.follows[0]->losses[LOSS_DECODE].pending = 3; /* wraps */
	in.follows[0]->losses[LOSS_HISTORY].pending = 100;
	in.follows[0]->losses[LOSS_RATE_LIMIT].pending = 200;
	in.follows[2]->lost[LOSS_KERNEL_SOCKET] = 7;
	assert_int_equal(parse(&in, write_token(&in), &token), 0);
	assert_int_equal(token.epoch, hall->rpc->epoch_number);
	assert_int_equal(token.order, in.sub.order);
	assert_int_equal(token.skip, 12345);
	assert_true(token.lost_unknown);
	assert_int_equal(token.count, 2);
	place = token_find(&token, hall->red->id);
	assert_non_null(place);
	assert_int_equal(place->record, 300);
	assert_int_equal(place->lost_kernel, 990);
	assert_int_equal(place->lost_decode, UINT32_MAX);
	assert_int_equal(place->history, 100);
	assert_int_equal(place->rate_limit, 200);
	place = token_find(&token, hall->blue->id);
	assert_non_null(place);
	assert_int_equal(place->record, 0);
	assert_int_equal(place->lost_kernel, 7);
	assert_null(token_find(&token, hall->red_200->id));
	stand_in_done(&in);
}

static void sources_that_had_nothing_cost_nothing(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	struct token token;
	struct nfl_bytes bytes;

	stand_in_init(&in, hall);
	bytes = write_token(&in);
	assert_int_equal(bytes.len, HEAD_BYTES);
	assert_int_equal(parse(&in, bytes, &token), 0);
	assert_int_equal(token.count, 0);
	assert_null(token_find(&token, 1));
	stand_in_done(&in);
}

/* Also one that the stream began behind, or it would be taken for new when the client returns. */
static void a_source_with_records_is_named_also_at_its_first(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	struct token token;

	stand_in_init(&in, hall);
	hall_log(hall, hall->blue, 1);
	assert_int_equal(in.follows[2]->cursor.record, 0);
	assert_int_equal(parse(&in, write_token(&in), &token), 0);
	assert_non_null(token_find(&token, hall->blue->id));
	assert_int_equal(token.count, 1);
	stand_in_done(&in);
}

/* How many datagrams came for all tenants is not the bearer's business. */
static void the_order_cannot_be_read_off_the_token(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	uint64_t seen[64];

	stand_in_init(&in, hall);
	for (unsigned i = 0; i < 64; i++) {
		in.sub.order = i;
		memcpy(&seen[i], write_token(&in).data + 9, sizeof(seen[i]));
		assert_true(seen[i] > UINT32_MAX); /* true for random ones but once in 2^26 runs */
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
	stand_in_done(&in);
}

static void a_token_that_is_cut_or_damaged_does_no_harm(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	struct token token;
	struct nfl_bytes bytes;

	hall_log(hall, hall->red, 1000);
	hall_log_after_loss(hall, hall->blue, 1000, 70000, 3);
	stand_in_init(&in, hall);
	bytes = write_token(&in);
	for (uint32_t len = 0; len < bytes.len; len++) {
		uint8_t *cut = malloc(len + 1); /* a block of its own: reading on is seen */

		assert_non_null(cut);
		memcpy(cut, bytes.data, len);
		if (len < HEAD_BYTES)
			assert_int_equal(token_parse(hall->rpc, cut, len, &in.arena, &token),
					 -EBADMSG);
		else
			(void)token_parse(hall->rpc, cut, len, &in.arena, &token);
		free(cut);
	}
	for (uint32_t bit = 0; bit < 8 * bytes.len; bit++) {
		uint8_t *flipped = malloc(bytes.len);
		int r;

		assert_non_null(flipped);
		memcpy(flipped, bytes.data, bytes.len);
		flipped[bit / 8] = (uint8_t)(flipped[bit / 8] ^ 1U << bit % 8);
		r = token_parse(hall->rpc, flipped, bytes.len, &in.arena, &token);
		assert_true(r == 0 || r == -EBADMSG);
		free(flipped);
	}
	stand_in_done(&in);
}

/* A token by hand: numbers after a good head. */
static int parse_numbers(struct stand_in *in, const uint64_t *numbers, size_t count,
			 struct token *ret)
{
	struct nfl_bytes head = write_token(in);
	uint8_t *bytes = malloc(head.len + count * VARINT_MAX_LEN);
	uint8_t *p = bytes;
	int r;

	assert_non_null(bytes);
	assert_int_equal(head.len, HEAD_BYTES);
	memcpy(p, head.data, head.len);
	p += head.len;
	for (size_t i = 0; i < count; i++)
		p = put_varint(p, numbers[i]);
	r = token_parse(in->cq.rpc, bytes, (size_t)(p - bytes), &in->arena, ret);
	free(bytes);
	return r;
}

#define PARSE(in, ret, ...)                                                                        \
	parse_numbers(in, (const uint64_t[]){__VA_ARGS__},                                         \
		      sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), ret)

static void numbers_that_cannot_be_are_refused(void **state)
{
	struct hall *hall = *state;
	const uint64_t wide = (uint64_t)UINT32_MAX + 1;
	struct stand_in in;
	struct token token;

	stand_in_init(&in, hall);
	assert_int_equal(PARSE(&in, &token, 2 * 5, 10, 2 * 3 + 1, 20, 1, 2, 12, 8), 0);
	assert_int_equal(token.count, 2);
	assert_int_equal(token.places[0].source_id, 3); /* in whatever order they came */
	assert_int_equal(token.places[0].history, 12);
	assert_int_equal(PARSE(&in, &token, 2 * 5, 10, 2 * 5, 10), -EBADMSG); /* twice */
	assert_int_equal(PARSE(&in, &token, 2 * 5), -EBADMSG);                /* no record */
	assert_int_equal(PARSE(&in, &token, 2 * wide, 10), -EBADMSG);         /* no such id */
	assert_int_equal(PARSE(&in, &token, 7, 20, wide, 0, 0, 0), -EBADMSG); /* beyond 32 bits */
	assert_int_equal(PARSE(&in, &token, 7, 20, 0, wide, 0, 0), -EBADMSG);
	assert_int_equal(PARSE(&in, &token, 7, 20, 0, 0, 21, 0), -EBADMSG); /* more than all */
	assert_int_equal(PARSE(&in, &token, 7, 20, 0, 0, 12, 9), -EBADMSG);
	assert_int_equal(PARSE(&in, &token, 7, 20, 0, 0, 12), -EBADMSG); /* cut */
	stand_in_done(&in);
}

static void a_head_of_another_kind_is_refused(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	struct token token;
	struct nfl_bytes bytes;
	uint8_t changed[HEAD_BYTES];

	stand_in_init(&in, hall);
	bytes = write_token(&in);
	memcpy(changed, bytes.data, HEAD_BYTES);
	changed[0] = 2; /* version */
	assert_int_equal(token_parse(hall->rpc, changed, HEAD_BYTES, &in.arena, &token), -EBADMSG);
	memcpy(changed, bytes.data, HEAD_BYTES);
	changed[17] = 2; /* flags */
	assert_int_equal(token_parse(hall->rpc, changed, HEAD_BYTES, &in.arena, &token), -EBADMSG);
	stand_in_done(&in);
}

static void more_places_than_a_token_has_are_refused(void **state)
{
	struct hall *hall = *state;
	const size_t count = TOKEN_PLACES_MAX + 1;
	uint64_t *numbers = calloc(2 * count, sizeof(uint64_t));
	struct stand_in in;
	struct token token;

	assert_non_null(numbers);
	for (size_t i = 0; i < count; i++)
		numbers[2 * i] = 2 * (i + 1);
	stand_in_init(&in, hall);
	assert_int_equal(parse_numbers(&in, numbers, 2 * count, &token), -EBADMSG);
	assert_int_equal(parse_numbers(&in, numbers, 2 * (count - 1), &token), 0);
	assert_int_equal(token.count, TOKEN_PLACES_MAX);
	assert_non_null(token_find(&token, (uint32_t)TOKEN_PLACES_MAX));
	stand_in_done(&in);
	free(numbers);
}

static void a_stream_of_too_many_sources_has_no_token(void **state)
{
	struct hall *hall = *state;
	struct stand_in in;
	grpc_slice slice;

	stand_in_init(&in, hall);
	in.sub.follow_count = TOKEN_PLACES_MAX + 1; /* not looked at */
	slice = token_slice(&in.sub);
	assert_int_equal(GRPC_SLICE_LENGTH(slice), 0);
	in.sub.follow_count = 3;
	stand_in_done(&in);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(what_was_written_comes_back),
	    HALL_TEST(sources_that_had_nothing_cost_nothing),
	    HALL_TEST(a_source_with_records_is_named_also_at_its_first),
	    HALL_TEST(the_order_cannot_be_read_off_the_token),
	    HALL_TEST(a_token_that_is_cut_or_damaged_does_no_harm),
	    HALL_TEST(numbers_that_cannot_be_are_refused),
	    HALL_TEST(a_head_of_another_kind_is_refused),
	    HALL_TEST(more_places_than_a_token_has_are_refused),
	    HALL_TEST(a_stream_of_too_many_sources_has_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
