/* SPDX-License-Identifier: MIT */
/* tenants: hashes of bearer tokens, in the configuration and in files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "roster.h"

#define HASH_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH_A "abababababababababababababababababababababababababababababababab"
#define HASH_B "CDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcdCDcd"

#define RED_AT_1 ", also tenant red's at 1:9"

static char folder[] = "/tmp/nfl-tokens-XXXXXX";
static char path[64];
static char other_path[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/red", folder);
	(void)snprintf(other_path, sizeof(other_path), "%s/blue", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other_path);
	return rmdir(folder);
}

static void write_bytes(const char *file, const char *bytes, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, 0644), 0);
	(void)close(fd);
}

static void write_text(const char *file, const char *text)
{
	write_bytes(file, text, strlen(text));
}

static const char *find_token(const struct roster *roster, uint8_t byte)
{
	struct principal principal = {.has_token = true};

	memset(principal.token_sha256, byte, sizeof(principal.token_sha256));
	return roster_find(roster, &principal);
}

/* A file with this text is refused, and what is told has all of these in it. */
#define assert_refused(text, ...)                                                                  \
	do {                                                                                       \
		struct roster refused = {0};                                                       \
		write_text(path, text);                                                            \
		roster_add(&refused, "red", IDENTITY_TOKEN_SHA256_FILE, path);                     \
		roster_assert_error(&refused, 1, "token_sha256_file: ", path, __VA_ARGS__);        \
	} while (0)

static void tokens_are_told_apart_by_every_byte(void **state)
{
	struct roster roster = {0};
	struct principal principal = {.has_token = true};

	(void)state;
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256, HASH_0);
	roster_add(&roster, "blue", IDENTITY_TOKEN_SHA256, HASH_A);
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0), "red");
	assert_string_equal(find_token(&roster, 0xab), "blue");
	for (size_t i = 0; i < 8u * POLICY_SHA256_BYTES; i++) {
		principal.token_sha256[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_string_equal(roster_find(&roster, &principal), "nobody");
		principal.token_sha256[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	roster_done(&roster);
}

static void a_file_holds_several_tokens_with_comments_and_blank_lines(void **state)
{
	struct roster roster = {0};

	(void)state;
	write_text(path, "# old\n" HASH_A "\n\n  \t\r\n   # new\n  " HASH_B " \r\n" HASH_0);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0xab), "red");
	assert_string_equal(find_token(&roster, 0xcd), "red");
	assert_string_equal(find_token(&roster, 0), "red");
	assert_string_equal(find_token(&roster, 1), "nobody");
	roster_done(&roster);
}

static void a_file_is_read_again_by_the_next_policy(void **state)
{
	struct roster roster = {0};

	(void)state;
	write_text(path, HASH_A "\n");
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0xab), "red");
	write_text(path, HASH_B "\n");
	assert_string_equal(find_token(&roster, 0xab), "red");
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0xab), "nobody");
	assert_string_equal(find_token(&roster, 0xcd), "red");
	roster_done(&roster);
}

static void a_file_that_is_not_such_hashes_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_refused("", "has no SHA-256");
	assert_refused("# nothing\n\n", "has no SHA-256");
	assert_refused(HASH_A "\n" HASH_A "0\n", "line 2 ");
	assert_refused("#\n\n" HASH_A "  -\n", "line 3 ");
	assert_refused(HASH_A HASH_A, "line 1 ");
	assert_refused(HASH_A "\n" HASH_A "\n0", "line 3 ");
	assert_refused("abababababababababababababababababababababababababababababababag\n",
		       "line 1 ");
}

static void what_stands_in_a_file_is_not_told(void **state)
{
	struct roster roster = {0};

	(void)state;
	write_text(path, "my-secret-token\n");
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	assert_int_equal(roster_load(&roster), -EINVAL);
	assert_null(strstr(roster.problems.items[0].text, "secret"));
	roster_done(&roster);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	char bytes[65] = HASH_A;
	struct roster roster = {0};

	(void)state;
	bytes[32] = '\0';
	write_bytes(path, bytes, 64);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_assert_error(&roster, 1, "line 1 ");
}

static void files_of_up_to_four_kilobytes_are_read(void **state)
{
	char bytes[4098];
	struct roster roster = {0};

	(void)state;
	memset(bytes, '\n', sizeof(bytes));
	memcpy(bytes + 4096 - 64, HASH_A, 64);
	write_bytes(path, bytes, 4096);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0xab), "red");
	write_bytes(path, bytes, 4097);
	roster_assert_error(&roster, 1, "larger than 4 KiB");
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	struct roster roster = {0};

	(void)state;
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_assert_error(&roster, 1, path, "No such file");
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, folder);
	roster_assert_error(&roster, 1, folder, "not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_assert_error(&roster, 1, path, "not a regular file");
}

static void a_file_that_others_can_write_is_taken_with_a_warning(void **state)
{
	const mode_t modes[] = {0664, 0646};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct roster roster = {0};

		write_text(path, HASH_A);
		assert_int_equal(chmod(path, modes[i]), 0);
		roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
		assert_int_equal(roster_load(&roster), 0);
		assert_int_equal(roster.problems.count, 1);
		assert_false(roster.problems.items[0].is_error);
		assert_non_null(strstr(roster.problems.items[0].text, path));
		assert_string_equal(find_token(&roster, 0xab), "red");
		roster_done(&roster);
	}
}

static void a_token_of_two_tenants_is_an_error_also_through_files(void **state)
{
	struct roster roster = {0};

	(void)state;
	write_text(path, HASH_B "\n" HASH_A "\n");
	write_text(other_path, HASH_0 "\n" HASH_A "\n");
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_add(&roster, "blue", IDENTITY_TOKEN_SHA256_FILE, other_path);
	roster_assert_error(&roster, 2, path, other_path, RED_AT_1);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256, HASH_A);
	roster_add(&roster, "blue", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_assert_error(&roster, 2, path, "abababab...", RED_AT_1);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, path);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256_FILE, other_path);
	roster_add(&roster, "red", IDENTITY_TOKEN_SHA256, HASH_A);
	roster_load_good(&roster);
	assert_string_equal(find_token(&roster, 0xab), "red");
	roster_done(&roster);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(tokens_are_told_apart_by_every_byte),
	    TEST(a_file_holds_several_tokens_with_comments_and_blank_lines),
	    TEST(a_file_is_read_again_by_the_next_policy),
	    TEST(a_file_that_is_not_such_hashes_is_refused_with_its_line),
	    TEST(what_stands_in_a_file_is_not_told),
	    TEST(bytes_that_are_no_text_are_refused),
	    TEST(files_of_up_to_four_kilobytes_are_read),
	    TEST(what_is_no_file_is_refused_without_waiting),
	    TEST(a_file_that_others_can_write_is_taken_with_a_warning),
	    TEST(a_token_of_two_tenants_is_an_error_also_through_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
