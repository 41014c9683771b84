/* SPDX-License-Identifier: MIT */
/* A thread that waits for the end of the orderly stop, and ends the process where that is late. */
#include "deadline.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

static void *wait_until_met(void *data)
{
	struct deadline *deadline = data;
	struct timespec at = {
	    .tv_sec = (time_t)(deadline->at_ns / NS_PER_S),
	    .tv_nsec = (long)(deadline->at_ns % NS_PER_S),
	};
	int r;

	do
		r = sem_clockwait(&deadline->met, CLOCK_MONOTONIC, &at);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return NULL;
	log_warn("server.stop_late", "effect=\"leaving without it\"");
	_exit(0);
}

int deadline_start(struct deadline *deadline, int64_t at_ns)
{
	int r;

	deadline->at_ns = at_ns;
	if (sem_init(&deadline->met, 0, 0) < 0)
		return -errno;
	r = pthread_create(&deadline->thread, NULL, wait_until_met, deadline);
	if (r)
		(void)sem_destroy(&deadline->met);
	return -r;
}

void deadline_stop(struct deadline *deadline)
{
	(void)sem_post(&deadline->met);
	(void)pthread_join(deadline->thread, NULL);
	(void)sem_destroy(&deadline->met);
}
