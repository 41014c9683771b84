/* SPDX-License-Identifier: MIT */
/*
 * Watches follow directories that are made, deleted and made again. inotify knows inodes, not paths,
 * so each directory is asked for again before every scan: one that is watched already answers with
 * the same number, one that was replaced with another.
 */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* One mask for all: a directory may be the ancestor of another one, and each has one watch. */
#define EVENTS                                                                                     \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |     \
	 IN_ONLYDIR)

/* Looks for a directory that is being made just now; then the next event leads to another look. */
#define LOOKS_MAX 8

/* Cuts the last component off; false for "/". */
static bool cut_component(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !path[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

static int watch_nearest(int inotify_fd, const char *folder)
{
	char path[PATH_MAX];
	int wd;

	if (strlen(folder) >= sizeof(path))
		return WATCH_NONE;
	(void)strcpy(path, folder);
	do {
		wd = inotify_add_watch(inotify_fd, path, EVENTS);
	} while (wd < 0 && (errno == ENOENT || errno == ENOTDIR) && cut_component(path));
	return wd < 0 ? WATCH_NONE : wd;
}

static void drop(int inotify_fd, int wd, const struct watched *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].wd == wd)
			return;
	(void)inotify_rm_watch(inotify_fd, wd); /* gone already where the directory is */
}

static void watch(int inotify_fd, struct watched *item, const struct watched *items, size_t count)
{
	int wd = WATCH_NONE;

	/* What is made after the look and before its ancestor is watched is told by nobody: until two
	 * looks say the same. */
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		int before = item->wd;

		wd = watch_nearest(inotify_fd, item->path);
		if (wd == before)
			break;
		item->wd = wd;
		if (before != WATCH_NONE)
			drop(inotify_fd, before, items, count);
	}
}

bool watch_all(int inotify_fd, struct watched *items, size_t count)
{
	bool all = true;

	if (inotify_fd < 0)
		return count == 0;
	for (size_t i = 0; i < count; i++) {
		watch(inotify_fd, &items[i], items, count);
		all &= items[i].wd != WATCH_NONE;
	}
	return all;
}

bool watch_drain(int inotify_fd)
{
	_Alignas(struct inotify_event) char bytes[16384];
	bool any = false;

	while (inotify_fd >= 0 && read(inotify_fd, bytes, sizeof(bytes)) > 0)
		any = true;
	return any;
}
