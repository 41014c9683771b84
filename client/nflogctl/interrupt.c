/* SPDX-License-Identifier: MIT */
/* A thread that waits for signals, so that nothing has to be safe for a signal handler. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include <nfl/client.h>

#include "clock.h"

#define QUIET_MS 100  /* nothing for so long: everything has come */
#define SAME_MS  200  /* timeout(1) sends its signal twice: that is one */
#define DRAIN_MS 2000 /* a server's clock may be far off: then this is the end */
#define WRITE_MS 2000 /* for main to write what it has */

static void watched_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

void interrupt_block(void)
{
	sigset_t set;

	watched_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* The next signal within timeout_ms, or -1. */
static int wait_signal(const sigset_t *set, long timeout_ms)
{
	const struct timespec timeout = {.tv_sec = timeout_ms / 1000,
					 .tv_nsec = timeout_ms % 1000 * NS_PER_MS};

	return sigtimedwait(set, NULL, &timeout);
}

static void die_of(int number, const sigset_t *set)
{
	(void)signal(number, SIG_DFL);
	(void)raise(number);
	(void)pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

/* Waits until the stream is quiet. Returns a second signal that came meanwhile, or -1. */
static int wait_quiet(struct interrupt *interrupt, const sigset_t *set)
{
	int64_t begin_ns = monotonic_ns();
	uint64_t seen = atomic_load(&interrupt->progress);

	for (;;) {
		int number = wait_signal(set, QUIET_MS);
		int64_t passed_ns = monotonic_ns() - begin_ns;
		uint64_t now = atomic_load(&interrupt->progress);

		if (number > 0 &&
		    (passed_ns > SAME_MS * NS_PER_MS || atomic_load(&interrupt->stopping)))
			return number;
		if (number < 0 && (now == seen || passed_ns > DRAIN_MS * NS_PER_MS))
			return -1;
		seen = now;
	}
}

static void *watch(void *data)
{
	struct interrupt *interrupt = data;
	int number, second;
	sigset_t set;

	watched_signals(&set);
	while (sigwait(&set, &number) != 0) {
	}
	if (atomic_load(&interrupt->stopping))
		return NULL;
	atomic_store(&interrupt->since_ns, realtime_ns());
	second = wait_quiet(interrupt, &set);
	if (second < 0) {
		atomic_store(&interrupt->over, true);
		if (interrupt->cancels)
			nfl_client_cancel(interrupt->stream);
		second = wait_signal(&set, WRITE_MS);
	}
	if (!atomic_load(&interrupt->stopping))
		die_of(second > 0 ? second : number, &set);
	return NULL;
}

int interrupt_start(struct interrupt *interrupt, struct nfl_client_stream *stream, bool cancels)
{
	*interrupt = (struct interrupt){.stream = stream, .cancels = cancels};
	return -pthread_create(&interrupt->thread, NULL, watch, interrupt);
}

void interrupt_stop(struct interrupt *interrupt)
{
	atomic_store(&interrupt->stopping, true);
	(void)pthread_kill(interrupt->thread, SIGTERM); /* it waits for one */
	(void)pthread_join(interrupt->thread, NULL);
}
