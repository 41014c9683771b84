/* SPDX-License-Identifier: MIT */
/* What comes out of a listener, in which portions, and what is kept for later. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cleanup.h"
#include "lab.h"

#define IP_AND_UDP_BYTES 28
#define SENT_BYTES       128 /* a packet of lab_send() */

/* Batches that end only by their number of packets. */
static struct nfl_listener_options batches_of(const struct lab *lab, uint32_t packets)
{
	struct nfl_listener_options options = lab_options(lab);

	options.set = NFL_SET_QTHRESH | NFL_SET_TIMEOUT;
	options.qthresh = packets;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	return options;
}

static void copy_modes_and_ranges_decide_how_much_of_a_packet_comes(void **state)
{
	static const struct {
		enum nfl_copy_mode mode;
		uint32_t range;
		uint32_t expected;
	} cases[] = {
	    {NFL_COPY_PACKET, 0, SENT_BYTES},
	    {NFL_COPY_PACKET, 40, 40},
	    {NFL_COPY_PACKET, NFL_COPY_RANGE_MAX, SENT_BYTES},
	    {NFL_COPY_META, 0, 0},
	    {NFL_COPY_META, 40, 0},
	    {NFL_COPY_NONE, 0, 0},
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nfl_listener_options options = lab_options(lab);
		CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
		struct seen seen = {0};

		options.set = NFL_SET_COPY_RANGE;
		options.copy_mode = cases[i].mode;
		options.copy_range = cases[i].range;
		listener = lab_open(&options);
		lab_send(lab, 1);
		lab_expect(listener, &seen, 1);
		assert_int_equal(seen.payload, cases[i].expected);
		assert_int_equal((seen.present & NFL_HAS_PAYLOAD) != 0, cases[i].expected != 0);
		assert_true(seen.present & NFL_HAS_PREFIX);
	}
}

static void the_queue_threshold_and_the_kernels_buffer_decide_the_batch(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = batches_of(lab, 100);
	CLEANUP(nfl_listener_closep) struct nfl_listener *large = lab_open(&options), *small = NULL;
	struct seen seen = {0};

	lab_send(lab, 99);
	assert_int_equal(nfl_listener_receive(large, NULL, 0, lab_see, &seen), -EAGAIN);
	lab_send(lab, 1);
	assert_int_equal(nfl_listener_receive(large, NULL, 0, lab_see, &seen), 100);
	assert_int_equal(lab_stats(large).datagrams, 1);
	nfl_listener_close(TAKE_PTR(large));

	options.set |= NFL_SET_NLBUFSIZ;
	options.nlbufsiz = NFL_NLBUFSIZ_MIN;
	small = lab_open(&options);
	lab_send(lab, 100);
	assert_int_equal(nfl_listener_unbind(small), 0);
	seen = (struct seen){0};
	lab_drain(small, &seen);
	assert_int_equal(seen.count, 100);
	assert_in_range(lab_stats(small).datagrams, 4, 10); /* some 20 messages of 200 bytes each */
}

static void the_largest_packet_and_the_largest_batch_fit_the_receive_buffer(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = batches_of(lab, 4096);
	CLEANUP(freep) void *buffer = malloc(NFL_RECEIVE_BUFFER);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	options.set |= NFL_SET_NLBUFSIZ;
	options.nlbufsiz = NFL_NLBUFSIZ_MAX;
	listener = lab_open(&options);
	lab_send(lab, 3000);
	test_udp_send(lab->udp, LAB_PORT, 65000, 3, &lab->sent);
	assert_int_equal(nfl_listener_unbind(listener), 0);
	while (nfl_listener_receive(listener, buffer, NFL_RECEIVE_BUFFER, lab_see, &seen) >= 0)
		;
	assert_int_equal(seen.count, 3003);
	assert_int_equal(seen.payload, 65000 + IP_AND_UDP_BYTES);
	assert_int_equal(lab_stats(listener).truncated, 0);
	assert_int_equal(lab_stats(listener).malformed, 0);
	/* The kernel fills twice of what was asked for: a buffer of that size would be too small. */
	assert_true(lab_stats(listener).bytes / lab_stats(listener).datagrams > 65536);
}

static void unbind_gives_what_the_kernel_still_holds(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = batches_of(lab, 4096);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct seen seen = {0};

	lab_send(lab, 10);
	lab_drain(listener, &seen);
	assert_int_equal(seen.count, 0);
	assert_false(nfl_listener_has_records(listener));
	assert_int_equal(nfl_listener_unbind(listener), 0);
	/* They came before the answer that it waited for: poll() would not see them. */
	assert_true(nfl_listener_has_records(listener));
	lab_send(lab, 10); /* logged to nobody */
	lab_drain(listener, &seen);
	assert_false(nfl_listener_has_records(listener));
	assert_int_equal(seen.count, 10);
	assert_int_equal(nfl_listener_unbind(listener), 0);
}

static void a_callback_that_stops_loses_nothing(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = batches_of(lab, 50);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct seen seen = {.stop_at = 10, .value = 7};

	lab_send(lab, 50);
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, 5000), 7);
	assert_int_equal(seen.count, 10);
	seen.stop_at = 20;
	seen.value = -3;
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), -3);
	assert_int_equal(seen.count, 20);
	seen.stop_at = 30;
	seen.value = 1;
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), 10);
	assert_true(nfl_listener_has_records(listener));
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), 20);
	assert_false(nfl_listener_has_records(listener));
	assert_int_equal(seen.count, 50);
	assert_int_equal(seen.out_of_order, 0);
	assert_int_equal(seen.last - seen.first, 49);
	assert_int_equal(lab_stats(listener).datagrams, 1);
}

static void arguments_that_cannot_work_are_refused(void **state)
{
	struct nfl_listener_options options = lab_options(*state);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	_Alignas(4) char buffer[8];
	struct seen seen = {0};

	assert_int_equal(nfl_listener_receive(listener, NULL, 0, NULL, NULL), -EINVAL);
	assert_int_equal(nfl_listener_receive(listener, buffer, 0, lab_see, &seen), -EINVAL);
	assert_int_equal(nfl_listener_receive(listener, buffer + 1, 7, lab_see, &seen), -EINVAL);
	assert_int_equal(nfl_listener_run(listener, NULL, NULL, 0), -EINVAL);
	assert_int_equal(nfl_listener_run(listener, lab_see, &seen, -2), -EINVAL);
}

int delivery_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(copy_modes_and_ranges_decide_how_much_of_a_packet_comes),
	    LAB_TEST(the_queue_threshold_and_the_kernels_buffer_decide_the_batch),
	    LAB_TEST(the_largest_packet_and_the_largest_batch_fit_the_receive_buffer),
	    LAB_TEST(unbind_gives_what_the_kernel_still_holds),
	    LAB_TEST(a_callback_that_stops_loses_nothing),
	    LAB_TEST(arguments_that_cannot_work_are_refused),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
