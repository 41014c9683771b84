/* SPDX-License-Identifier: MIT */
/* A group that one process binds and another one, which has no rights, reads. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/netlink.h>

#include "cleanup.h"
#include "lab.h"
#include "links.h"
#include "reader.h"
#include "trouble.h"

#define EARLY_PACKETS 20
#define OTHER_GROUP   6
#define ROUNDS        100

static int open_socket(const struct nfl_listener_options *options)
{
	struct nfl_error err = {0};
	int fd = -1;

	if (nfl_socket_open(options, &fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static struct nfl_listener_options one_by_one(const struct lab *lab)
{
	struct nfl_listener_options options = lab_options(lab);

	options.profile = NFL_PROFILE_LATENCY;
	return options;
}

static void assert_whole(const struct reader_report *report, uint64_t count)
{
	assert_int_equal(report->r, -EAGAIN);
	assert_int_equal(report->seen.count, count);
	assert_int_equal(report->seen.seq + 1, count);
	assert_int_equal(report->seen.lost_kernel + report->seen.lost_decode, 0);
	assert_int_equal(report->seen.out_of_order, 0);
	assert_int_equal(report->stats.malformed, 0);
}

static void a_process_without_rights_reads_every_packet_from_the_bind_on(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct reader reader = reader_start();
	struct reader_report report;
	int fd = open_socket(&options);

	lab_send(lab, 5);
	report = reader_adopt(&reader, &options, fd);
	assert_false(report.has_capabilities);
	assert_true(report.settings.port_id != 0);
	assert_true(report.settings.netns_cookie != 0);
	assert_int_equal(report.settings.netns_inode, 0);
	assert_int_equal(report.settings.rcvbuf, 2 * NFL_RCVBUF_DEFAULT);
	lab_send(lab, 5);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 10);
	assert_int_equal(report.seen.first, 0);

	assert_int_equal(reader_do(&reader, READER_UNBIND).r, -EPERM);
	lab_send(lab, 1);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 11);
	assert_int_equal(reader_do(&reader, READER_CLOSE).r, 0);
	assert_int_equal(close(open_socket(&options)), 0); /* nobody has the group any more */
	reader_end(&reader);
}

static void packets_that_come_while_it_is_bound_are_the_readers(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct reader reader = reader_start();
	struct reader_report report;
	int fd;

	options.set = NFL_SET_COPY_RANGE;
	options.copy_range = 40;
	trouble_slow_kernel(lab, EARLY_PACKETS);
	fd = open_socket(&options);
	trouble_slow_kernel(NULL, 0);
	report = reader_adopt(&reader, &options, fd);
	assert_true(report.has_records);
	lab_send(lab, EARLY_PACKETS);
	report = reader_do(&reader, READER_DRAIN);
	assert_false(report.has_records);
	assert_int_equal(report.seen.count, 3 * EARLY_PACKETS);
	assert_int_equal(report.seen.first, 0);
	assert_int_equal(report.seen.last, 3 * EARLY_PACKETS - 1);
	assert_int_equal(report.seen.out_of_order, 0);
	assert_int_equal(report.seen.payload_max, 40);
	assert_int_equal(report.seen.lost_kernel, 0);
	reader_end(&reader);
}

static void a_group_opened_under_load_is_read_by_another_process_without_a_gap(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);

	for (int i = 0; i < ROUNDS / 10; i++) {
		struct reader reader = reader_start();
		struct reader_report report;
		struct flood flood;

		flood_start(&flood, lab);
		(void)reader_adopt(&reader, &options, open_socket(&options));
		flood_end(&flood);
		(void)reader_do(&reader, READER_DRAIN);
		lab_send(lab, 1); /* tells of what was lost at the end */
		report = reader_do(&reader, READER_DRAIN);
		assert_int_equal(report.seen.last, lab->sent - 1);
		assert_int_equal(report.seen.count + report.seen.lost_kernel,
				 report.seen.last - report.seen.first + 1);
		assert_int_equal(report.seen.out_of_order, 0);
		reader_end(&reader);
	}
}

/* The answer needs room in the queue, which packets have filled. They tell that it was a yes. */
static void an_answer_that_the_full_socket_lost_is_no_failure_and_no_loss(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	options.set = NFL_SET_RCVBUF;
	options.rcvbuf = 8192;
	trouble_slow_kernel(lab, EARLY_PACKETS);
	listener = lab_open(&options);
	trouble_slow_kernel(NULL, 0);
	assert_int_equal(listener->lost_answers, 1);
	lab_drain(listener, &seen);
	assert_in_range(seen.count, 1, 2 * EARLY_PACKETS - 1);
	assert_int_equal(lab_stats(listener).dropped_datagrams, 2 * EARLY_PACKETS - seen.count);
	lab_send(lab, 1);
	lab_expect(listener, &seen, seen.count + 1);
	assert_true(seen.present & NFL_HAS_SEQ); /* the settings are in force */
}

static void assert_taken(const struct nfl_listener_options *options, uint32_t port_id)
{
	struct nfl_error err = {0};
	char expected[64];
	int fd = -1;

	assert_int_equal(nfl_socket_open(options, &fd, &err), -EBUSY);
	assert_int_equal(fd, -1);
	(void)snprintf(expected, sizeof(expected), "is taken by netlink port id %u ", port_id);
	if (!strstr(err.text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, err.text);
}

static void a_refused_group_is_explained_where_it_is_opened(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct nfl_listener_settings settings;

	nfl_listener_settings(listener, &settings);
	assert_taken(&options, settings.port_id);
	trouble_forge_first(lab); /* a tenant's datagram stands before the kernel's answer */
	assert_taken(&options, settings.port_id);
	trouble_forge_first(NULL);
}

static void what_a_tenant_sends_while_it_is_bound_hides_no_packet(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = NULL;
	struct seen seen = {0};

	trouble_forge_first(lab);
	listener = lab_open(&options);
	trouble_forge_first(NULL);
	lab_send(lab, 3);
	lab_expect(listener, &seen, 3);
	assert_int_equal(seen.seq, 2);
	assert_int_equal(seen.lost_kernel, 0);
}

static void an_unbind_from_outside_gives_the_batch_to_the_reader_and_frees_the_group(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = lab_options(lab);
	struct reader reader = reader_start();
	CLEANUP(closep) int fd = -1;
	struct reader_report report;

	options.set = NFL_SET_TIMEOUT;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	fd = open_socket(&options);
	(void)reader_adopt(&reader, &options, dup(fd));
	lab_send(lab, 10);
	assert_int_equal(reader_do(&reader, READER_DRAIN).seen.count, 0);
	assert_int_equal(nfl_socket_unbind(fd, LAB_GROUP), 0);
	assert_int_equal(close(open_socket(&options)), 0); /* though two have the old socket */
	lab_send(lab, 10);                                 /* logged to nobody */
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 10);

	assert_int_equal(reader_do(&reader, READER_UNBIND).r, -EPERM);
	assert_int_equal(reader_do(&reader, READER_UNBOUND).r, 0);
	report = reader_do(&reader, READER_UNBIND);
	assert_int_equal(report.r, 0);
	assert_int_equal(reader_do(&reader, READER_CLOSE).requests, report.requests);
	reader_end(&reader);
}

static void a_message_of_the_kernel_that_is_no_packet_does_not_disturb_the_reader(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab), other = options;
	struct reader reader = reader_start();
	CLEANUP(closep) int fd = open_socket(&options);
	struct reader_report report;

	other.group = OTHER_GROUP;
	(void)reader_adopt(&reader, &options, dup(fd));
	lab_send(lab, 1);
	/* Nobody has that group, and an error is sent though no answer was asked for. */
	assert_int_equal(nfl_socket_unbind(fd, OTHER_GROUP), 0);
	assert_int_equal(nfl_socket_configure(fd, &other), 0);
	lab_send(lab, 1);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 2);
	assert_int_equal(report.stats.foreign, 0);
	assert_int_equal(report.stats.datagrams, 4); /* two of which are the errors */
	reader_end(&reader);
}

static void configure(const struct reader *reader, int fd,
		      const struct nfl_listener_options *options)
{
	const struct reader_request request = {.action = READER_CONFIGURED, .options = *options};

	assert_int_equal(reader_ask(reader, &request, -1).r, 0);
	assert_int_equal(nfl_socket_configure(fd, options), 0);
}

static void settings_change_while_the_group_is_read_and_no_packet_is_missing(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct reader reader = reader_start();
	CLEANUP(closep) int fd = -1;
	struct reader_report report;

	options.set = NFL_SET_COPY_RANGE;
	options.copy_range = 40;
	fd = open_socket(&options);
	(void)reader_adopt(&reader, &options, dup(fd));
	lab_send(lab, 20);
	report = reader_do(&reader, READER_DRAIN);
	assert_int_equal(report.seen.payload, 40);

	options.set |= NFL_SET_QTHRESH | NFL_SET_TIMEOUT | NFL_SET_RCVBUF;
	options.copy_range = 77;
	options.qthresh = 10;
	options.timeout_ms = NFL_TIMEOUT_MAX_MS;
	options.rcvbuf = 1 << 20;
	configure(&reader, fd, &options);
	lab_send(lab, 9);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 20); /* the others wait for the tenth */
	lab_send(lab, 1);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 30);
	assert_int_equal(report.seen.payload, 77);
	assert_int_equal(report.settings.copy_range, 77);
	assert_int_equal(report.settings.qthresh, 10);
	assert_int_equal(report.settings.rcvbuf, 2 << 20);
	reader_end(&reader);
}

static void settings_change_under_load_and_every_packet_is_accounted_for(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct reader reader = reader_start();
	CLEANUP(closep) int fd = open_socket(&options);
	struct reader_report report;
	struct flood flood;

	(void)reader_adopt(&reader, &options, dup(fd));
	flood_start(&flood, lab);
	options.set = NFL_SET_COPY_RANGE;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		options.copy_range = 1 + i;
		options.profile = i % 2 ? NFL_PROFILE_LATENCY : NFL_PROFILE_BALANCED;
		configure(&reader, fd, &options);
		(void)reader_do(&reader, READER_DRAIN);
	}
	flood_end(&flood);
	(void)reader_do(&reader, READER_DRAIN);
	lab_send(lab, 1);
	assert_int_equal(nfl_socket_unbind(fd, LAB_GROUP), 0);
	report = reader_do(&reader, READER_DRAIN);
	assert_int_equal(report.seen.count + report.seen.lost_kernel, lab->sent);
	assert_int_equal((uint64_t)report.seen.seq + 1, lab->sent);
	assert_int_equal(report.seen.out_of_order, 0);
	assert_int_equal(report.seen.payload, ROUNDS);
	reader_end(&reader);
}

static void less_of_a_packet_is_given_at_once(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab), other;
	CLEANUP(nfl_listener_closep) struct nfl_listener *listener = lab_open(&options);
	struct seen seen = {0};

	lab_send(lab, 1); /* whole, in the socket */
	options.copy_mode = NFL_COPY_META;
	assert_int_equal(nfl_listener_note_configured(listener, &options), 0);
	lab_drain(listener, &seen);
	assert_int_equal(seen.count, 1);
	assert_false(seen.present & NFL_HAS_PAYLOAD);
	other = options;
	other.group = OTHER_GROUP;
	assert_int_equal(nfl_listener_note_configured(listener, &other), -EINVAL);
	options.flags = 1024;
	assert_int_equal(nfl_listener_note_configured(listener, &options), -EINVAL);
}

static void a_process_without_rights_can_neither_open_nor_unbind_nor_configure(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct reader reader = reader_start();
	struct reader_request request = {.action = READER_TELL, .options = options};
	struct reader_report report;

	(void)reader_adopt(&reader, &options, open_socket(&options));
	assert_int_equal(reader_ask(&reader, &request, -1).r, -EPERM);
	lab_send(lab, 1);
	report = reader_do(&reader, READER_DRAIN);
	assert_whole(&report, 1);
	reader_end(&reader);
}

static void closing_an_adopted_socket_asks_the_kernel_for_nothing(void **state)
{
	struct lab *lab = *state;
	struct nfl_listener_options options = one_by_one(lab);
	struct nfl_listener *listener = NULL;
	unsigned requests;

	assert_int_equal(nfl_listener_adopt(&options, open_socket(&options), &listener, NULL), 0);
	requests = trouble_requests();
	nfl_listener_close(listener);
	assert_int_equal(trouble_requests(), requests);
	listener = lab_open(&options);
	requests = trouble_requests();
	nfl_listener_close(listener);
	assert_int_equal(trouble_requests(), requests + 1);
}

static int netlink_socket(int protocol, bool has_port)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	assert_true(fd >= 0);
	if (has_port)
		assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Closes it. */
static void assert_not_adopted(int fd, const char *expected)
{
	const struct nfl_listener_options options = {.size = sizeof(options), .group = LAB_GROUP};
	struct nfl_listener *listener = NULL;
	struct nfl_error err = {0};

	assert_int_equal(nfl_listener_adopt(&options, fd, &listener, &err), -EINVAL);
	assert_null(listener);
	if (!strstr(err.text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, err.text);
	closep(&fd);
}

static void assert_no_links(int fd)
{
	struct links *links = NULL;
	struct nfl_error err = {0};

	assert_int_equal(links_adopt(fd, &links, &err), -EINVAL);
	assert_null(links);
	assert_non_null(strstr(err.text, "no route socket"));
	closep(&fd);
}

static void a_descriptor_of_another_kind_is_refused(void **state)
{
	const struct nfl_listener_options options = {.size = sizeof(options), .group = LAB_GROUP};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(nfl_socket_unbind(ends[0], LAB_GROUP), -EINVAL);
	assert_int_equal(nfl_socket_configure(ends[0], &options), -EINVAL);
	assert_not_adopted(ends[0], "no netfilter socket");
	assert_not_adopted(-1, "no netfilter socket");
	assert_not_adopted(netlink_socket(NETLINK_ROUTE, true), "no netfilter socket");
	assert_not_adopted(netlink_socket(NETLINK_NETFILTER, false), "no netfilter socket");
	assert_not_adopted(netlink_socket(NETLINK_NETFILTER, true), "no answer");
	assert_no_links(ends[1]);
	assert_no_links(-1);
	assert_no_links(netlink_socket(NETLINK_NETFILTER, true));
	assert_no_links(netlink_socket(NETLINK_ROUTE, true)); /* it would hear of nothing */
}

int adopt_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(a_process_without_rights_reads_every_packet_from_the_bind_on),
	    LAB_TEST(packets_that_come_while_it_is_bound_are_the_readers),
	    LAB_TEST(a_group_opened_under_load_is_read_by_another_process_without_a_gap),
	    LAB_TEST(an_answer_that_the_full_socket_lost_is_no_failure_and_no_loss),
	    LAB_TEST(a_refused_group_is_explained_where_it_is_opened),
	    LAB_TEST(what_a_tenant_sends_while_it_is_bound_hides_no_packet),
	    LAB_TEST(an_unbind_from_outside_gives_the_batch_to_the_reader_and_frees_the_group),
	    LAB_TEST(a_message_of_the_kernel_that_is_no_packet_does_not_disturb_the_reader),
	    LAB_TEST(settings_change_while_the_group_is_read_and_no_packet_is_missing),
	    LAB_TEST(settings_change_under_load_and_every_packet_is_accounted_for),
	    LAB_TEST(less_of_a_packet_is_given_at_once),
	    LAB_TEST(a_process_without_rights_can_neither_open_nor_unbind_nor_configure),
	    LAB_TEST(closing_an_adopted_socket_asks_the_kernel_for_nothing),
	    LAB_TEST(a_descriptor_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
