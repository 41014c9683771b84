/* SPDX-License-Identifier: MIT */
/*
 * The warden: keeps the capabilities that the opener needs, forks the worker, and forks another when
 * that has died.
 *
 * ^C and a service manager signal whole groups of processes, but the opener must outlive the daemon's
 * last packets: it blocks what they send and ends when the daemon's end of the socket is closed.
 */
#include "warden.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "opener.h"
#include "protocol.h"
#include "worker.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   5000
#define HEALTHY_NS     (10 * NS_PER_S) /* one that lived so long is started again soon */
#define GRACE_MS       1000            /* for a worker to see that the daemon has ended */

/* setns and NFLOG need the first two; the others find namespaces that only root may look at. */
static const cap_value_t needed[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE,
				     CAP_DAC_READ_SEARCH};

static bool has(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(caps, cap, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

/* Of what is needed, what is there. */
static void keep_capabilities(void)
{
	cap_t have = cap_get_proc();
	cap_t kept = cap_init();

	for (size_t i = 0; have && kept && i < ARRAY_SIZE(needed); i++) {
		if (!has(have, needed[i]))
			continue;
		(void)cap_set_flag(kept, CAP_PERMITTED, 1, &needed[i], CAP_SET);
		(void)cap_set_flag(kept, CAP_EFFECTIVE, 1, &needed[i], CAP_SET);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* old kernels have none */
	if (!kept || cap_set_proc(kept) < 0)
		log_warn("opener.capabilities", "error=\"cannot give up those not needed\"");
	(void)cap_free(have);
	(void)cap_free(kept);
}

static void block_signals(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* who reads the log may go */
}

/* Nothing else that the daemon has is the opener's business. */
static void close_others(const int sockets[WARDEN_SOCKETS])
{
	int low = sockets[0] < sockets[1] ? sockets[0] : sockets[1];
	int high = sockets[0] < sockets[1] ? sockets[1] : sockets[0];

	if (low > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
	if (high > low + 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

static noreturn void be_worker(const struct opener_options *options,
			       const int sockets[WARDEN_SOCKETS], pid_t warden)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "nflogd-opener");
	if (getppid() != warden) /* it died before the line above */
		_exit(EXIT_FAILURE);
	_exit(worker_run(options, sockets) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Has the daemon ended, within the time? */
static bool is_over(int socket, int timeout_ms)
{
	struct pollfd closed = {.fd = socket}; /* POLLHUP is always told of */

	return poll(&closed, 1, timeout_ms) > 0;
}

/* Until the worker has ended. One that hangs, be it in a file system that does not answer, is ended
 * when the daemon is not there any more. */
static int await_worker(pid_t worker, int socket)
{
	CLEANUP(closep) int fd = (int)syscall(SYS_pidfd_open, worker, 0);
	struct pollfd ended[] = {{.fd = socket}, {.fd = fd, .events = POLLIN}};
	int status = 0;

	if (fd >= 0 && poll(ended, 2, -1) > 0 && !ended[1].revents &&
	    poll(ended + 1, 1, GRACE_MS) == 0)
		(void)kill(worker, SIGKILL);
	while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static bool send_lost(int socket)
{
	const struct protocol_message lost = {.kind = PROTOCOL_LOST};

	/* Where there is no room for it nobody has read since long, and nobody waits. */
	return protocol_send_message(socket, &lost, -1, 0) != -EPIPE;
}

/* Returns whether the daemon has ended, not the worker alone. */
static bool run_worker(const struct opener_options *options, const int sockets[WARDEN_SOCKETS])
{
	pid_t warden = getpid();
	pid_t worker = fork();
	int status = 0;

	if (worker == 0)
		be_worker(options, sockets, warden);
	if (worker > 0)
		status = await_worker(worker, sockets[0]);
	if (is_over(sockets[0], 0))
		return true;
	if (!send_lost(sockets[0]) || !send_lost(sockets[1]))
		return true;
	log_error("opener.died", "%s=%d effect=\"running listeners go on; started again\"",
		  WIFSIGNALED(status) ? "signal" : "status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

noreturn void warden_run(const struct opener_options *options, const int sockets[WARDEN_SOCKETS])
{
	int pause_ms = PAUSE_FIRST_MS;
	bool over = false;

	block_signals();
	(void)prctl(PR_SET_NAME, "nflogd-warden");
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	keep_capabilities();
	close_others(sockets);
	while (!over) {
		int64_t begun_ns = monotonic_ns();

		over = run_worker(options, sockets);
		if (monotonic_ns() - begun_ns > HEALTHY_NS)
			pause_ms = PAUSE_FIRST_MS;
		over = over || is_over(sockets[0], pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	if (options->ended)
		options->ended(options->data);
	_exit(EXIT_SUCCESS);
}
