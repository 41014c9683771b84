/* SPDX-License-Identifier: MIT */
/* generated = delivered + reported lost, whatever goes wrong; and nothing that was not generated. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include "cleanup.h"
#include "lab.h"

#define ROUNDS        100
#define LOG_TIMES     20
#define EARLY_PACKETS 20

/* A thread that sends as fast as it can until it is told to end. */
struct flood {
	struct lab *lab;
	atomic_bool stop;
	atomic_bool is_sending;
	pthread_t thread;
};

static void *send_on(void *data)
{
	struct flood *flood = data;

	while (!atomic_load(&flood->stop)) {
		lab_send(flood->lab, 1);
		atomic_store(&flood->is_sending, true);
	}
	return NULL;
}

static void flood_start(struct flood *flood, struct lab *lab)
{
	*flood = (struct flood){.lab = lab};
	assert_int_equal(pthread_create(&flood->thread, NULL, send_on, flood), 0);
	while (!atomic_load(&flood->is_sending))
		(void)sched_yield();
}

static void flood_end(struct flood *flood)
{
	atomic_store(&flood->stop, true);
	assert_int_equal(pthread_join(flood->thread, NULL), 0);
}

/* BIND, the settings and the answer are microseconds apart; packets come between them where another
 * core is fast. While `slow_kernel` is set, they always do: first goes a
 * request with BIND alone, then one with the settings, then the settings again, asking for an answer. */
static struct lab *slow_kernel;

ssize_t __real_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len);

/* Sends the attributes from `from` to `end` as a message of its own. */
static void send_part(int fd, const uint8_t *bytes, size_t from, size_t end, uint16_t flags)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const size_t head = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	_Alignas(8) uint8_t part[128];
	struct nlmsghdr *header = (void *)part;
	size_t len = head + end - from;

	assert_in_range(len, head, sizeof(part));
	memcpy(part, bytes, head);
	memcpy(part + head, bytes + from, end - from);
	header->nlmsg_len = (uint32_t)len;
	header->nlmsg_flags = flags;
	assert_int_equal(
	    __real_sendto(fd, part, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)), len);
}

ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_len)
{
	const size_t command = NLMSG_HDRLEN + sizeof(struct nfgenmsg), settings = command + 8;

	if (!slow_kernel || to->sa_family != AF_NETLINK)
		return __real_sendto(fd, bytes, len, flags, to, to_len);
	send_part(fd, bytes, command, settings, NLM_F_REQUEST);
	lab_send(slow_kernel, EARLY_PACKETS);
	send_part(fd, bytes, settings, len, NLM_F_REQUEST);
	lab_send(slow_kernel, EARLY_PACKETS);
	send_part(fd, bytes, settings, len, NLM_F_REQUEST | NLM_F_ACK);
	return (ssize_t)len;
}

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
	slow_kernel = lab;
	listener = lab_open(&options);
	slow_kernel = NULL;
	assert_int_equal(lab->sent, 2 * EARLY_PACKETS);
	assert_non_null(listener->kept);
	lab_send(lab, EARLY_PACKETS);
	lab_drain(listener, &seen);
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

static int open_netfilter_socket(void *data)
{
	(void)data;
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
}

/* A packet message with SEQ, as the kernel makes them, from a socket of a tenant's. */
static void forge(const struct lab *lab, uint32_t port_id)
{
	const struct nfulnl_msg_packet_hdr packet = {.hook = 3};
	const struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = port_id};
	CLEANUP(closep) int fd = test_netns_call(&lab->netns, open_netfilter_socket, NULL);
	_Alignas(8) uint8_t bytes[128] = {0};
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);

	assert_true(fd >= 0);
	header->nlmsg_type = (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET;
	(void)mnl_nlmsg_put_extra_header(header, sizeof(struct nfgenmsg));
	mnl_attr_put(header, NFULA_PACKET_HDR, sizeof(packet), &packet);
	mnl_attr_put_u32(header, NFULA_SEQ, htobe32(1000));
	assert_int_equal(
	    sendto(fd, bytes, header->nlmsg_len, 0, (const struct sockaddr *)&to, sizeof(to)),
	    header->nlmsg_len);
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
	forge(lab, settings.port_id);
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
