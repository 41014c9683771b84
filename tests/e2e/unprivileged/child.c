/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int child_run(int (*fn)(void *data), void *data)
{
	int status = 0;
	pid_t pid;

	(void)fflush(NULL); /* or the child writes it once more */
	pid = fork();
	if (pid == 0)
		exit(fn(data)); /* not _exit: LeakSanitizer must work, too */
	while (pid < 0 || waitpid(pid, &status, 0) < 0) {
		if (pid < 0 || errno != EINTR)
			return 127;
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int child_drop(void)
{
	struct privileges_user nobody;
	struct privileges_error err = {""};

	if (privileges_find_user("nobody", &nobody, &err) == 1 &&
	    privileges_drop(&nobody, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.text);
	return 1;
}

int child_confine(void)
{
	struct privileges_error err = {""};

	if (child_drop() != 0)
		return 1;
	if (privileges_confine(&err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.text);
	return 1;
}
