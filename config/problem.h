/* SPDX-License-Identifier: MIT */
/*
 * problem.h - collects what is wrong with a file while reading goes on
 *
 * All of a file's errors are told at once, so a finding never ends the walk: readers return
 * nothing, add what they find, and config_load_text() asks at the end. Lack of memory is kept the
 * same way.
 */
#ifndef CONFIG_PROBLEM_H
#define CONFIG_PROBLEM_H

#include "config.h"

struct problems {
	const char *path;             /* borrowed; of the file, or what stands for it */
	struct config_errors *errors; /* borrowed */
	bool no_memory;
};

void config_problem_add(struct problems *problems, struct config_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Problems found so far, also those beyond CONFIG_ERRORS_MAX. */
size_t config_problem_count(const struct problems *problems);

/* Whether something was found at this very place. */
bool config_problem_is_at(const struct problems *problems, struct config_mark mark);

/* In the order of the file. */
void config_problem_sort(struct problems *problems);

#endif
