/* SPDX-License-Identifier: MIT */
/* Resume files: round trips, damage at every byte, what must not be replaced, and kill -9. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing.h"
#include "resume_file.h"

#define PATH_CAP 64

static char folder[PATH_CAP], path[PATH_CAP + 8], other[PATH_CAP + 8];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/nfl-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/resume", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[PATH_CAP + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static const struct out_place nowhere;

static int read_token(struct resume_file *file)
{
	*file = (struct resume_file){.path = path};
	return resume_file_read(file);
}

static void assert_token(const void *token, size_t len)
{
	struct resume_file file;

	assert_int_equal(read_token(&file), 0);
	assert_int_equal(file.len, len);
	if (len > 0)
		assert_memory_equal(file.token, token, len);
	resume_file_done(&file);
}

static int write_token(const void *token, size_t len)
{
	struct resume_file file = {.path = path};
	int r = resume_file_write(&file, token, len, &nowhere);

	resume_file_done(&file);
	return r;
}

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
}

static size_t read_file(char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, cap);
	assert_true(n >= 0);
	assert_int_equal(close(fd), 0);
	return (size_t)n;
}

static void file_that_is_missing_is_no_token(void **state)
{
	(void)state;
	assert_token(NULL, 0);
}

static void token_that_was_written_is_read_back(void **state)
{
	unsigned char token[256];

	(void)state;
	for (size_t i = 0; i < sizeof(token); i++)
		token[i] = (unsigned char)i;
	for (size_t len = 1; len <= sizeof(token); len *= 2) {
		assert_int_equal(write_token(token, len), 0);
		assert_token(token, len);
	}
}

static void longest_token_is_taken_and_a_longer_one_is_not(void **state)
{
	unsigned char *token = calloc(1, RESUME_TOKEN_MAX + 1);

	(void)state;
	assert_non_null(token);
	assert_int_equal(write_token(token, RESUME_TOKEN_MAX), 0);
	assert_token(token, RESUME_TOKEN_MAX);
	assert_int_equal(write_token(token, RESUME_TOKEN_MAX + 1), -EMSGSIZE);
	assert_token(token, RESUME_TOKEN_MAX);
	free(token);
}

static void file_is_its_owners_alone_and_leaves_no_other_file(void **state)
{
	struct stat st;

	(void)state;
	(void)umask(0);
	write_file("x", 1);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(write_token("abc", 3), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0); /* it is empty */
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void same_token_is_not_written_again(void **state)
{
	struct resume_file file = {.path = path};

	(void)state;
	assert_int_equal(resume_file_write(&file, "abc", 3, &nowhere), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(resume_file_write(&file, "abc", 3, &nowhere), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(resume_file_write(&file, "abd", 3, &nowhere), 0);
	assert_token("abd", 3);
	resume_file_done(&file);
}

static void place_in_the_output_is_read_back(void **state)
{
	const struct out_place place = {.device = 64769, .inode = UINT64_MAX, .bytes = 123456789};
	struct resume_file file = {.path = path};

	(void)state;
	assert_int_equal(resume_file_write(&file, "abc", 3, &place), 0);
	resume_file_done(&file);
	assert_int_equal(read_token(&file), 0);
	assert_memory_equal(file.token, "abc", 3);
	assert_memory_equal(&file.place, &place, sizeof(place));
	resume_file_done(&file);
}

static void same_token_is_written_again_for_another_output(void **state)
{
	const struct out_place one = {.device = 1, .inode = 2, .bytes = 3}, two = {1, 20, 0};
	struct resume_file file = {.path = path};

	(void)state;
	assert_int_equal(resume_file_write(&file, "abc", 3, &one), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(resume_file_write(&file, "abc", 3, &two), 0);
	resume_file_done(&file);
	assert_int_equal(read_token(&file), 0);
	assert_memory_equal(&file.place, &two, sizeof(two));
	resume_file_done(&file);
}

/* A digit that changed would cut the output at a wrong place. */
static void byte_changed_in_a_place_is_damage(void **state)
{
	const struct out_place place = {.device = 64769, .inode = 131072, .bytes = 4096};
	struct resume_file file = {.path = path};
	char text[256];
	size_t size;

	(void)state;
	assert_int_equal(resume_file_write(&file, "abc", 3, &place), 0);
	resume_file_done(&file);
	size = read_file(text, sizeof(text));
	for (size_t i = 0; i < size; i++) {
		char good = text[i];

		text[i] = good == '5' ? '6' : '5';
		write_file(text, size);
		assert_int_equal(read_token(&file), -EBADMSG);
		text[i] = good;
	}
}

static void file_cut_anywhere_is_damaged(void **state)
{
	struct resume_file file;
	char text[256];
	size_t size;

	(void)state;
	assert_int_equal(write_token("some token", 10), 0);
	size = read_file(text, sizeof(text));
	for (size_t len = 0; len < size; len++) {
		write_file(text, len);
		assert_int_equal(read_token(&file), -EBADMSG);
		assert_null(file.token);
	}
}

static void byte_changed_or_added_anywhere_is_damage(void **state)
{
	struct resume_file file;
	char text[256];
	size_t size;

	(void)state;
	assert_int_equal(write_token("some token", 10), 0);
	size = read_file(text, sizeof(text));
	for (size_t i = 0; i < size; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ 1 << bit);
			write_file(text, size);
			assert_int_equal(read_token(&file), -EBADMSG);
			text[i] = (char)(text[i] ^ 1 << bit);
		}
	}
	text[size] = '\n';
	write_file(text, size + 1);
	assert_int_equal(read_token(&file), -EBADMSG);
	write_file(text, size);
	assert_token("some token", 10);
}

static void what_is_no_file_of_ours_is_refused_and_stays(void **state)
{
	struct resume_file file;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_token(&file), -ENOTSUP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(read_token(&file), -ENOTSUP);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(read_token(&file), -ELOOP);
	assert_int_equal(unlink(path), 0);
	write_file("", 0);
	assert_int_equal(truncate(path, 100 << 20), 0);
	assert_int_equal(read_token(&file), -EFBIG);
	(void)snprintf(path, sizeof(path), "/dev/null");
	assert_int_equal(read_token(&file), -ENOTSUP);
}

static void write_that_fails_leaves_the_old_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(write_token("abc", 3), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0); /* nothing was left */
	assert_int_equal(write_token("abc", 3), -ENOENT);
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* Writes tokens of ever the same byte, each longer than a page, until it is killed. */
static void write_for_ever(int ready)
{
	struct resume_file file = {.path = path};
	unsigned char token[10000];

	for (unsigned char value = 1;; value++) {
		memset(token, value, sizeof(token));
		if (resume_file_write(&file, token, sizeof(token) - value, &nowhere) < 0)
			_exit(1);
		if (write(ready, "", 1) < 0)
			_exit(1);
	}
}

static void assert_whole_token(void)
{
	struct resume_file file;
	const unsigned char *token;

	assert_int_equal(read_token(&file), 0);
	assert_true(file.len > 0);
	token = file.token;
	for (size_t i = 0; i < file.len; i++)
		assert_int_equal(token[i], token[0]);
	resume_file_done(&file);
}

static void writer_that_is_killed_leaves_a_whole_token(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		int ready[2], status;
		pid_t child;
		char byte;

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_for_ever(ready[1]);
		/* At another place each time: the next write is under way. */
		for (int n = 0; n <= i % 3; n++)
			assert_int_equal(read(ready[0], &byte, 1), 1);
		(void)usleep((useconds_t)(i * 7 % 50));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_whole_token();
		(void)close(ready[0]);
		(void)close(ready[1]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

/* Begins with one token and goes on with another. */
static int replace_token(const void *data)
{
	struct resume_file file = {.path = path};
	int r;

	(void)data;
	assert_int_equal(write_token("before", 6), 0);
	failing_on();
	r = resume_file_read(&file);
	if (r == 0)
		r = resume_file_write(&file, "behind", 6, &nowhere);
	failing_off();
	resume_file_done(&file);
	assert_token(r == 0 ? "behind" : "before", 6);
	return r;
}

static void file_is_as_before_where_there_is_no_memory(void **state)
{
	(void)state;
	assert_true(failing_each(replace_token, NULL, 0) >= 6);
}

static int rotate_file(const void *data)
{
	struct out_file file = {.path = path, .rotate_bytes = 1, .keep = 3};
	struct out out = {.fd = -1};
	int r;

	(void)data;
	failing_on();
	r = out_file_open(&file, NULL, &out);
	if (r == 0) {
		out_append(&out, "packet", 6, "\n", 1);
		r = out_file_rotate(&file, &out);
		assert_int_equal(out.error, r);
	}
	failing_off();
	out_file_close(&file);
	out_done(&out);
	return r;
}

static void output_is_rotated_or_says_why_not(void **state)
{
	(void)state;
	assert_true(failing_each(rotate_file, NULL, 0) >= 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(file_that_is_missing_is_no_token),
	    TEST(token_that_was_written_is_read_back),
	    TEST(longest_token_is_taken_and_a_longer_one_is_not),
	    TEST(file_is_its_owners_alone_and_leaves_no_other_file),
	    TEST(same_token_is_not_written_again),
	    TEST(place_in_the_output_is_read_back),
	    TEST(same_token_is_written_again_for_another_output),
	    TEST(byte_changed_in_a_place_is_damage),
	    TEST(file_cut_anywhere_is_damaged),
	    TEST(byte_changed_or_added_anywhere_is_damage),
	    TEST(what_is_no_file_of_ours_is_refused_and_stays),
	    TEST(write_that_fails_leaves_the_old_file),
	    TEST(writer_that_is_killed_leaves_a_whole_token),
	    TEST(file_is_as_before_where_there_is_no_memory),
	    TEST(output_is_rotated_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
