/* SPDX-License-Identifier: MIT */
/*
 * nflogd/deadline.h - the process ends in time, whatever the last step does
 *
 * Once in some hundred overloaded runs the end of the gRPC core takes 10 s (measured on 1.51.1).
 * By then every stream has its status: nothing is lost by leaving.
 */
#ifndef NFLOGD_DEADLINE_H
#define NFLOGD_DEADLINE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

struct deadline {
	pthread_t thread;
	sem_t met;
	int64_t at_ns; /* CLOCK_MONOTONIC; const after start */
};

/* From now on the process ends with _exit(0) and a log line at @at_ns, unless deadline_stop() comes
 * first. 0 or -errno. */
int deadline_start(struct deadline *deadline, int64_t at_ns);
void deadline_stop(struct deadline *deadline);

#endif
