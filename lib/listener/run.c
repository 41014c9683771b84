/* SPDX-License-Identifier: MIT */
/*
 * run.c - the listener's own loop, and how to end it
 *
 * Three things end it: the callback, the deadline and a cancel. A cancel is a flag that the loop
 * looks at after each record, and an eventfd that wakes it where no records come; the flag decides.
 *
 * The eventfd is made by the first run: who polls a thousand listeners needs none. A run makes it
 * before it looks at the flag, a cancel sets the flag before it looks for the eventfd, so one of the
 * two sees the other.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "handle.h"

struct run {
	struct nfl_listener *listener;
	nfl_record_fn fn;
	void *data;
	int value; /* the callback's */
};

static int run_record(const struct nfl_record *record, void *data)
{
	struct run *run = data;

	run->value = run->fn(record, run->data);
	return run->value || atomic_load_explicit(&run->listener->cancelled, memory_order_relaxed);
}

static void drain(int fd)
{
	uint64_t count;

	/* EAGAIN: the flag was faster than its wake-up, which will end one wait too many. */
	(void)!read(fd, &count, sizeof(count));
}

static int make_cancel_fd(struct nfl_listener *l)
{
	int fd;

	if (atomic_load(&l->cancel_fd) >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	atomic_store(&l->cancel_fd, fd);
	return 0;
}

static bool take_cancel(struct nfl_listener *l)
{
	if (!atomic_exchange(&l->cancelled, false))
		return false;
	drain(atomic_load(&l->cancel_fd));
	return true;
}

/* Until there is something to read, or the deadline (INT64_MAX: none). 0 or -errno. */
static int wait_until(struct nfl_listener *l, int64_t deadline_ns)
{
	struct pollfd fds[] = {
	    {.fd = l->fd, .events = POLLIN},
	    {.fd = atomic_load(&l->cancel_fd), .events = POLLIN},
	};
	int64_t left = deadline_ns - monotonic_ns();
	struct timespec timeout = {
	    .tv_sec = left > 0 ? left / NS_PER_S : 0,
	    .tv_nsec = left > 0 ? left % NS_PER_S : 0,
	};

	if (ppoll(fds, 2, deadline_ns == INT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents)
		drain(fds[1].fd);
	return 0;
}

int nfl_listener_run(struct nfl_listener *listener, nfl_record_fn fn, void *data, int timeout_ms)
{
	struct run run = {.listener = listener, .fn = fn, .data = data};
	int64_t deadline_ns = INT64_MAX;
	int r;

	if (!listener || !fn || timeout_ms < -1)
		return -EINVAL;
	r = make_cancel_fd(listener);
	if (r < 0)
		return r;
	if (timeout_ms >= 0)
		deadline_ns = monotonic_ns() + timeout_ms * NS_PER_MS;
	for (;;) {
		if (take_cancel(listener))
			return -ECANCELED;
		r = nfl_listener_receive(listener, NULL, 0, run_record, &run);
		if (run.value)
			return run.value;
		if (r < 0 && r != -EAGAIN)
			return r;
		if (monotonic_ns() >= deadline_ns)
			return 0;
		if (r == -EAGAIN) {
			r = wait_until(listener, deadline_ns);
			if (r < 0)
				return r;
		}
	}
}

void nfl_listener_cancel(struct nfl_listener *listener)
{
	const uint64_t one = 1;
	int saved = errno; /* may run in a signal handler */
	int fd;

	if (!listener)
		return;
	atomic_store(&listener->cancelled, true);
	fd = atomic_load(&listener->cancel_fd);
	/* Fails only when the counter is full, and then the wake-up is there already. */
	if (fd >= 0)
		(void)!write(fd, &one, sizeof(one));
	errno = saved;
}
