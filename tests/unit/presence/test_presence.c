/* SPDX-License-Identifier: MIT */
/*
 * presence: what counts as a namespace, and what leads to another look
 *
 * Files that are not empty play namespaces: stat(2) is made to say that they lie on nsfs. So no
 * test needs a mount; that mounts are noticed is shown end to end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "clock.h"
#include "presence.h"

#define PATIENCE_MS 10000

/* --- the kernel, as these tests want it -------------------------------------------------- */

int __real_stat(const char *path, struct stat *st);
int __real_fstatat(int fd, const char *path, struct stat *st, int flags);
DIR *__real_opendir(const char *path);
int __real_inotify_init1(int flags);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags);
DIR *__wrap_opendir(const char *path);
int __wrap_inotify_init1(int flags);

static int opendir_errno, stat_errno;
static bool has_inotify;

static int as_nsfs(int r, struct stat *st)
{
	struct stat own;

	if (r == 0 && S_ISREG(st->st_mode) && st->st_size > 0 &&
	    __real_stat("/proc/thread-self/ns/net", &own) == 0)
		st->st_dev = own.st_dev;
	return r;
}

int __wrap_stat(const char *path, struct stat *st)
{
	return as_nsfs(__real_stat(path, st), st);
}

int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags)
{
	if (stat_errno) {
		errno = stat_errno;
		return -1;
	}
	return as_nsfs(__real_fstatat(fd, path, st, flags), st);
}

DIR *__wrap_opendir(const char *path)
{
	if (opendir_errno) {
		errno = opendir_errno;
		return NULL;
	}
	return __real_opendir(path);
}

int __wrap_inotify_init1(int flags)
{
	if (has_inotify)
		return __real_inotify_init1(flags);
	errno = EMFILE;
	return -1;
}

/* --- a directory of one's own ------------------------------------------------------------ */

struct fixture {
	char folder[64];
	struct presence *presence;
	struct presence_list list;
	int64_t now_ns;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/nfl-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->now_ns = monotonic_ns();
	opendir_errno = stat_errno = 0;
	has_inotify = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	presence_list_done(&f->list);
	presence_free(f->presence);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static const char *path_of(const struct fixture *f, const char *name)
{
	static char path[4][160];
	static unsigned turn;
	char *text = path[turn++ % ARRAY_SIZE(path)];

	(void)snprintf(text, sizeof(path[0]), "%s/%s", f->folder, name);
	return text;
}

static void make_file(const struct fixture *f, const char *name, const char *content)
{
	FILE *file = fopen(path_of(f, name), "w");

	assert_non_null(file);
	(void)fputs(content, file);
	fclose(file);
}

static void make_space(const struct fixture *f, const char *name)
{
	make_file(f, name, "a namespace");
}

static void look_for(struct fixture *f, enum presence_kind kind, const char *text)
{
	const struct presence_selector selector = {kind, text};

	assert_int_equal(presence_new(&selector, 1, f->folder, &f->presence), 0);
}

/* What a scan shows, as "a b c". */
static const char *scan(struct fixture *f)
{
	static char text[512];
	size_t len = 0;

	presence_list_done(&f->list);
	f->now_ns += NS_PER_S;
	assert_int_equal(presence_scan(f->presence, f->now_ns, &f->list), 0);
	text[0] = '\0';
	for (size_t i = 0; i < f->list.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					f->list.items[i].shown);
	return text;
}

/* Waits until something leads to a scan; false when nothing does at once. */
static bool is_told(struct fixture *f, int patience_ms)
{
	struct pollfd fds[PRESENCE_FDS];
	size_t count = presence_fds(f->presence, fds);
	int ready = poll(fds, count, patience_ms);

	presence_take(f->presence, fds, count, f->now_ns);
	return ready > 0;
}

/* --- cases: what there is ---------------------------------------------------------------- */

static void directory_has_namespaces_and_nothing_else_in_the_order_of_names(void **state)
{
	struct fixture *f = *state;

	make_space(f, "red");
	make_space(f, "blue");
	make_file(f, "plain", "");
	assert_int_equal(symlink(path_of(f, "red"), path_of(f, "link")), 0);
	assert_int_equal(mkdir(path_of(f, "folder"), 0755), 0);
	look_for(f, PRESENCE_NAME_GLOB, "*");
	assert_string_equal(scan(f), "blue red");
	assert_string_equal(f->list.items[1].path, path_of(f, "red"));
	assert_true(f->list.items[0].inode != f->list.items[1].inode);
}

static void names_that_are_shown_for_something_else_are_passed_over(void **state)
{
	struct fixture *f = *state;

	make_space(f, "host");
	make_space(f, "pid:7");
	make_space(f, "hosts");
	look_for(f, PRESENCE_NAME_GLOB, "*");
	assert_string_equal(scan(f), "hosts");
}

static void namespaces_of_another_directory_are_shown_by_path(void **state)
{
	struct fixture *f = *state;
	char glob[160];

	make_space(f, "host");
	(void)snprintf(glob, sizeof(glob), "%s/x*", f->folder);
	look_for(f, PRESENCE_PATH_GLOB, glob);
	assert_string_equal(scan(f), path_of(f, "host"));
}

static void name_is_entered_only_where_it_is_a_namespace_itself(void **state)
{
	struct fixture *f = *state;

	make_space(f, "red");
	assert_int_equal(symlink(path_of(f, "red"), path_of(f, "link")), 0);
	look_for(f, PRESENCE_NAME, "link");
	assert_string_equal(scan(f), "");
	presence_free(f->presence);
	look_for(f, PRESENCE_NAME, "red");
	assert_string_equal(scan(f), "red");
}

static void path_may_be_a_symbolic_link_which_is_looked_at_all_the_time(void **state)
{
	struct fixture *f = *state;

	make_space(f, "red");
	make_space(f, "blue");
	assert_int_equal(symlink(path_of(f, "red"), path_of(f, "link")), 0);
	look_for(f, PRESENCE_PATH, path_of(f, "link"));
	assert_string_equal(scan(f), path_of(f, "link"));
	assert_true(presence_due(f->presence) <= f->now_ns + 50 * NS_PER_MS);
	assert_int_equal(unlink(path_of(f, "red")), 0);
	f->now_ns += 50 * NS_PER_MS;
	presence_take(f->presence, NULL, 0, f->now_ns);
	assert_true(presence_is_due(f->presence, f->now_ns));
	assert_string_equal(scan(f), "");
}

static void file_replaced_by_another_has_another_identity(void **state)
{
	struct fixture *f = *state;
	uint64_t inode;

	make_space(f, "red");
	make_space(f, "other");
	look_for(f, PRESENCE_NAME, "red");
	assert_string_equal(scan(f), "red");
	inode = f->list.items[0].inode;
	assert_int_equal(rename(path_of(f, "other"), path_of(f, "red")), 0);
	assert_string_equal(scan(f), "red");
	assert_true(f->list.items[0].inode != inode);
}

static void own_namespace_is_host(void **state)
{
	struct fixture *f = *state;
	struct stat own;

	assert_int_equal(__real_stat("/proc/thread-self/ns/net", &own), 0);
	look_for(f, PRESENCE_OWN, PRESENCE_HOST);
	assert_string_equal(scan(f), "host");
	assert_int_equal(f->list.items[0].inode, own.st_ino);
	assert_int_equal(f->list.items[0].dev, own.st_dev);
}

static void same_place_wanted_twice_is_there_once(void **state)
{
	struct fixture *f = *state;
	const struct presence_selector selectors[] = {
	    {PRESENCE_NAME, "red"}, {PRESENCE_NAME_GLOB, "r*"}, {PRESENCE_NAME_GLOB, "*"}};

	make_space(f, "red");
	assert_int_equal(presence_new(selectors, ARRAY_SIZE(selectors), f->folder, &f->presence),
			 0);
	assert_string_equal(scan(f), "red");
}

static void file_that_may_not_be_looked_at_is_there_without_an_identity(void **state)
{
	struct fixture *f = *state;

	look_for(f, PRESENCE_NAME, "red");
	stat_errno = EACCES;
	assert_string_equal(scan(f), "red");
	assert_int_equal(f->list.items[0].inode, 0);
}

static void scan_that_cannot_read_says_so_and_is_no_empty_one(void **state)
{
	struct fixture *f = *state;

	make_space(f, "red");
	look_for(f, PRESENCE_NAME_GLOB, "*");
	opendir_errno = EMFILE;
	assert_int_equal(presence_scan(f->presence, f->now_ns, &f->list), -EMFILE);
	assert_false(presence_is_due(f->presence, f->now_ns + 999 * NS_PER_MS));
	assert_true(presence_is_due(f->presence, f->now_ns + NS_PER_S));
	opendir_errno = EACCES; /* to be seen by nobody: an empty one */
	assert_string_equal(scan(f), "");
	opendir_errno = 0;
	stat_errno = ENOMEM;
	assert_int_equal(presence_scan(f->presence, f->now_ns, &f->list), -ENOMEM);
}

/* --- cases: when to look ----------------------------------------------------------------- */

static void change_is_told_and_leads_to_one_scan_in_ten_milliseconds(void **state)
{
	struct fixture *f = *state;

	look_for(f, PRESENCE_NAME_GLOB, "*");
	assert_true(presence_is_due(f->presence, f->now_ns));
	assert_string_equal(scan(f), "");
	assert_false(is_told(f, 0));
	assert_false(presence_is_due(f->presence, f->now_ns + NS_PER_S));
	make_space(f, "red");
	assert_true(is_told(f, PATIENCE_MS));
	assert_false(presence_is_due(f->presence, f->now_ns + 10 * NS_PER_MS - 1));
	assert_true(presence_is_due(f->presence, f->now_ns + 10 * NS_PER_MS));
	assert_int_equal(presence_due(f->presence), f->now_ns + 10 * NS_PER_MS);
	assert_string_equal(scan(f), "red");
	assert_false(is_told(f, 0));
	assert_int_equal(unlink(path_of(f, "red")), 0);
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), "");
}

static void single_names_and_paths_are_told_of_as_well(void **state)
{
	struct fixture *f = *state;

	look_for(f, PRESENCE_NAME, "red");
	assert_string_equal(scan(f), "");
	make_space(f, "red");
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), "red");
	presence_free(f->presence);
	look_for(f, PRESENCE_PATH, path_of(f, "blue"));
	assert_string_equal(scan(f), "");
	make_space(f, "blue");
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), path_of(f, "blue"));
}

static void directory_may_come_later_with_its_parents(void **state)
{
	struct fixture *f = *state;
	char glob[160];

	(void)snprintf(glob, sizeof(glob), "%s/a/b/*", f->folder);
	look_for(f, PRESENCE_PATH_GLOB, glob);
	assert_string_equal(scan(f), "");
	assert_int_equal(mkdir(path_of(f, "a"), 0755), 0);
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), "");
	assert_int_equal(mkdir(path_of(f, "a/b"), 0755), 0);
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), "");
	make_space(f, "a/b/red");
	assert_true(is_told(f, PATIENCE_MS));
	assert_string_equal(scan(f), path_of(f, "a/b/red"));
}

static void directory_deleted_and_made_again_is_watched_again(void **state)
{
	struct fixture *f = *state;
	char glob[160];

	(void)snprintf(glob, sizeof(glob), "%s/a/*", f->folder);
	assert_int_equal(mkdir(path_of(f, "a"), 0755), 0);
	look_for(f, PRESENCE_PATH_GLOB, glob);
	assert_string_equal(scan(f), "");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rmdir(path_of(f, "a")), 0);
		assert_true(is_told(f, PATIENCE_MS));
		assert_string_equal(scan(f), "");
		(void)is_told(f, 0); /* the watch itself ended: as good as a change */
		assert_string_equal(scan(f), "");
		assert_int_equal(mkdir(path_of(f, "a"), 0755), 0);
		assert_true(is_told(f, PATIENCE_MS));
		assert_string_equal(scan(f), "");
		make_space(f, "a/red");
		assert_true(is_told(f, PATIENCE_MS));
		assert_string_equal(scan(f), path_of(f, "a/red"));
		assert_int_equal(unlink(path_of(f, "a/red")), 0);
	}
}

static void process_is_looked_at_all_the_time_and_found_dead(void **state)
{
	struct fixture *f = *state;
	char shown[32];
	pid_t child = fork();

	if (child == 0)
		for (;;)
			(void)pause();
	(void)snprintf(shown, sizeof(shown), PRESENCE_PID "%d", (int)child);
	look_for(f, PRESENCE_PROCESS, shown);
	assert_string_equal(scan(f), shown);
	assert_int_equal(presence_due(f->presence), f->now_ns + 50 * NS_PER_MS);
	f->now_ns += 50 * NS_PER_MS;
	presence_take(f->presence, NULL, 0, f->now_ns);
	assert_false(presence_is_due(f->presence, f->now_ns));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	f->now_ns += 50 * NS_PER_MS;
	presence_take(f->presence, NULL, 0, f->now_ns);
	assert_true(presence_is_due(f->presence, f->now_ns));
	assert_string_equal(scan(f), "");
}

static void without_inotify_it_looks_by_itself(void **state)
{
	struct fixture *f = *state;
	struct pollfd fds[PRESENCE_FDS];

	has_inotify = false;
	look_for(f, PRESENCE_NAME_GLOB, "*");
	assert_string_equal(scan(f), "");
	assert_int_equal(presence_fds(f->presence, fds), 1);
	make_space(f, "red");
	assert_false(presence_is_due(f->presence, f->now_ns + 5 * NS_PER_S - 1));
	assert_true(presence_is_due(f->presence, f->now_ns + 5 * NS_PER_S));
	assert_string_equal(scan(f), "red");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(directory_has_namespaces_and_nothing_else_in_the_order_of_names),
	    CASE(names_that_are_shown_for_something_else_are_passed_over),
	    CASE(namespaces_of_another_directory_are_shown_by_path),
	    CASE(name_is_entered_only_where_it_is_a_namespace_itself),
	    CASE(path_may_be_a_symbolic_link_which_is_looked_at_all_the_time),
	    CASE(file_replaced_by_another_has_another_identity),
	    CASE(own_namespace_is_host),
	    CASE(same_place_wanted_twice_is_there_once),
	    CASE(file_that_may_not_be_looked_at_is_there_without_an_identity),
	    CASE(scan_that_cannot_read_says_so_and_is_no_empty_one),
	    CASE(change_is_told_and_leads_to_one_scan_in_ten_milliseconds),
	    CASE(single_names_and_paths_are_told_of_as_well),
	    CASE(directory_may_come_later_with_its_parents),
	    CASE(directory_deleted_and_made_again_is_watched_again),
	    CASE(process_is_looked_at_all_the_time_and_found_dead),
	    CASE(without_inotify_it_looks_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
