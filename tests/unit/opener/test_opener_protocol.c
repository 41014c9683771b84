/* SPDX-License-Identifier: MIT */
/* opener/protocol: what counts as a request, and what becomes of descriptors that come along */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol.h"

#define FDS_SENT_MAX 12

struct pair {
	int ends[2];
	int lowest; /* the next descriptor to be given: how many are open */
};

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static int setup(void **state)
{
	static struct pair pair;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.ends), 0);
	pair.lowest = lowest_free();
	*state = &pair;
	return 0;
}

/* Whatever a case did, no descriptor is left. */
static int teardown(void **state)
{
	const struct pair *pair = *state;

	assert_int_equal(lowest_free(), pair->lowest);
	close(pair->ends[0]);
	close(pair->ends[1]);
	return 0;
}

static struct protocol_request a_request(uint32_t op)
{
	return (struct protocol_request){.op = op, .seq = 7, .group = 100, .shown = "red"};
}

/* The descriptor that belongs to a request of this kind; -1: none does. */
static int socket_of(uint32_t op)
{
	return op == PROTOCOL_UNBIND || op == PROTOCOL_CONFIGURE ? 3 : -1;
}

static void send_with(int socket, const void *bytes, size_t len, int fd, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_SENT_MAX * sizeof(int))] = {0};
	char copy[sizeof(struct protocol_request)] = {0};
	struct iovec iov = {.iov_base = copy, .iov_len = len};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *header = (struct cmsghdr *)control;

	memcpy(copy, bytes, len);
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(fd));
	assert_int_equal(sendmsg(socket, &message, MSG_NOSIGNAL), len);
}

/* --- cases: requests --------------------------------------------------------------------- */

static void every_operation_that_there_is_is_a_request(void **state)
{
	(void)state;
	for (uint32_t op = PROTOCOL_OPEN; op <= PROTOCOL_REPORT; op++) {
		struct protocol_request request = a_request(op);

		assert_true(protocol_is_request(&request, sizeof(request), socket_of(op)));
	}
}

/* Whether one comes along is no choice of the sender's. */
static void descriptor_that_is_missing_or_does_not_belong_makes_it_none(void **state)
{
	(void)state;
	for (uint32_t op = PROTOCOL_OPEN; op <= PROTOCOL_REPORT; op++) {
		struct protocol_request request = a_request(op);
		int other = socket_of(op) < 0 ? 3 : -1;

		assert_false(protocol_is_request(&request, sizeof(request), other));
	}
}

static void unknown_operations_are_none(void **state)
{
	const uint32_t ops[] = {0, PROTOCOL_REPORT + 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct protocol_request request = a_request(ops[i]);

		assert_false(protocol_is_request(&request, sizeof(request), -1));
		assert_false(protocol_is_request(&request, sizeof(request), 3));
	}
}

static void only_the_one_size_is_a_request(void **state)
{
	struct protocol_request request = a_request(PROTOCOL_OPEN);

	(void)state;
	for (int len = -1; len < (int)sizeof(request); len++)
		assert_false(protocol_is_request(&request, len, -1));
	assert_false(protocol_is_request(&request, (int)sizeof(request) + 1, -1));
}

static void name_without_an_end_is_no_request(void **state)
{
	struct protocol_request request = a_request(PROTOCOL_OPEN);

	(void)state;
	memset(request.shown, 'a', sizeof(request.shown));
	assert_false(protocol_is_request(&request, sizeof(request), -1));
	request.shown[sizeof(request.shown) - 1] = '\0';
	assert_true(protocol_is_request(&request, sizeof(request), -1));
}

static void group_beyond_the_last_is_no_request(void **state)
{
	struct protocol_request request = a_request(PROTOCOL_OPEN);

	(void)state;
	request.group = UINT16_MAX;
	assert_true(protocol_is_request(&request, sizeof(request), -1));
	request.group = UINT16_MAX + 1;
	assert_false(protocol_is_request(&request, sizeof(request), -1));
}

/* --- cases: messages --------------------------------------------------------------------- */

static void message_cut_anywhere_is_none(void **state)
{
	const struct protocol_message message = {.kind = PROTOCOL_ANSWER, .text = "why not"};
	int len = (int)(offsetof(struct protocol_message, text) + sizeof("why not"));

	(void)state;
	assert_true(protocol_is_message(&message, len));
	for (int cut = -1; cut < len; cut++)
		assert_false(protocol_is_message(&message, cut));
	assert_false(protocol_is_message(&message, (int)sizeof(message) + 1));
}

static void message_arrives_as_it_was_sent_up_to_the_end_of_its_text(void **state)
{
	const struct pair *pair = *state;
	const struct protocol_message sent = {
	    .kind = PROTOCOL_SPACE, .is_there = 1, .dev = 4, .inode = 9, .text = "red"};
	struct protocol_message got;
	int fd, len;

	assert_int_equal(protocol_send_message(pair->ends[0], &sent, -1, 0), 0);
	memset(&got, 0xee, sizeof(got));
	len = protocol_receive(pair->ends[1], &got, sizeof(got), &fd);
	assert_int_equal(len, offsetof(struct protocol_message, text) + sizeof("red"));
	assert_true(protocol_is_message(&got, len));
	assert_memory_equal(&got, &sent, (size_t)len);
	assert_int_equal(fd, -1);
}

static void datagram_that_is_too_long_tells_its_length(void **state)
{
	const struct pair *pair = *state;
	char sent[64] = {0};
	char got[16];
	int fd;

	assert_int_equal(protocol_send(pair->ends[0], sent, sizeof(sent), -1, 0), 0);
	assert_int_equal(protocol_receive(pair->ends[1], got, sizeof(got), &fd), sizeof(sent));
}

static void datagram_of_no_bytes_is_not_the_end(void **state)
{
	const struct pair *pair = *state;
	char got[16];
	int fd;

	assert_int_equal(protocol_send(pair->ends[0], "", 0, -1, 0), 0);
	assert_int_equal(protocol_receive(pair->ends[1], got, sizeof(got), &fd), 0);
	assert_int_equal(protocol_receive(pair->ends[1], got, sizeof(got), &fd), -EAGAIN);
}

static void full_socket_is_waited_for_no_longer_than_allowed(void **state)
{
	const struct pair *pair = *state;
	const struct protocol_request request = a_request(PROTOCOL_OPEN);
	struct protocol_request got;
	int fd, r, sent = 0;

	do {
		r = protocol_send(pair->ends[0], &request, sizeof(request), -1, 0);
		sent += r == 0;
	} while (r == 0 && sent < 10000);
	assert_int_equal(r, -ETIMEDOUT);
	assert_int_equal(protocol_send(pair->ends[0], &request, sizeof(request), -1, 10),
			 -ETIMEDOUT);
	while (sent-- > 0)
		assert_int_equal(protocol_receive(pair->ends[1], &got, sizeof(got), &fd),
				 sizeof(got));
	assert_int_equal(protocol_send(pair->ends[0], &request, sizeof(request), -1, 0), 0);
}

static void closed_peer_is_told_of_and_kills_nobody(void **state)
{
	struct pair *pair = *state;
	char got[16];
	int fd, other[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	close(other[1]);
	assert_int_equal(protocol_send(other[0], "x", 1, -1, 0), -EPIPE);
	assert_int_equal(protocol_receive(other[0], got, sizeof(got), &fd), -EPIPE);
	close(other[0]);
	assert_int_equal(protocol_receive(pair->ends[1], got, sizeof(got), &fd), -EAGAIN);
}

/* The kernel has another word for it then. */
static void peer_that_closed_with_something_unread_is_closed_to_the_sender(void **state)
{
	int other[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	assert_int_equal(protocol_send(other[0], "x", 1, -1, 0), 0);
	close(other[1]);
	assert_int_equal(protocol_send(other[0], "x", 1, -1, 0), -EPIPE);
	close(other[0]);
}

/* --- cases: descriptors ------------------------------------------------------------------ */

static void descriptor_arrives_and_is_closed_by_exec(void **state)
{
	const struct pair *pair = *state;
	struct stat sent, got;
	char byte;
	int fd;

	assert_int_equal(protocol_send(pair->ends[0], "x", 1, pair->ends[0], 0), 0);
	assert_int_equal(protocol_receive(pair->ends[1], &byte, 1, &fd), 1);
	assert_true(fd >= 0);
	assert_int_equal(fstat(pair->ends[0], &sent), 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(got.st_ino, sent.st_ino);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* More than there is room for as well: the kernel then keeps back what does not fit. */
static void several_descriptors_are_all_closed(void **state)
{
	const struct pair *pair = *state;
	struct protocol_request request = a_request(PROTOCOL_UNBIND);

	for (size_t count = 2; count <= FDS_SENT_MAX; count++) {
		int fd;

		send_with(pair->ends[0], &request, sizeof(request), pair->ends[0], count);
		assert_int_equal(protocol_receive(pair->ends[1], &request, sizeof(request), &fd),
				 sizeof(request));
		assert_int_equal(fd, -1);
		assert_int_equal(lowest_free(), pair->lowest);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(every_operation_that_there_is_is_a_request),
	    CASE(descriptor_that_is_missing_or_does_not_belong_makes_it_none),
	    CASE(unknown_operations_are_none),
	    CASE(only_the_one_size_is_a_request),
	    CASE(name_without_an_end_is_no_request),
	    CASE(group_beyond_the_last_is_no_request),
	    CASE(message_cut_anywhere_is_none),
	    CASE(message_arrives_as_it_was_sent_up_to_the_end_of_its_text),
	    CASE(datagram_that_is_too_long_tells_its_length),
	    CASE(datagram_of_no_bytes_is_not_the_end),
	    CASE(full_socket_is_waited_for_no_longer_than_allowed),
	    CASE(closed_peer_is_told_of_and_kills_nobody),
	    CASE(peer_that_closed_with_something_unread_is_closed_to_the_sender),
	    CASE(descriptor_arrives_and_is_closed_by_exec),
	    CASE(several_descriptors_are_all_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
