/* SPDX-License-Identifier: MIT */
/*
 * A file is a namespace when it lies on nsfs, which stat(2) tells without opening it. `ip netns add`
 * makes a plain file first and mounts the namespace over it: until then there is none.
 */
#include "spaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

static int append(struct presence_list *list, const struct presence_space *space)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		struct presence_space *items =
		    reallocarray(list->items, cap, sizeof(struct presence_space));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->cap = cap;
	}
	list->items[list->count++] = *space;
	return 0;
}

void presence_list_done(struct presence_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct presence_list){0};
}

/* @path: taken over; NULL: there was no memory for it */
static int add(struct presence_list *list, char *path, const char *shown, uint64_t dev,
	       uint64_t inode)
{
	struct presence_space space = {.path = path, .shown = shown, .dev = dev, .inode = inode};
	int r = path ? append(list, &space) : -ENOMEM;

	if (r < 0)
		free(path);
	return r;
}

/* Does this errno say that there is no such file? ESRCH is what /proc says of a process that ends
 * while it is looked at. */
static bool is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ESRCH || code == ELOOP ||
	       code == ENAMETOOLONG;
}

static bool is_denied(int code)
{
	return code == EACCES || code == EPERM;
}

int spaces_add_file(struct presence_list *list, uint64_t dev, const char *path, const char *shown,
		    bool follow)
{
	struct stat st = {0};
	bool denied = false;
	char *copy;

	if (fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
		denied = is_denied(errno);
		if (!denied)
			return is_absent(errno) ? 0 : -errno;
	} else if (st.st_dev != dev) {
		return 0;
	}
	copy = strdup(path);
	/* Who may not look at it may not open it either, and that is how the reason is found. */
	return add(list, copy, shown ? shown : copy, denied ? 0 : dev, denied ? 0 : st.st_ino);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder); /* it was only read */
}

bool presence_is_reserved(const char *name)
{
	return strcmp(name, PRESENCE_HOST) == 0 ||
	       strncmp(name, PRESENCE_PID, strlen(PRESENCE_PID)) == 0;
}

static int add_entry(struct presence_list *list, uint64_t dev, DIR *folder, const char *path,
		     const char *name, bool by_name)
{
	struct stat st;
	char *full;

	if (by_name && presence_is_reserved(name))
		return 0;
	if (fstatat(dirfd(folder), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_absent(errno) || is_denied(errno) ? 0 : -errno;
	if (st.st_dev != dev)
		return 0;
	if (asprintf(&full, "%s/%s", path, name) < 0)
		return -ENOMEM;
	return add(list, full, by_name ? full + strlen(path) + 1 : full, dev, st.st_ino);
}

int spaces_add_folder(struct presence_list *list, uint64_t dev, const char *path, bool by_name,
		      bool *ret_denied)
{
	CLEANUP(close_folder) DIR *folder = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!folder) {
		*ret_denied |= is_denied(errno);
		return is_absent(errno) || is_denied(errno) ? 0 : -errno;
	}
	errno = 0; /* the end and an error look alike */
	while (r == 0 && (entry = readdir(folder))) {
		if (entry->d_type != DT_DIR)
			r = add_entry(list, dev, folder, path, entry->d_name, by_name);
		errno = 0;
	}
	return r == 0 && errno ? -errno : r;
}

static int compare(const void *a, const void *b)
{
	const struct presence_space *left = a;
	const struct presence_space *right = b;

	return strcmp(left->shown, right->shown);
}

void spaces_sort(struct presence_list *list)
{
	size_t kept = 0;

	if (list->count > 1)
		qsort(list->items, list->count, sizeof(struct presence_space), compare);
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && compare(&list->items[kept - 1], &list->items[i]) == 0)
			free(list->items[i].path);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}
