/* SPDX-License-Identifier: MIT */
/* The server of one page, on a real socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "http.h"
#include "text.h"

#define PATIENCE_S 10
#define GET        "GET /metrics HTTP/1.1\r\n\r\n"

struct scene {
	struct http *http;
	uint16_t port;
};

/* More than a socket takes at once. */
static void write_page(void *data, struct text *text)
{
	(void)data;
	for (int i = 0; i < 100000; i++)
		text_add(text, "a_metric_%06d 1234567890\n", i);
}

/* A port that was free a moment ago; the next one when it is not any more. */
static int setup(void **state)
{
	static struct scene scene;
	struct http_options options = {.write = write_page};

	for (scene.port = (uint16_t)(20000 + getpid() % 20000);; scene.port++) {
		char listen[32];
		int r;

		(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", scene.port);
		options.listen = listen;
		r = http_open(&options, &scene.http);
		if (r == 0)
			break;
		assert_int_equal(r, -EADDRINUSE);
	}
	assert_int_equal(http_start(scene.http), 0);
	*state = &scene;
	return 0;
}

static int teardown(void **state)
{
	http_free(((struct scene *)*state)->http);
	return 0;
}

static int connect_to(const struct scene *scene)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(scene->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads to the end; returns how many bytes came, the first of them in @head. */
static size_t read_all(int fd, char *head, size_t cap)
{
	size_t total = 0;
	char bytes[65536];

	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

		assert_true(n >= 0);
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n && total + (size_t)i + 1 < cap; i++)
			head[total + (size_t)i] = bytes[i];
		total += (size_t)n;
	}
	head[total < cap ? total : cap - 1] = '\0';
	assert_int_equal(close(fd), 0);
	return total;
}

static void ask(const struct scene *scene, const char *request, const char *expected)
{
	int fd = connect_to(scene);
	char head[300];

	send_text(fd, request);
	(void)read_all(fd, head, sizeof(head));
	assert_memory_equal(head, expected, strlen(expected));
}

static void a_large_page_arrives_whole(void **state)
{
	int fd = connect_to(*state);
	char head[300];
	size_t len, length;

	send_text(fd, GET);
	len = read_all(fd, head, sizeof(head));
	assert_int_equal(sscanf(strstr(head, "Content-Length"), "Content-Length: %zu", &length), 1);
	assert_int_equal(length, 100000 * strlen("a_metric_000000 1234567890\n"));
	assert_int_equal(len, length + (size_t)(strstr(head, "\r\n\r\n") + 4 - head));
}

static void a_request_may_come_in_pieces_and_bring_a_body(void **state)
{
	int fd = connect_to(*state);
	char head[100];

	for (const char *at = GET; *at; at++)
		assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
	send_text(fd, "and more that nobody asked for");
	(void)read_all(fd, head, sizeof(head));
	assert_memory_equal(head, "HTTP/1.1 200 OK\r\n", 17);
}

static void what_is_no_request_for_the_page_is_refused(void **state)
{
	ask(*state, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ");
	ask(*state, "DELETE /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ");
	ask(*state, "\n\n", "HTTP/1.1 400 ");
}

static void a_request_has_a_bound(void **state)
{
	static char endless[HTTP_REQUEST_BYTES + 1];

	memset(endless, 'x', sizeof(endless) - 1);
	ask(*state, endless, "HTTP/1.1 431 ");
}

/* As many as there may be, and as many again: who is late is served all the same. */
static void silent_connections_make_way(void **state)
{
	int silent[2 * HTTP_CONNECTIONS];
	char byte;

	for (size_t i = 0; i < 2 * HTTP_CONNECTIONS; i++) {
		silent[i] = connect_to(*state);
		send_text(silent[i], "G");
	}
	ask(*state, GET, "HTTP/1.1 200 OK\r\n");
	/* The oldest has been ended, by a reset or not. */
	assert_true(recv(silent[0], &byte, 1, 0) <= 0);
	assert_int_not_equal(errno, EAGAIN);
	for (size_t i = 0; i < 2 * HTTP_CONNECTIONS; i++)
		assert_int_equal(close(silent[i]), 0);
}

static void peers_that_leave_early_are_no_harm(void **state)
{
	for (int i = 0; i < 100; i++) {
		const struct linger reset = {.l_onoff = 1};
		int fd = connect_to(*state);

		send_text(fd, GET);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
		assert_int_equal(close(fd), 0);
	}
	ask(*state, GET, "HTTP/1.1 200 OK\r\n");
}

static void addresses_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",        "127.0.0.1", "127.0.0.1:0",    "127.0.0.1:65536",
	    "[::1:80", "host:80",   "[127.0.0.1]:80", "[:80"};
	struct http *http;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct http_options options = {.listen = bad[i], .write = write_page};

		if (http_open(&options, &http) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(a_large_page_arrives_whole),
	    SCENE_TEST(a_request_may_come_in_pieces_and_bring_a_body),
	    SCENE_TEST(what_is_no_request_for_the_page_is_refused),
	    SCENE_TEST(a_request_has_a_bound),
	    SCENE_TEST(silent_connections_make_way),
	    SCENE_TEST(peers_that_leave_early_are_no_harm),
	    cmocka_unit_test(addresses_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
