/* SPDX-License-Identifier: MIT */
/*
 * The daemon's side: two lines to the worker, each with one request at a time, and a queue of what was
 * reported on the first of them in between.
 */
#include "opener.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "protocol.h"
#include "warden.h"

#define ANSWER_TIMEOUT_MS 5000
#define REPORT_TIMEOUT_MS 100
#define END_TIMEOUT_MS    2000
#define KEPT_FDS_MIN      32 /* a daemon without sources and connections has 22 in all */
#define KEPT_FDS_MAX      1024

/* A report that came while an answer was waited for. */
struct report {
	struct report *next;
	struct protocol_message message; /* allocated up to the end of its text */
};

struct line {
	int fd;
	uint32_t seq;
	struct report *first; /* owned */
	struct report *last;
	bool is_stale; /* a report was lost for want of memory: all must be told again */
};

struct opener {
	struct line main;  /* of who opens; reports come here */
	struct line quick; /* of who reads packets */
	pid_t warden;
};

/* Forks; the child never returns. */
static int fork_warden(const struct opener_options *options, const int theirs[WARDEN_SOCKETS],
		       struct opener *opener)
{
	opener->warden = fork();
	if (opener->warden == 0)
		warden_run(options, theirs);
	return opener->warden < 0 ? -errno : 0;
}

static int connect_and_fork(const struct opener_options *options, struct opener *opener)
{
	CLEANUP(closep) int main_end = -1;
	CLEANUP(closep) int quick_end = -1;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	opener->main.fd = fds[0];
	main_end = fds[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	opener->quick.fd = fds[0];
	quick_end = fds[1];
	return fork_warden(options, (const int[]){main_end, quick_end}, opener);
}

static void close_lines(struct opener *opener)
{
	closep(&opener->main.fd);
	closep(&opener->quick.fd);
}

int opener_start(const struct opener_options *options, struct opener **ret)
{
	CLEANUP(freep) struct opener *opener = calloc(1, sizeof(*opener));
	int r;

	if (!opener)
		return -ENOMEM;
	opener->main.fd = opener->quick.fd = -1;
	r = connect_and_fork(options, opener);
	if (r < 0) {
		close_lines(opener);
		return r;
	}
	*ret = TAKE_PTR(opener);
	return 0;
}

/* It ends by itself when the socket is closed. That it did is worth a moment, not more. */
static void wait_for_end(pid_t warden)
{
	CLEANUP(closep) int fd = (int)syscall(SYS_pidfd_open, warden, 0);
	struct pollfd ended = {.fd = fd, .events = POLLIN};

	if (fd < 0 || poll(&ended, 1, END_TIMEOUT_MS) > 0)
		(void)waitpid(warden, NULL, fd < 0 ? WNOHANG : 0);
}

void opener_stop(struct opener *opener)
{
	if (!opener)
		return;
	close_lines(opener);
	wait_for_end(opener->warden);
	while (opener->main.first) {
		struct report *next = opener->main.first->next;

		free(opener->main.first);
		opener->main.first = next;
	}
	free(opener);
}

/* --- reports ------------------------------------------------------------------------------- */

int opener_fd(const struct opener *opener)
{
	return opener->main.fd;
}

bool opener_has_events(const struct opener *opener)
{
	return opener->main.first || opener->main.is_stale;
}

static void queue(struct line *line, const struct protocol_message *message, int len)
{
	struct report *report = malloc(offsetof(struct report, message) + (size_t)len);

	if (!report) {
		line->is_stale = true;
		return;
	}
	report->next = NULL;
	memcpy(&report->message, message, (size_t)len);
	if (line->first)
		line->last->next = report;
	else
		line->first = report;
	line->last = report;
}

static void tell(const struct protocol_message *message,
		 void (*fn)(const struct opener_event *event, void *data), void *data)
{
	const struct opener_event event = {
	    .kind = (enum opener_event_kind)message->kind, /* the same values */
	    .shown = message->text,
	    .is_there = message->is_there != 0,
	    .dev = message->dev,
	    .inode = message->inode,
	};

	if (message->kind >= PROTOCOL_ALL && message->kind <= PROTOCOL_END)
		fn(&event, data);
}

static void tell_queued(struct line *line, void (*fn)(const struct opener_event *event, void *data),
			void *data)
{
	while (line->first) {
		CLEANUP(freep) struct report *report = line->first;

		line->first = report->next;
		tell(&report->message, fn, data);
	}
}

/* Returns 1 with a message, 0: there is none now, or -EPIPE. What is malformed is passed over. */
static int receive(struct line *line, struct protocol_message *message, int *ret_len, int *ret_fd)
{
	for (;;) {
		int len = protocol_receive(line->fd, message, sizeof(*message), ret_fd);

		if (len == -EAGAIN || len == -ENOMEM || len == -ENOBUFS)
			return 0; /* what the kernel has no memory for comes later */
		if (len < 0)
			return -EPIPE;
		*ret_len = len;
		if (protocol_is_message(message, len))
			return 1;
		closep(ret_fd);
	}
}

static int ask_for_report(struct line *line)
{
	const struct protocol_request request = {.op = PROTOCOL_REPORT, .seq = ++line->seq};
	int r = protocol_send(line->fd, &request, sizeof(request), -1, REPORT_TIMEOUT_MS);

	line->is_stale = r == -ETIMEDOUT; /* what is in its way is read now; then again */
	return line->is_stale ? 0 : r;
}

void opener_report_again(struct opener *opener)
{
	opener->main.is_stale = true;
}

int opener_take(struct opener *opener, void (*fn)(const struct opener_event *event, void *data),
		void *data)
{
	struct protocol_message message;
	int len, fd;
	int r = 0;

	if (opener->main.is_stale)
		r = ask_for_report(&opener->main);
	tell_queued(&opener->main, fn, data);
	while (r >= 0) {
		r = receive(&opener->main, &message, &len, &fd);
		if (r <= 0)
			return r;
		closep(&fd); /* of an answer that came too late */
		tell(&message, fn, data);
	}
	return r;
}

/* --- requests ------------------------------------------------------------------------------ */

static int fail(struct nfl_error *err, int r, const char *text)
{
	if (err)
		(void)snprintf(err->text, sizeof(err->text), "%.*s", (int)sizeof(err->text) - 1,
			       text);
	return r;
}

/* Until the socket is readable; false: not in time. */
static bool wait_until(const struct line *line, int64_t deadline_ns)
{
	struct pollfd readable = {.fd = line->fd, .events = POLLIN};
	int64_t left_ms = (deadline_ns - monotonic_ns()) / NS_PER_MS + 1;

	return left_ms > 0 && poll(&readable, 1, (int)left_ms) != 0;
}

/* What is left of earlier requests: an answer that came too late, or that the worker had died. */
static int drop_outdated(struct line *line)
{
	struct protocol_message message;
	int len, fd, r;

	while ((r = receive(line, &message, &len, &fd)) > 0) {
		closep(&fd);
		if (message.kind != PROTOCOL_ANSWER && message.kind != PROTOCOL_LOST)
			queue(line, &message, len);
	}
	return r;
}

/* Waits for the answer; what else comes is queued. */
static int await(struct line *line, uint32_t seq, int64_t deadline_ns, int *ret_fd,
		 struct nfl_error *err)
{
	struct protocol_message message;
	int len;

	for (;;) {
		int r = receive(line, &message, &len, ret_fd);

		if (r < 0)
			return fail(err, r, "the opener process has ended");
		if (r == 0 && !wait_until(line, deadline_ns))
			return fail(err, -ETIMEDOUT, "the opener process does not answer");
		if (r == 0)
			continue;
		if (message.kind == PROTOCOL_ANSWER && message.seq == seq)
			return fail(err, message.error, message.text);
		closep(ret_fd);
		if (message.kind == PROTOCOL_LOST)
			return fail(err, -EIO, "the opener process died and is started again");
		if (message.kind != PROTOCOL_ANSWER)
			queue(line, &message, len);
	}
}

static int ask(struct line *line, struct protocol_request *request, int fd, int *ret_fd,
	       struct nfl_error *err)
{
	int64_t deadline_ns = monotonic_ns() + ANSWER_TIMEOUT_MS * NS_PER_MS;
	int r;

	request->seq = ++line->seq;
	*ret_fd = -1;
	r = drop_outdated(line);
	if (r == 0)
		r = protocol_send(line->fd, request, sizeof(*request), fd, ANSWER_TIMEOUT_MS);
	if (r == -ETIMEDOUT)
		return fail(err, r, "the opener process does not answer");
	if (r < 0)
		return fail(err, -EPIPE, "the opener process has ended");
	return await(line, request->seq, deadline_ns, ret_fd, err);
}

/* About a socket of ours. It may be done twice: a worker that died of something else has done it or not. */
static int ask_about(struct opener *opener, struct protocol_request *request, int fd,
		     struct nfl_error *err)
{
	CLEANUP(closep) int none = -1;
	int r;

	if (fd < 0)
		return fail(err, -EBADF, "no socket");
	r = ask(&opener->quick, request, fd, &none, err);
	if (r == -EIO)
		r = ask(&opener->quick, request, fd, &none, err);
	return r;
}

static int set_name(struct protocol_request *request, const char *shown, struct nfl_error *err)
{
	size_t len = strlen(shown);

	if (len >= sizeof(request->shown))
		return fail(err, -ENAMETOOLONG, "the name of the namespace is too long");
	memcpy(request->shown, shown, len);
	return 0;
}

/* A descriptor has the lowest number that is free. From this one on they are kept for gRPC, which cannot
 * do without, and for its connections. */
static int first_kept_fd(void)
{
	struct rlimit limit;
	rlim_t kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	kept = limit.rlim_cur / 4;
	kept = kept < KEPT_FDS_MIN ? KEPT_FDS_MIN : kept > KEPT_FDS_MAX ? KEPT_FDS_MAX : kept;
	return limit.rlim_cur > kept ? (int)(limit.rlim_cur - kept) : 0;
}

/* An answer that is to bring a descriptor. */
static int ask_for_fd(struct opener *opener, struct protocol_request *request, const char *shown,
		      int *ret_fd, struct nfl_error *err)
{
	CLEANUP(closep) int fd = -1;
	int r = set_name(request, shown, err);

	if (r == 0)
		r = ask(&opener->main, request, -1, &fd, err);
	if (r < 0)
		return r;
	if (fd < 0)
		return fail(err, -EMFILE, "no descriptor for a socket of the opener");
	if (fd >= first_kept_fd())
		return fail(err, -EMFILE,
			    "all descriptors but those for connections are in use (RLIMIT_NOFILE)");
	*ret_fd = take_fd(&fd);
	return 0;
}

int opener_open(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		uint16_t group, int *ret_fd, struct nfl_error *err)
{
	struct protocol_request request = {
	    .op = PROTOCOL_OPEN, .dev = dev, .inode = inode, .group = group};

	return ask_for_fd(opener, &request, shown, ret_fd, err);
}

int opener_links(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		 int *ret_fd, struct nfl_error *err)
{
	struct protocol_request request = {.op = PROTOCOL_LINKS, .dev = dev, .inode = inode};

	return ask_for_fd(opener, &request, shown, ret_fd, err);
}

int opener_unbind(struct opener *opener, int fd, uint16_t group)
{
	struct protocol_request request = {.op = PROTOCOL_UNBIND, .group = group};

	return ask_about(opener, &request, fd, NULL);
}

int opener_configure(struct opener *opener, int fd, const char *shown, uint16_t group,
		     enum batching batching, struct nfl_error *err)
{
	struct protocol_request request = {
	    .op = PROTOCOL_CONFIGURE, .group = group, .batching = batching};
	int r = set_name(&request, shown, err);

	return r < 0 ? r : ask_about(opener, &request, fd, err);
}

int opener_reload(struct opener *opener, struct nfl_error *err)
{
	struct protocol_request request = {.op = PROTOCOL_RELOAD};
	CLEANUP(closep) int none = -1;

	return ask(&opener->main, &request, -1, &none, err);
}
