/* SPDX-License-Identifier: MIT */
/*
 * Becoming nobody: another user, no group, no capability in any set, and no way back.
 *
 * Order matters: the bounding set goes while CAP_SETPCAP is there, groups while CAP_SETGID is.
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sanitized.h"

#define DEFAULT_USER  "nflogd"
#define FALLBACK_USER "nobody"

static int fail(struct privileges_error *err, int code, const char *what)
{
	(void)snprintf(err->text, sizeof(err->text), "%s: %s", what, strerror(code));
	return -code;
}

static const struct passwd *find(const char *name)
{
	errno = 0;
	/* cppcheck-suppress getpwnamCalled ; main calls it, before there is another thread */
	return getpwnam(name);
}

int privileges_find_user(const char *name, struct privileges_user *ret,
			 struct privileges_error *err)
{
	const struct passwd *user = find(name ? name : DEFAULT_USER);

	if (!user && !name && geteuid() == 0)
		user = find(FALLBACK_USER);
	if (geteuid() != 0) {
		if (!name || (user && user->pw_uid == geteuid()))
			return 0;
		(void)snprintf(err->text, sizeof(err->text),
			       "only root can become another user, %s", name);
		return -EPERM;
	}
	if (!user) {
		(void)snprintf(err->text, sizeof(err->text), "there is no user \"%.32s\"",
			       name ? name : DEFAULT_USER);
		return errno ? -errno : -ENOENT;
	}
	if (user->pw_uid == 0) {
		(void)snprintf(err->text, sizeof(err->text),
			       "the user \"%.32s\" is root: name one without rights",
			       user->pw_name);
		return -EINVAL;
	}
	(void)snprintf(ret->name, sizeof(ret->name), "%.32s", user->pw_name);
	ret->uid = user->pw_uid;
	ret->gid = user->pw_gid;
	return 1;
}

/* Without CAP_SETPCAP it stays, which does no harm: with no_new_privs nothing can be got from it. */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int become(const struct privileges_user *user, struct privileges_error *err)
{
	if (setgroups(0, NULL) < 0)
		return fail(err, errno, "cannot leave the supplementary groups");
	if (setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return fail(err, errno, "cannot become another user");
	return 0;
}

static int drop_capabilities(struct privileges_error *err)
{
	cap_t none = cap_init();
	int code = 0;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* goes with the others */
	if (!none || cap_set_proc(none) < 0)
		code = errno;
	(void)cap_free(none);
	return code ? fail(err, code, "cannot give up capabilities") : 0;
}

int privileges_drop(const struct privileges_user *user, struct privileges_error *err)
{
	int r = 0;

	drop_bounding_set();
	if (user)
		r = become(user, err);
	if (r == 0)
		r = drop_capabilities(err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, errno, "no_new_privs");
	sanitized_let_it_look();
	return 0;
}
