/* SPDX-License-Identifier: MIT */
/* inlet: a connection that sends too much, or nothing at all, is shut; others do not notice */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "clock.h"
#include "inlet.h"

#define CHUNK ((size_t)65536)

static const struct inlet_limits limits = {
    .connections = 4, .bytes_per_second = 1, .hello_timeout_ms = 1000};

/* A listener on loopback or of the abstract namespace, and how to get to it. */
struct place {
	int listener;
	struct sockaddr_storage address;
	socklen_t len;
};

static void place_open(struct place *place, int domain)
{
	struct sockaddr_in *tcp = (struct sockaddr_in *)&place->address;

	place->address = (struct sockaddr_storage){.ss_family = (sa_family_t)domain};
	place->len = sizeof(sa_family_t); /* unix: the kernel picks a name */
	if (domain == AF_INET) {
		tcp->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		place->len = sizeof(*tcp);
	}
	place->listener = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(place->listener >= 0);
	assert_int_equal(bind(place->listener, (struct sockaddr *)&place->address, place->len), 0);
	place->len = sizeof(place->address);
	assert_int_equal(
	    getsockname(place->listener, (struct sockaddr *)&place->address, &place->len), 0);
	assert_int_equal(listen(place->listener, 64), 0);
}

struct pair {
	int peer;
	int ours;
};

static struct pair connect_to(const struct place *place)
{
	struct pair pair;

	pair.peer = socket(place->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(pair.peer >= 0);
	assert_int_equal(connect(pair.peer, (const struct sockaddr *)&place->address, place->len),
			 0);
	pair.ours = accept4(place->listener, NULL, NULL, SOCK_CLOEXEC);
	return pair;
}

static void pair_close(struct pair *pair)
{
	assert_int_equal(close(pair->peer), 0);
	if (pair->ours >= 0)
		assert_int_equal(close(pair->ours), 0);
}

/* Receives as gRPC does. */
static ssize_t receive(int fd)
{
	static uint8_t bytes[CHUNK];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	return recvmsg(fd, &message, 0);
}

/* Sends so much and has it received. Returns what the last receive said. */
static ssize_t pump(const struct pair *pair, size_t bytes)
{
	static const uint8_t zeros[CHUNK];
	ssize_t r = 0;

	while (bytes > 0) {
		size_t part = bytes < CHUNK ? bytes : CHUNK;
		ssize_t sent = send(pair->peer, zeros, part, MSG_NOSIGNAL | MSG_DONTWAIT);

		assert_true(sent > 0);
		bytes -= (size_t)sent;
		for (ssize_t left = sent; left > 0; left -= r) {
			r = receive(pair->ours);
			if (r < 0)
				return r;
		}
	}
	return r;
}

static int begin(void **state)
{
	struct place *places = calloc(2, sizeof(struct place));

	assert_non_null(places);
	place_open(&places[0], AF_UNIX);
	place_open(&places[1], AF_INET);
	inlet_start(&limits);
	*state = places;
	return 0;
}

static int end(void **state)
{
	struct place *places = *state;

	inlet_stop();
	assert_int_equal(close(places[0].listener), 0);
	assert_int_equal(close(places[1].listener), 0);
	free(places);
	return 0;
}

static void a_connection_that_sends_more_than_its_burst_is_shut(void **state)
{
	const struct place *places = *state;
	uint64_t before = inlet_counts().overdrawn;

	for (size_t i = 0; i < 2; i++) {
		struct pair pair = connect_to(&places[i]);
		char byte;

		assert_true(pump(&pair, INLET_BURST_BYTES) > 0);
		assert_int_equal(pump(&pair, CHUNK), -1);
		assert_int_equal(errno, ECONNRESET);
		assert_int_equal(recv(pair.peer, &byte, 1, 0), 0); /* the peer sees the end */
		pair_close(&pair);
	}
	assert_int_equal(inlet_counts().overdrawn, before + 2);
}

static void what_is_sent_to_a_peer_earns_it_window_updates(void **state)
{
	const struct place *places = *state;
	struct pair pair = connect_to(&places[0]);
	static uint8_t bytes[CHUNK];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	assert_true(pump(&pair, INLET_BURST_BYTES) > 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(sendmsg(pair.ours, &message, MSG_NOSIGNAL), sizeof(bytes));
		assert_int_equal(recv(pair.peer, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
		assert_true(pump(&pair, sizeof(bytes) / 256) > 0);
	}
	assert_int_equal(pump(&pair, 4096), -1);
	pair_close(&pair);
}

static void a_number_that_is_another_file_now_is_not_metered(void **state)
{
	const struct place *places = *state;
	struct pair pair = connect_to(&places[0]);
	struct pair other;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(dup3(fds[0], pair.ours, O_CLOEXEC),
			 pair.ours); /* as if closed and reused */
	other = (struct pair){.peer = fds[1], .ours = pair.ours};
	assert_true(pump(&other, 4 * (size_t)INLET_BURST_BYTES) > 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(pair.peer), 0);
	pair_close(&other);
}

static void silence_is_ended_and_a_hello_is_not(void **state)
{
	const struct place *places = *state;
	struct pair silent = connect_to(&places[0]);
	struct pair dripping = connect_to(&places[0]);
	struct pair honest = connect_to(&places[0]);
	int64_t now_ns = monotonic_ns();
	char byte;
	int wait_ms;

	assert_int_equal(pump(&dripping, 1), 1);
	assert_int_equal(pump(&honest, 20), 20);
	assert_int_equal(pump(&honest, 20), 20);
	wait_ms = inlet_sweep(now_ns);
	assert_in_range(wait_ms, 1, 1001);
	assert_int_equal(recv(silent.peer, &byte, 1, MSG_DONTWAIT), -1); /* not yet */
	assert_int_equal(inlet_sweep(now_ns + 2 * NS_PER_S), -1);
	assert_int_equal(recv(silent.peer, &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(dripping.peer, &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(pump(&honest, 1), 1);
	pair_close(&silent);
	pair_close(&dripping);
	pair_close(&honest);
}

static void tcp_connections_are_bounded_and_one_that_ends_makes_room(void **state)
{
	const struct place *places = *state;
	struct pair pairs[4];
	struct pair more;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		pairs[i] = connect_to(&places[1]);
		assert_true(pairs[i].ours >= 0);
	}
	more = connect_to(&places[1]);
	assert_int_equal(more.ours, -1);
	pair_close(&more);
	pair_close(&pairs[0]);
	do { /* closed ones are looked for now and then only */
		pairs[0] = connect_to(&places[1]);
		if (pairs[0].ours < 0)
			pair_close(&pairs[0]);
	} while (pairs[0].ours < 0);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		pair_close(&pairs[i]);
}

static void without_a_descriptor_the_peer_is_refused_and_the_listener_lives(void **state)
{
	const struct place *places = *state;
	struct rlimit before, none;
	struct pair pair;
	char byte;
	int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(peer >= 0);
	assert_int_equal(connect(peer, (const struct sockaddr *)&places[0].address, places[0].len),
			 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)peer + 1; /* the numbers below are taken, or the reserve's */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (dup(0) >= 0) /* closed by the end of the process */
		;
	assert_int_equal(accept4(places[0].listener, NULL, NULL, SOCK_CLOEXEC), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(recv(peer, &byte, 1, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(close(peer), 0);
	pair = connect_to(&places[0]);
	assert_true(pair.ours >= 0);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_connection_that_sends_more_than_its_burst_is_shut,
					    begin, end),
	    cmocka_unit_test_setup_teardown(what_is_sent_to_a_peer_earns_it_window_updates, begin,
					    end),
	    cmocka_unit_test_setup_teardown(a_number_that_is_another_file_now_is_not_metered, begin,
					    end),
	    cmocka_unit_test_setup_teardown(silence_is_ended_and_a_hello_is_not, begin, end),
	    cmocka_unit_test_setup_teardown(
		tcp_connections_are_bounded_and_one_that_ends_makes_room, begin, end),
	    cmocka_unit_test_setup_teardown(
		without_a_descriptor_the_peer_is_refused_and_the_listener_lives, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
