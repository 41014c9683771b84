/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - SIGINT and SIGTERM end a stream with what was logged before them
 *
 * What the server has sent may still be on its way when the signal comes. So the first signal only
 * notes the time; the stream goes on until it has caught up with that time or nothing comes any
 * more, and is cancelled then. A second signal, or output that does not get away, ends the process
 * as the signal would have.
 *
 * Threads: everything from main; the watcher is a thread of its own.
 */
#ifndef NFLOGCTL_INTERRUPT_H
#define NFLOGCTL_INTERRUPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct nfl_client_stream;

struct interrupt {
	pthread_t thread;
	struct nfl_client_stream *stream; /* borrowed; const while the thread runs */
	bool cancels;                     /* the stream; const while the thread runs */
	_Atomic bool stopping;            /* interrupt_stop() was called */
	_Atomic bool over;                /* nothing more is to be waited for */
	_Atomic int64_t since_ns;         /* CLOCK_REALTIME of the signal; 0: none yet */
	_Atomic uint64_t progress;        /* events seen by main */
};

/* Before the first thread is made: the signals are for the watcher alone. */
void interrupt_block(void);

/**
 * interrupt_start - begin to watch
 * @cancels: false: main ends the stream itself where it likes, soon after interrupt_over()
 * Returns 0 or -errno.
 */
int interrupt_start(struct interrupt *interrupt, struct nfl_client_stream *stream, bool cancels);
void interrupt_stop(struct interrupt *interrupt);

/* An event of this time is about to be shown (0: of no time): is it too late for that? */
static inline bool interrupt_passed(struct interrupt *interrupt, int64_t time_ns)
{
	int64_t since_ns = atomic_load_explicit(&interrupt->since_ns, memory_order_relaxed);
	uint64_t seen = atomic_load_explicit(&interrupt->progress, memory_order_relaxed);

	/* One writer: no need for an atomic addition for each packet. */
	atomic_store_explicit(&interrupt->progress, seen + 1, memory_order_relaxed);
	return since_ns != 0 && time_ns > since_ns;
}

static inline bool interrupt_seen(struct interrupt *interrupt)
{
	return atomic_load_explicit(&interrupt->since_ns, memory_order_relaxed) != 0;
}

/* The stream has caught up with the signal as far as it ever will. */
static inline bool interrupt_over(struct interrupt *interrupt)
{
	return atomic_load_explicit(&interrupt->over, memory_order_relaxed);
}

#endif
