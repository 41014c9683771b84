/* SPDX-License-Identifier: MIT */
/*
 * Selectors become single files and whole directories to look at; directories are watched, also for
 * the files in them. A directory tells of a name before there is a namespace (`ip netns add` mounts
 * it a moment later) and nothing of `umount`, so the mounts are watched as well.
 */
#include "presence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "spaces.h"
#include "watch.h"

#define OWN_FILE    "/proc/thread-self/ns/net"
#define MOUNTS_FILE "/proc/self/mountinfo"

#define SCAN_PAUSE_NS   (10 * NS_PER_MS)
#define FAILED_PAUSE_NS NS_PER_S /* after a scan that had no memory or no descriptor */
#define LOOK_PAUSE_NS   (50 * NS_PER_MS)
/* For what no event tells, such as an ancestor that is renamed. */
#define UNTOLD_PAUSE_NS (5 * NS_PER_S)

#define INODE_DENIED UINT64_MAX

/* A single file. */
struct file {
	char *path;  /* owned */
	char *shown; /* owned; NULL: as its path */
	bool follow; /* symbolic links */
	bool may_be_link;
	bool polled;    /* nothing tells of its changes */
	uint64_t inode; /* at the last look of a polled one */
};

/* A directory whose every namespace is wanted. */
struct folder {
	char *path;   /* owned */
	bool by_name; /* shown without the directory */
};

struct presence {
	uint64_t nsfs_dev;
	struct file *files; /* owned */
	size_t file_count;
	struct folder *folders; /* owned */
	size_t folder_count;
	struct watched *watched; /* owned */
	size_t watched_count;
	int inotify_fd; /* -1: mounts have to do */
	int mounts_fd;
	bool is_dirty; /* a hint came since the last scan */
	bool any_polled;
	bool warned;
	int64_t scanned_ns;
	int64_t pause_ns; /* from then to the next scan at least */
	int64_t looked_ns;
};

/* --- what to look at --------------------------------------------------------------------- */

static char *parent_of(const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	return strndup(path, len ? len : 1);
}

/* @path: taken over */
static int watch_folder(struct presence *p, char *path)
{
	bool known = false;

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < p->watched_count && !known; i++)
		known = strcmp(p->watched[i].path, path) == 0;
	if (known)
		free(path);
	else
		p->watched[p->watched_count++] = (struct watched){.path = path, .wd = WATCH_NONE};
	return 0;
}

/* @path: taken over */
static int add_folder(struct presence *p, char *path, bool by_name)
{
	bool known = false;

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < p->folder_count && !known; i++)
		known = strcmp(p->folders[i].path, path) == 0 && p->folders[i].by_name == by_name;
	if (known) {
		free(path);
		return 0;
	}
	p->folders[p->folder_count++] = (struct folder){.path = path, .by_name = by_name};
	return watch_folder(p, strdup(path));
}

/* @path: taken over; @shown: NULL: as its path */
static int add_file(struct presence *p, char *path, const char *shown)
{
	struct file *file = &p->files[p->file_count];

	if (!path)
		return -ENOMEM;
	p->file_count++;
	file->path = path;
	file->shown = shown ? strdup(shown) : NULL;
	return shown && !file->shown ? -ENOMEM : 0;
}

static int add_name(struct presence *p, const char *names, const char *name)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", names, name) < 0)
		return -ENOMEM;
	r = add_file(p, path, name);
	return r < 0 ? r : watch_folder(p, strdup(names));
}

static int add_path(struct presence *p, const char *path)
{
	int r = add_file(p, strdup(path), NULL);
	struct file *file;

	if (r < 0)
		return r;
	file = &p->files[p->file_count - 1];
	file->follow = true;
	file->polled = strncmp(path, "/proc/", 6) == 0; /* has no events */
	file->may_be_link = !file->polled;
	return file->polled ? 0 : watch_folder(p, parent_of(path));
}

static int add_process(struct presence *p, const char *shown)
{
	char *path;
	int r;

	if (asprintf(&path, "/proc/%s/ns/net", shown + strlen(PRESENCE_PID)) < 0)
		return -ENOMEM;
	r = add_file(p, path, shown);
	if (r < 0)
		return r;
	p->files[p->file_count - 1].follow = true;
	p->files[p->file_count - 1].polled = true;
	return 0;
}

static int add_own(struct presence *p, const char *shown)
{
	int r = add_file(p, strdup(OWN_FILE), shown);

	if (r < 0)
		return r;
	p->files[p->file_count - 1].follow = true;
	return 0;
}

static int add_selector(struct presence *p, const struct presence_selector *selector,
			const char *names)
{
	switch (selector->kind) {
	case PRESENCE_OWN:
		return add_own(p, selector->text);
	case PRESENCE_NAME:
		return add_name(p, names, selector->text);
	case PRESENCE_NAME_GLOB:
		return add_folder(p, strdup(names), true);
	case PRESENCE_PATH:
		return add_path(p, selector->text);
	case PRESENCE_PATH_GLOB:
		return add_folder(p, parent_of(selector->text), false);
	case PRESENCE_PROCESS:
		return add_process(p, selector->text);
	}
	return -EINVAL;
}

/* --- making ------------------------------------------------------------------------------ */

void presence_free(struct presence *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->file_count; i++) {
		free(p->files[i].path);
		free(p->files[i].shown);
	}
	for (size_t i = 0; i < p->folder_count; i++)
		free(p->folders[i].path);
	for (size_t i = 0; i < p->watched_count; i++)
		free(p->watched[i].path);
	free(p->files);
	free(p->folders);
	free(p->watched);
	closep(&p->inotify_fd);
	closep(&p->mounts_fd);
	free(p);
}

static void presence_freep(struct presence **p)
{
	presence_free(*p);
}

static int open_files(struct presence *p)
{
	struct stat st;

	if (stat(OWN_FILE, &st) < 0)
		return -errno;
	p->nsfs_dev = st.st_dev;
	p->mounts_fd = open(MOUNTS_FILE, O_RDONLY | O_CLOEXEC);
	if (p->mounts_fd < 0)
		return -errno;
	p->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return 0; /* without inotify, the first scan warns */
}

int presence_new(const struct presence_selector *selectors, size_t count, const char *names,
		 struct presence **ret)
{
	CLEANUP(presence_freep) struct presence *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->inotify_fd = p->mounts_fd = -1;
	p->is_dirty = true;
	p->files = calloc(count + 1, sizeof(struct file));
	p->folders = calloc(count + 1, sizeof(struct folder));
	p->watched = calloc(count + 1, sizeof(struct watched));
	if (!p->files || !p->folders || !p->watched)
		return -ENOMEM;
	r = open_files(p);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_selector(p, &selectors[i], names);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

/* --- scanning ---------------------------------------------------------------------------- */

static void warn_once(struct presence *p, bool all_watched, bool denied)
{
	if (p->warned || (all_watched && !denied))
		return;
	p->warned = true;
	log_warn("presence.blind", "error=\"%s\" effect=\"%s\"",
		 denied ? "a directory of namespaces may not be read"
			: "no inotify watch for a directory of namespaces",
		 denied ? "globs find nothing there" : "changes are found by mounts only");
}

static uint64_t look(const struct presence *p, const struct file *file)
{
	struct stat st;

	if (stat(file->path, &st) < 0)
		return errno == EACCES || errno == EPERM ? INODE_DENIED : 0;
	return st.st_dev == p->nsfs_dev ? st.st_ino : 0;
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int scan_file(struct presence *p, struct file *file, struct presence_list *list)
{
	if (file->may_be_link)
		file->polled = is_link(file->path);
	if (file->polled) {
		p->any_polled = true;
		file->inode = look(p, file);
	}
	return spaces_add_file(list, p->nsfs_dev, file->path, file->shown, file->follow);
}

static int scan(struct presence *p, struct presence_list *list, bool *ret_denied)
{
	int r = 0;

	p->any_polled = false;
	for (size_t i = 0; r == 0 && i < p->file_count; i++)
		r = scan_file(p, &p->files[i], list);
	for (size_t i = 0; r == 0 && i < p->folder_count; i++)
		r = spaces_add_folder(list, p->nsfs_dev, p->folders[i].path, p->folders[i].by_name,
				      ret_denied);
	spaces_sort(list);
	return r;
}

int presence_scan(struct presence *p, int64_t now_ns, struct presence_list *ret)
{
	CLEANUP(presence_list_done) struct presence_list list = {0};
	bool denied = false;
	bool all_watched;
	int r;

	p->scanned_ns = p->looked_ns = now_ns;
	(void)watch_drain(p->inotify_fd); /* what comes from here on leads to another scan */
	all_watched = watch_all(p->inotify_fd, p->watched, p->watched_count);
	r = scan(p, &list, &denied);
	warn_once(p, all_watched, denied);
	p->is_dirty = r < 0;
	p->pause_ns = r < 0 ? FAILED_PAUSE_NS : SCAN_PAUSE_NS;
	if (r < 0)
		return r;
	*ret = list;
	list = (struct presence_list){0};
	return 0;
}

/* --- when to scan ------------------------------------------------------------------------ */

size_t presence_fds(const struct presence *p, struct pollfd *ret)
{
	size_t count = 0;

	if (p->is_dirty)
		return 0;
	ret[count++] = (struct pollfd){.fd = p->mounts_fd, .events = POLLPRI};
	if (p->inotify_fd >= 0)
		ret[count++] = (struct pollfd){.fd = p->inotify_fd, .events = POLLIN};
	return count;
}

static void look_at_polled(struct presence *p, int64_t now_ns)
{
	if (!p->any_polled || now_ns < p->looked_ns + LOOK_PAUSE_NS)
		return;
	p->looked_ns = now_ns;
	for (size_t i = 0; i < p->file_count && !p->is_dirty; i++)
		p->is_dirty = p->files[i].polled && look(p, &p->files[i]) != p->files[i].inode;
}

void presence_take(struct presence *p, const struct pollfd *fds, size_t count, int64_t now_ns)
{
	for (size_t i = 0; i < count; i++)
		p->is_dirty |= fds[i].revents != 0;
	look_at_polled(p, now_ns);
}

int64_t presence_due(const struct presence *p)
{
	int64_t due_ns = p->scanned_ns + (p->is_dirty ? p->pause_ns : UNTOLD_PAUSE_NS);
	int64_t look_ns = p->looked_ns + LOOK_PAUSE_NS;

	return p->any_polled && look_ns < due_ns ? look_ns : due_ns;
}

bool presence_is_due(const struct presence *p, int64_t now_ns)
{
	return now_ns >= p->scanned_ns + (p->is_dirty ? p->pause_ns : UNTOLD_PAUSE_NS);
}
