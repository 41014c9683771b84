/* SPDX-License-Identifier: MIT */
/* Endpoints, peers that go away, and the server's end. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "endpoint.h"
#include "hall.h"
#include "peers.h"

/* A server of its own on an endpoint; NULL with the reason in @err. */
static struct rpc *serve(struct hall *hall, const char *unix_path, const char *tcp,
			 struct rpc_error *err)
{
	struct rpc_endpoint endpoint = {.unix_path = unix_path, .mode = 0620, .tcp = tcp};
	struct rpc_options options = {.endpoints = &endpoint,
				      .endpoint_count = 1,
				      .version = "1",
				      .policy = hall->policy,
				      .threads = 1};
	struct rpc *rpc;

	if (rpc_bind(&endpoint, 1, &options.sockets, err) < 0)
		return NULL;
	return rpc_new(&options, hall->registry, &rpc, err) < 0 ? NULL : rpc;
}

static void the_socket_file_has_the_mode_asked_for(void **state)
{
	struct hall *hall = *state;
	struct stat st;

	assert_int_equal(stat(hall->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void the_socket_of_a_live_server_is_not_taken(void **state)
{
	struct hall *hall = *state;
	struct rpc_error err;
	struct stat before, after;

	assert_int_equal(stat(hall->path, &before), 0);
	assert_null(serve(hall, hall->path, NULL, &err));
	assert_non_null(strstr(err.text, "another server"));
	assert_int_equal(stat(hall->path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void the_socket_of_a_dead_server_is_replaced(void **state)
{
	struct hall *hall = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rpc_error err;
	struct rpc *rpc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/dead", hall->folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(fd), 0); /* the file stays */
	rpc = serve(hall, address.sun_path, NULL, &err);
	assert_non_null(rpc);
	rpc_free(rpc);
	assert_int_equal(access(address.sun_path, F_OK), -1);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct hall *hall = *state;
	struct rpc_error err;
	char path[100];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/file", hall->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_null(serve(hall, path, NULL, &err));
	assert_non_null(strstr(err.text, "no socket"));
	assert_int_equal(unlink(path), 0);
}

static void tcp_is_served_on_loopback_only(void **state)
{
	struct hall *hall = *state;
	static const char *const refused[] = {"0.0.0.0:7443", "[::]:7443",    "10.0.0.1:7443",
					      "127.0.0.1",    "localhost:1",  "127.0.0.1:65536",
					      "127.0.0.1:",   "127.0.0.1:1x", "unix:/tmp/x",
					      ":7443",        "[::1]:7443 "};
	struct rpc_error err;
	struct rpc *rpc;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_null(serve(hall, NULL, refused[i], &err));
		assert_non_null(strstr(err.text, refused[i]));
	}
	assert_true(endpoint_is_loopback("[::1]:65535")); /* not every host has IPv6 */
	assert_true(endpoint_is_loopback("127.1.2.3:1"));
	rpc = serve(hall, NULL, "127.0.0.1:0", &err);
	if (!rpc)
		fail_msg("%s", err.text);
	rpc_free(rpc);
}

/* Waits, by asking, until the server has let go of what ended. */
static void wait_for_no_subscriptions(struct hall *hall)
{
	int64_t deadline_ns = monotonic_ns() + 10 * NS_PER_S;

	while (hall_count_subscriptions(hall) > 0)
		assert_true(monotonic_ns() < deadline_ns);
}

static void a_subscriber_that_leaves_takes_its_state_along(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller caller;

	hall_follow(hall, &caller, &request);
	assert_int_equal(hall_count_subscriptions(hall), 1);
	caller_close(&caller);
	wait_for_no_subscriptions(hall);
}

/* Some in the middle of a stream, some with a message in flight, some before their request. */
static void a_hundred_peers_that_vanish_leave_nothing_behind(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;

	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	for (int i = 0; i < 100; i++) {
		struct caller caller;

		if (i % 4 == 0)
			caller_open_message(&caller, hall->path, "Subscribe", &request.base);
		else
			hall_follow(hall, &caller, &request);
		if (i % 4 > 1)
			hall_log(hall, hall->red, 100);
		if (i % 4 == 3)
			hall_free_event(caller_next_event(&caller));
		caller_close(&caller);
	}
	wait_for_no_subscriptions(hall);
}

static void bytes_that_are_no_http2_harm_nobody(void **state)
{
	struct hall *hall = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", hall->path);
	for (int i = 0; i < 20; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		if (i % 2)
			(void)!write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(hall_count_subscriptions(hall), 0);
}

/* Connections that wait while no descriptor is free are accepted when there is one again. */
static void the_acceptor_survives_running_out_of_descriptors(void **state)
{
	struct hall *hall = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rlimit limit;
	struct rlimit none;
	int fds[8];

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", hall->path);
	for (size_t i = 0; i < 8; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 4; /* open ones stay open */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(poll(NULL, 0, 50), 0); /* let it try */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(hall_count_subscriptions(hall), 0); /* it answers */
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(close(fds[i]), 0);
}

#define PER_USER 512

static void one_user_cannot_take_all_connections(void **state)
{
	struct ucred alice = {.uid = 1000, .pid = 1};
	struct ucred bob = {.uid = 1001, .pid = 2};
	struct peers *peers = peers_new(2 * PER_USER, PER_USER);
	static int fds[PER_USER + 1];
	char name[32];
	char text[64];

	(void)state;
	assert_non_null(peers);
	for (size_t i = 0; i <= PER_USER; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fds[i] >= 0);
	}
	for (size_t i = 0; i < PER_USER; i++)
		assert_int_equal(peers_add(peers, fds[i], &alice), 0);
	assert_int_equal(peers_add(peers, fds[PER_USER], &alice), -EUSERS);
	assert_int_equal(peers_add(peers, fds[PER_USER], &bob), 0);
	(void)snprintf(name, sizeof(name), "fd:%d", fds[PER_USER]);
	peers_describe(peers, name, text, sizeof(text));
	assert_string_equal(text, "unix uid 1001 pid 2");
	assert_int_equal(close(fds[0]), 0); /* one that ends makes room */
	fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(peers_add(peers, fds[0], &alice), 0);
	for (size_t i = 0; i <= PER_USER; i++)
		assert_int_equal(close(fds[i]), 0);
	peers_free(peers);
}

static void stopping_sends_what_is_queued_and_says_unavailable(void **state)
{
	struct hall hall;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	Nflog__V1__BatchPolicy policy = NFLOG__V1__BATCH_POLICY__INIT;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;
	int64_t begin_ns;

	(void)state;
	hall_open_with(&hall, 0, 0);
	delay.seconds = 5;
	policy.max_delay = &delay;
	request.batch = &policy;
	hall_follow(&hall, &caller, &request);
	hall_log(&hall, hall.red, 1);
	hall_free_event(caller_next_event(&caller));
	hall_log(&hall, hall.red, 10); /* gathers for five seconds */
	atomic_fetch_add(&hall.blue->lost_decode, 3);
	begin_ns = monotonic_ns();
	rpc_stop(hall.rpc, 2000);
	assert_true(monotonic_ns() - begin_ns < 2 * NS_PER_S);
	event = caller_next_event(&caller);
	assert_non_null(event);
	assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	assert_int_equal(event->batch->n_packets, 10);
	hall_free_event(event);
	event = caller_next_event(&caller);
	assert_non_null(event);
	assert_int_equal(event->event_case, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS);
	assert_int_equal(event->loss->count, 3);
	hall_free_event(event);
	caller_expect_end(&caller, GRPC_STATUS_UNAVAILABLE);
	assert_non_null(strstr(caller.text, "shutting down"));
	caller_close(&caller);
	hall_close_it(&hall);
}

static void stopping_does_not_wait_longer_than_the_grace_time(void **state)
{
	struct hall hall;
	Nflog__V1__SubscribeRequest request = NFLOG__V1__SUBSCRIBE_REQUEST__INIT;
	struct caller stalled;
	Nflog__V1__SubscribeResponse *event;
	int64_t begin_ns;

	(void)state;
	hall_open_with(&hall, 0, 0);
	request.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_FULL;
	hall_follow(&hall, &stalled, &request);
	for (int i = 0; i < 2000; i++) /* never read */
		hall_log(&hall, hall.red, 10);
	begin_ns = monotonic_ns();
	rpc_stop(hall.rpc, 300);
	assert_true(monotonic_ns() - begin_ns < 3 * NS_PER_S);
	while ((event = caller_next_event(&stalled)))
		hall_free_event(event);
	assert_int_equal(stalled.code, GRPC_STATUS_UNAVAILABLE);
	caller_close(&stalled);
	hall_close_it(&hall);
}

static void a_server_that_never_started_can_be_freed(void **state)
{
	struct hall *hall = *state;
	struct rpc_error err;
	char path[100];
	struct rpc *rpc;

	(void)snprintf(path, sizeof(path), "%s/other", hall->folder);
	rpc = serve(hall, path, NULL, &err);
	assert_non_null(rpc);
	rpc_stop(rpc, 0);
	rpc_stop(rpc, 0);
	rpc_free(rpc);
	rpc_free(NULL);
}

#define HALL_TEST(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HALL_TEST(the_socket_file_has_the_mode_asked_for),
	    HALL_TEST(the_socket_of_a_live_server_is_not_taken),
	    HALL_TEST(the_socket_of_a_dead_server_is_replaced),
	    HALL_TEST(a_file_that_is_no_socket_is_left_alone),
	    HALL_TEST(tcp_is_served_on_loopback_only),
	    HALL_TEST(a_subscriber_that_leaves_takes_its_state_along),
	    HALL_TEST(a_hundred_peers_that_vanish_leave_nothing_behind),
	    HALL_TEST(bytes_that_are_no_http2_harm_nobody),
	    HALL_TEST(the_acceptor_survives_running_out_of_descriptors),
	    cmocka_unit_test(one_user_cannot_take_all_connections),
	    cmocka_unit_test(stopping_sends_what_is_queued_and_says_unavailable),
	    cmocka_unit_test(stopping_does_not_wait_longer_than_the_grace_time),
	    HALL_TEST(a_server_that_never_started_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
