/* SPDX-License-Identifier: MIT */
/*
 * Programs whose allocations fail, as their environment says; nothing fails without it. Of all threads.
 *
 *	NFL_FAIL_ALLOCATION=N    the Nth one; N+: all from the Nth on
 *	NFL_FAIL_RATE=FILE       one of as many as the number in FILE says (8 bytes, native order), which a
 *	                         test changes while the program runs; 0: none
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan.h"

static uint64_t nth; /* 0: none */
static bool and_all_behind;
static const _Atomic uint64_t *one_of; /* NULL: none */
static _Atomic uint64_t asked;

static const void *map_number(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;

	if (fd >= 0) {
		map = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
		(void)close(fd);
	}
	return map == MAP_FAILED ? NULL : map;
}

__attribute__((constructor)) static void read_environment(void)
{
	const char *text = getenv("NFL_FAIL_ALLOCATION");
	const char *file = getenv("NFL_FAIL_RATE");
	char *end;

	if (text) {
		nth = strtoull(text, &end, 10);
		and_all_behind = *end == '+';
	}
	if (file)
		one_of = map_number(file);
}

bool failing_now(void)
{
	uint64_t rate = one_of ? atomic_load_explicit(one_of, memory_order_relaxed) : 0;
	uint64_t number;

	if (nth == 0 && rate == 0)
		return false;
	number = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
	if (rate && number % rate == 0)
		return true;
	return nth && (and_all_behind ? number >= nth : number == nth);
}
