/* SPDX-License-Identifier: MIT */
/* The process that is like nflogd's side of the network: it gets sockets and could make none itself. */
#include "reader.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "links.h"
#include "trouble.h"

#define NOBODY 65534

union control {
	struct cmsghdr header; /* for its alignment */
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

/* What the reader's process has. */
struct desk {
	int fd;
	struct nfl_listener *listener;
	struct links *links;
	struct reader_report report;
};

/* --- the reader's process ---------------------------------------------------------------- */

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct words[2];

	if (syscall(SYS_capget, &header, words) < 0)
		return true;
	return words[0].effective || words[0].permitted || words[1].effective || words[1].permitted;
}

static bool take_request(int fd, struct reader_request *ret, int *ret_passed)
{
	union control control;
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;

	*ret_passed = -1;
	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*ret))
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_passed, CMSG_DATA(header), sizeof(*ret_passed));
	return true;
}

static int drain(struct desk *desk)
{
	int r;

	do {
		r = nfl_listener_receive(desk->listener, NULL, 0, lab_see, &desk->report.seen);
	} while (r >= 0);
	return r;
}

static int find_link(struct desk *desk, uint32_t index)
{
	struct nfl_bytes name;
	int r = links_update(desk->links);

	name = links_find(desk->links, index);
	memset(desk->report.link, 0, sizeof(desk->report.link));
	if (name.len && name.len < sizeof(desk->report.link))
		memcpy(desk->report.link, name.data, name.len);
	return r;
}

/* Both need a right that this process does not have. */
static int tell(const struct desk *desk, const struct nfl_listener_options *options)
{
	int r = nfl_socket_unbind(nfl_listener_fd(desk->listener), options->group);

	return r == -EPERM ? nfl_socket_configure(nfl_listener_fd(desk->listener), options) : r;
}

static int act(struct desk *desk, const struct reader_request *request, int *passed)
{
	int r = 0;

	switch (request->action) {
	case READER_ADOPT:
		r = nfl_listener_adopt(&request->options, *passed, &desk->listener,
				       &desk->report.err);
		if (r == 0)
			(void)take_fd(passed);
		return r;
	case READER_DRAIN:
		return drain(desk);
	case READER_UNBIND:
		return nfl_listener_unbind(desk->listener);
	case READER_TELL:
		return tell(desk, &request->options);
	case READER_CONFIGURED:
		return nfl_listener_note_configured(desk->listener, &request->options);
	case READER_UNBOUND:
		nfl_listener_note_unbound(desk->listener);
		return 0;
	case READER_CLOSE:
		nfl_listener_close(TAKE_PTR(desk->listener));
		return 0;
	case READER_ADOPT_LINKS:
		r = links_adopt(*passed, &desk->links, &desk->report.err);
		if (r == 0)
			(void)take_fd(passed);
		return r;
	case READER_FIND_LINK:
		return find_link(desk, request->index);
	}
	return -EINVAL;
}

static void serve(struct desk *desk)
{
	struct reader_report *report = &desk->report;
	struct reader_request request;
	int passed;

	while (take_request(desk->fd, &request, &passed)) {
		report->r = act(desk, &request, &passed);
		closep(&passed);
		report->has_capabilities = has_capabilities();
		report->has_records = nfl_listener_has_records(desk->listener);
		report->requests = trouble_requests();
		if (desk->listener) {
			nfl_listener_stats(desk->listener, &report->stats);
			nfl_listener_settings(desk->listener, &report->settings);
		}
		if (send(desk->fd, report, sizeof(*report), MSG_NOSIGNAL) < 0)
			break;
	}
	nfl_listener_close(desk->listener);
	links_close(desk->links);
}

static int be_nobody(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

/* --- the test's side --------------------------------------------------------------------- */

struct reader reader_start(void)
{
	struct reader reader = {.fd = -1};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	reader.pid = fork();
	assert_true(reader.pid >= 0);
	if (reader.pid == 0) {
		struct desk desk = {.fd = ends[1]};

		(void)close(ends[0]);
		if (be_nobody() < 0)
			_exit(1);
		serve(&desk);
		_exit(0);
	}
	(void)close(ends[1]);
	reader.fd = ends[0];
	return reader;
}

void reader_end(struct reader *reader)
{
	int status = -1;

	closep(&reader->fd);
	assert_int_equal(waitpid(reader->pid, &status, 0), reader->pid);
	assert_int_equal(status, 0);
}

struct reader_report reader_ask(const struct reader *reader, const struct reader_request *request,
				int passed)
{
	struct reader_request sent = *request;
	struct iovec iov = {.iov_base = &sent, .iov_len = sizeof(sent)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {0};
	struct reader_report report;

	if (passed >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(passed));
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	}
	assert_int_equal(sendmsg(reader->fd, &message, MSG_NOSIGNAL), sizeof(sent));
	closep(&passed);
	assert_int_equal(recv(reader->fd, &report, sizeof(report), 0), sizeof(report));
	return report;
}

struct reader_report reader_do(const struct reader *reader, enum reader_action action)
{
	return reader_ask(reader, &(struct reader_request){.action = action}, -1);
}

struct reader_report reader_adopt(const struct reader *reader,
				  const struct nfl_listener_options *options, int passed)
{
	const struct reader_request request = {.action = READER_ADOPT, .options = *options};
	struct reader_report report = reader_ask(reader, &request, passed);

	if (report.r < 0)
		fail_msg("%s", report.err.text);
	return report;
}
