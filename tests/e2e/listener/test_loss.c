/* SPDX-License-Identifier: MIT */
/* generated = delivered + reported lost, whatever goes wrong; and nothing that was not generated. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/netlink.h>

#include "cleanup.h"
#include "lab.h"
#include "trouble.h"

#define ROUNDS        100
#define LOG_TIMES     20
#define EARLY_PACKETS 20

/* Every packet LOG_TIMES. */
static void log_many_times(const struct lab *lab)
{
	static const char rule[] = "udp dport 1000 log group 5;";
	char ruleset[128 + LOG_TIMES * sizeof(rule)];
	int len = snprintf(ruleset, sizeof(ruleset),
			   "table inet t { chain c { type filter hook output priority 0;");

	for (int i = 0; i < LOG_TIMES; i++)
		len += snprintf(ruleset + len, sizeof(ruleset) - (size_t)len, "%s", rule);
	(void)snprintf(ruleset + len, sizeof(ruleset) - (size_t)len, "}; }");
	test_nft(&lab->netns, ruleset);
}

static void a_group_opened_under_load_delivers_from_the_first_packet_on(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);

	/* So that the kernel does little else than log while the group is bound. */
	log_many_times(lab);
	options.profile = NFL_PROFILE_LATENCY;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
		struct flood flood;
		struct seen seen = {0};

		flood_start(&flood, lab);
		listener = lab_open(&options);
		flood_end(&flood);
		lab_drain(listener, &seen);
		lab_send(lab, 1); /* tells of what was lost at the end */
		lab_drain(listener, &seen);
		/* From the first that was logged to the last that was sent. Where this thread had
		 * to wait for long enough, some did not fit; they are counted. */
		assert_int_equal(seen.last, lab->sent - 1);
		assert_in_range(seen.count + seen.lost_kernel,
				(seen.last - seen.first) * LOG_TIMES + 1,
				(seen.last - seen.first + 1) * LOG_TIMES);
		/* What comes between BIND and the flag for it has no number. */
		assert_int_equal(seen.count + seen.lost_kernel,
				 (uint64_t)seen.seq + 1 + seen.unnumbered);
		assert_int_equal(seen.out_of_order, 0);
	}
}

static void packets_that_come_before_the_answer_are_delivered_first(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	options.profile = NFL_PROFILE_LATENCY;
	options.set = NFL_SET_COPY_RANGE;
	options.copy_range = 40;
	trouble_slow_kernel(lab, EARLY_PACKETS);
	listener = lab_open(&options);
	trouble_slow_kernel(NULL, 0);
	assert_int_equal(lab->sent, 2 * EARLY_PACKETS);
	assert_true(nfl_listener_has_records(listener));
	lab_send(lab, EARLY_PACKETS);
	lab_drain(listener, &seen);
	assert_false(nfl_listener_has_records(listener));
	assert_int_equal(seen.count, 3 * EARLY_PACKETS);
	assert_int_equal(seen.first, 0);
	assert_int_equal(seen.last, 3 * EARLY_PACKETS - 1);
	assert_int_equal(seen.out_of_order, 0);
	assert_int_equal(seen.payload_max, 40);
	assert_int_equal(seen.seq + 1, 2 * EARLY_PACKETS); /* without the flag there is none */
	assert_int_equal(seen.lost_kernel, 0);
}

static void unbind_succeeds_where_its_answer_finds_the_buffer_full(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	options.profile = NFL_PROFILE_LATENCY;
	options.set = NFL_SET_RCVBUF;
	options.rcvbuf = 32768;
	listener = lab_open(&options);
	lab_send(lab, 3000);
	assert_int_equal(nfl_listener_unbind(listener), 0);
	assert_int_equal(listener->request_seq, 3); /* BIND, UNBIND and UNBIND again */
	lab_drain(listener, &seen);
	assert_in_range(seen.count, 1, 2999);
	assert_int_equal(seen.seq + 1, seen.count); /* the first that came are there, in order */
	nfl_listener_close(TAKE_PTR(listener));
	listener = lab_open(&options);
}

static void a_small_receive_buffer_loses_what_is_counted_exactly(void **state)
{
	enum {
		BURSTS = 5,
		BURST = 3000
	};
	struct lab *lab = *state;

	for (uint32_t qthresh = 1; qthresh <= 64; qthresh *= 8) {
		struct nfl_listener_options options = lab_options(lab);
		CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
		struct nfl_listener_stats stats;
		struct seen seen = {0};

		options.set = NFL_SET_RCVBUF | NFL_SET_QTHRESH | NFL_SET_TIMEOUT;
		options.rcvbuf = 32768;
		options.qthresh = qthresh;
		options.timeout_ms = NFL_TIMEOUT_MAX_MS;
		listener = lab_open(&options);
		for (int i = 0; i < BURSTS; i++) {
			lab_send(lab, BURST);
			lab_drain(listener, &seen);
		}
		/* The loss at the tail: no packet tells of it yet, the socket does. */
		assert_true(seen.count + seen.lost_kernel < BURSTS * BURST);
		assert_true(lab_stats(listener).dropped_datagrams > 0);
		lab_send(lab, 1);
		assert_int_equal(nfl_listener_unbind(listener), 0);
		lab_drain(listener, &seen);
		stats = lab_stats(listener);
		assert_true(stats.lost_kernel > 0);
		assert_int_equal(stats.records, seen.count);
		assert_int_equal(stats.lost_kernel, seen.lost_kernel);
		assert_int_equal(stats.records + stats.lost_kernel, BURSTS * BURST + 1);
		assert_int_equal(stats.lost_decode, 0);
	}
}

static void an_overrun_is_counted_and_read_over(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};
	const int off = 0;

	options.profile = NFL_PROFILE_LATENCY;
	options.set = NFL_SET_RCVBUF;
	options.rcvbuf = 32768;
	listener = lab_open(&options);
	/* As on a kernel that does not have the option. */
	assert_int_equal(setsockopt(nfl_listener_fd(listener), SOL_NETLINK, NETLINK_NO_ENOBUFS,
				    &off, sizeof(off)),
			 0);
	lab_send(lab, 3000);
	lab_drain(listener, &seen);
	lab_send(lab, 1);
	lab_drain(listener, &seen);
	assert_int_equal(lab_stats(listener).overruns, 1);
	assert_int_equal(seen.count + seen.lost_kernel, 3001);
	assert_true(seen.lost_kernel > 0);
}

static void a_datagram_longer_than_the_buffer_is_a_decode_loss(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	_Alignas(4) uint8_t small[1024];
	struct seen seen = {0};
	int delivered;

	options.set = NFL_SET_QTHRESH | NFL_SET_TIMEOUT;
	options.qthresh = 50;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	listener = lab_open(&options);
	lab_send(lab, 50);
	delivered = nfl_listener_receive(listener, small, sizeof(small), lab_see, &seen);
	assert_in_range(delivered, 1, 10);
	lab_send(lab, 50);
	lab_expect(listener, &seen, 100);
	assert_int_equal(seen.count, 50 + delivered);
	assert_int_equal(seen.lost_decode, 50 - delivered);
	assert_int_equal(seen.lost_kernel, 0);
	assert_int_equal(lab_stats(listener).truncated, 1);
	assert_int_equal(lab_stats(listener).malformed, 0);
}

static void a_forged_message_is_counted_and_ignored(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct nfl_listener_settings settings;
	struct seen seen = {0};

	options.profile = NFL_PROFILE_LATENCY;
	listener = lab_open(&options);
	nfl_listener_settings(listener, &settings);
	lab_send(lab, 1);
	trouble_forge(lab, settings.port_id);
	lab_send(lab, 1);
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), 1);
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), 0);
	assert_int_equal(nfl_listener_receive(listener, NULL, 0, lab_see, &seen), 1);
	assert_int_equal(seen.count, 2);
	assert_int_equal(lab_stats(listener).foreign, 1);
	assert_int_equal(lab_stats(listener).lost_kernel, 0);
	assert_int_equal(lab_stats(listener).datagrams, 2);
}

int loss_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(a_group_opened_under_load_delivers_from_the_first_packet_on),
	    LAB_TEST(packets_that_come_before_the_answer_are_delivered_first),
	    LAB_TEST(unbind_succeeds_where_its_answer_finds_the_buffer_full),
	    LAB_TEST(a_small_receive_buffer_loses_what_is_counted_exactly),
	    LAB_TEST(an_overrun_is_counted_and_read_over),
	    LAB_TEST(a_datagram_longer_than_the_buffer_is_a_decode_loss),
	    LAB_TEST(a_forged_message_is_counted_and_ignored),
	};

	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
