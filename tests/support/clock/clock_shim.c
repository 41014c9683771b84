/* SPDX-License-Identifier: MIT */
/*
 * CLOCK_REALTIME of one program, by LD_PRELOAD: ahead of the machine's, which is left alone, by as many
 * nanoseconds as the number in the file NFL_CLOCK_OFFSET says (8 bytes, native order), which a test
 * changes while the program runs.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000

static const _Atomic int64_t *offset_ns; /* NULL: none */

__attribute__((constructor)) static void map_offset(void)
{
	const char *path = getenv("NFL_CLOCK_OFFSET");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	if (fd >= 0) {
		map = mmap(NULL, sizeof(*offset_ns), PROT_READ, MAP_SHARED, fd, 0);
		(void)close(fd);
	}
	offset_ns = map == MAP_FAILED ? NULL : map;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);
	int64_t time_ns;

	if (r < 0 || !offset_ns || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return r;
	time_ns = (int64_t)ret->tv_sec * NS_PER_S + ret->tv_nsec +
		  atomic_load_explicit(offset_ns, memory_order_relaxed);
	*ret = (struct timespec){.tv_sec = time_ns / NS_PER_S, .tv_nsec = time_ns % NS_PER_S};
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}
