/* SPDX-License-Identifier: MIT */
/* The place of a forwarder, and the marks that say when it may be stored. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "marks.h"

static const struct checkpoint_count counts[] = {
    {1, 3, 700}, {1, CHECKPOINT_COVERED, UINT64_MAX}, {UINT32_MAX, 1, 1}};

static void encode(void **ret, size_t *ret_len)
{
	const struct checkpoint place = {
	    .stream_id = "0123456789abcdef",
	    .epoch = "epoch-1",
	    .token = "token",
	    .token_len = 5,
	    .counts = counts,
	    .count_count = 3,
	};

	assert_int_equal(checkpoint_encode(&place, ret, ret_len), 0);
}

static void a_place_comes_back_as_it_was(void **state)
{
	struct checkpoint place = {0};
	void *bytes;
	size_t len;

	(void)state;
	encode(&bytes, &len);
	assert_int_equal(checkpoint_decode(bytes, len, &place), 0);
	assert_string_equal(place.stream_id, "0123456789abcdef");
	assert_string_equal(place.epoch, "epoch-1");
	assert_int_equal(place.token_len, 5);
	assert_memory_equal(place.token, "token", 5);
	assert_int_equal(place.count_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(place.counts[i].source_id, counts[i].source_id);
		assert_int_equal(place.counts[i].stage, counts[i].stage);
		assert_true(place.counts[i].count == counts[i].count);
	}
	free((void *)(uintptr_t)place.counts);
	free(bytes);
}

/* A copy of exactly this length, which ASan guards. */
static int decode_exact(const void *bytes, size_t len)
{
	struct checkpoint place = {0};
	char *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = checkpoint_decode(copy, len, &place);
	if (r == 0)
		free((void *)(uintptr_t)place.counts);
	free(copy);
	return r;
}

static void a_place_that_is_cut_or_longer_is_refused(void **state)
{
	void *bytes;
	size_t len;
	char *longer;

	(void)state;
	encode(&bytes, &len);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(decode_exact(bytes, cut), -EBADMSG);
	longer = calloc(1, len + 1);
	assert_non_null(longer);
	memcpy(longer, bytes, len);
	assert_int_equal(decode_exact(longer, len + 1), -EBADMSG);
	free(longer);
	free(bytes);
}

/* Each byte changed in turn: refused, or a place with other numbers; never a crash. */
static void a_place_that_is_damaged_harms_nobody(void **state)
{
	void *bytes;
	size_t len;

	(void)state;
	encode(&bytes, &len);
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			((unsigned char *)bytes)[at] ^= (unsigned char)(1u << bit);
			(void)decode_exact(bytes, len);
			((unsigned char *)bytes)[at] ^= (unsigned char)(1u << bit);
		}
	}
	((char *)bytes)[8] = '\n';
	assert_int_equal(decode_exact(bytes, len), -EBADMSG);
	free(bytes);
}

static void add(struct marks *marks, uint64_t messages, const char *place)
{
	char *copy = strdup(place);

	assert_non_null(copy);
	marks_add(marks, messages, copy, strlen(place));
}

static void a_place_is_reached_when_all_before_it_is_stored(void **state)
{
	struct marks marks = {0};
	struct mark mark = {0};

	(void)state;
	add(&marks, 3, "three");
	add(&marks, 5, "five");
	add(&marks, 9, "nine");
	assert_false(marks_reached(&marks, 2, &mark));
	assert_true(marks_reached(&marks, 7, &mark));
	assert_string_equal((char *)mark.place, "five");
	mark_done(&mark);
	assert_false(marks_reached(&marks, 8, &mark));
	assert_true(marks_reached(&marks, 9, &mark));
	assert_memory_equal(mark.place, "nine", 4);
	mark_done(&mark);
	marks_done(&marks);
}

static void a_broker_that_stores_nothing_costs_no_memory(void **state)
{
	struct marks marks = {0};
	struct mark mark = {0};

	(void)state;
	for (uint64_t i = 1; i <= 10 * MARKS_MAX; i++)
		add(&marks, i, "place");
	assert_int_equal(marks.count, MARKS_MAX);
	assert_true(marks_reached(&marks, 10 * MARKS_MAX, &mark));
	assert_int_equal(mark.messages, 10 * MARKS_MAX);
	assert_int_equal(marks.count, 0);
	mark_done(&mark);
	marks_done(&marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_place_comes_back_as_it_was),
	    cmocka_unit_test(a_place_that_is_cut_or_longer_is_refused),
	    cmocka_unit_test(a_place_that_is_damaged_harms_nobody),
	    cmocka_unit_test(a_place_is_reached_when_all_before_it_is_stored),
	    cmocka_unit_test(a_broker_that_stores_nothing_costs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
