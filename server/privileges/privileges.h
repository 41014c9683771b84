/* SPDX-License-Identifier: MIT */
/*
 * privileges/privileges.h - give up what the network-facing process does not need
 *
 * Threads: main, before there is any other: what is given up is the calling thread's and is inherited.
 */
#ifndef PRIVILEGES_PRIVILEGES_H
#define PRIVILEGES_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

struct privileges_error {
	char text[256];
};

/* The user that the daemon becomes. */
struct privileges_user {
	char name[33];
	uid_t uid;
	gid_t gid;
};

/**
 * privileges_find_user - whom to become
 * @name: NULL: "nflogd", or "nobody" where there is no such user
 * Returns 1, 0: no need, the process is no root (then @name must be NULL or its own user), or -errno with @err.
 */
int privileges_find_user(const char *name, struct privileges_user *ret,
			 struct privileges_error *err);

/* Becomes the user (NULL: stays who it is), with no supplementary group and no capability in any set, and
 * can never get one again (no_new_privs). 0 or -errno with @err. */
int privileges_drop(const struct privileges_user *user, struct privileges_error *err);

/* Only the system calls that the daemon needs work from here on (seccomp): others give EPERM, those of
 * an attacker (execve, setns, ptrace...) end the process. */
int privileges_confine(struct privileges_error *err);

#endif
