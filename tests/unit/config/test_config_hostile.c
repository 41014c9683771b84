/* SPDX-License-Identifier: MIT */
/* Files that mean harm, or that were cut or damaged: an error at worst, never a crash or a wait. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "config.h"
#include "printable.h"

#define GOOD                                                                                       \
	"tenants: [{name: t, identities: [{unix_uid: 0}], sources: [{netns: n, groups: [1]}]}]\n"

/* Loads; success and refusal are both right, but a refusal says why. */
static int try(const char *text, size_t len)
{
	struct config_errors errors;
	struct config *config = NULL;
	int r = config_load_text("hostile", text, len, &config, &errors);

	assert_true(r == 0 || r == -EINVAL);
	assert_true((r == 0) == (config != NULL));
	assert_true((r == 0) == (errors.count == 0));
	config_errors_done(&errors);
	config_free(config);
	return r;
}

/* Loads what has one error, which begins with @expected. */
static void assert_one_error(const char *text, size_t len, const char *expected)
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512];

	assert_int_equal(config_load_text("hostile", text, len, &config, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	(void)config_error_render(&errors.items[0], line, sizeof(line));
	line[strlen(expected)] = '\0';
	assert_string_equal(line, expected);
	config_errors_done(&errors);
}

static char *repeat(const char *unit, size_t times)
{
	size_t len = strlen(unit);
	char *text = malloc(len * times + 1);

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, unit, len);
	text[len * times] = '\0';
	return text;
}

static void nesting_of_30000_levels_ends_at_the_limit(void **state)
{
	CLEANUP(freep) char *lists = repeat("[", 30000);
	CLEANUP(freep) char *maps = repeat("{a: ", 30000);
	CLEANUP(freep) char *blocks = repeat("- ", 30000);
	CLEANUP(freep) char *keys = repeat("? ", 30000);

	(void)state;
	assert_one_error(lists, strlen(lists), "hostile:1:65: nested more than 64 levels deep");
	assert_one_error(maps, strlen(maps), "hostile:1:257: nested more than 64 levels deep");
	assert_one_error(blocks, strlen(blocks), "hostile:1:129: nested more than 64 levels deep");
	assert_one_error(keys, strlen(keys), "hostile:1:129: nested more than 64 levels deep");
}

/* A key, a value that is described, and a name that is quoted. */
static void what_an_error_shows_of_the_file_cannot_drive_a_terminal(void **state)
{
	static const char *const texts[] = {
	    "\"\\e[2J\\x9b\\u202e\": 1\n\"\\e[2J\\x9b\\u202e\": 1\n",
	    "history: \"\\e[2J\\x9b\\u202e\\u2066\\u200b\"\n",
	    "tenants:\n"
	    "- {name: \"a\\x9b\\u202e\", identities: [{unix_uid: 0}], sources: [{host: true, "
	    "groups: [1]}]}\n"
	    "- {name: \"a\\x9b\\u202e\", identities: [{unix_uid: 1}], sources: [{host: true, "
	    "groups: [2]}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config_errors errors;
		struct config *config = NULL;

		assert_int_equal(
		    config_load_text("hostile", texts[i], strlen(texts[i]), &config, &errors),
		    -EINVAL);
		assert_true(errors.count > 0);
		for (size_t n = 0; n < errors.count; n++) {
			const char *shown = errors.items[n].text;

			assert_int_equal(printable_run(shown, strlen(shown)), strlen(shown));
		}
		config_errors_done(&errors);
	}
}

static void an_alias_bomb_is_refused_without_expanding_it(void **state)
{
	char text[4096];
	size_t used = (size_t)snprintf(text, sizeof(text), "a0: &a0 [x]\n");

	(void)state;
	for (unsigned level = 1; level < 20; level++) {
		used +=
		    (size_t)snprintf(text + used, sizeof(text) - used, "a%u: &a%u [", level, level);
		for (unsigned i = 0; i < 9; i++)
			used +=
			    (size_t)snprintf(text + used, sizeof(text) - used, "*a%u,", level - 1);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "]\n");
	}
	assert_int_equal(try(text, used), -EINVAL);
}

static void errors_beyond_the_limit_are_counted(void **state)
{
	/* An anchor and a key that is none. */
	CLEANUP(freep) char *text = repeat("? &a [a]\n", 1000);
	struct config_errors errors;
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load_text("hostile", text, strlen(text), &config, &errors),
			 -EINVAL);
	assert_int_equal(errors.count, CONFIG_ERRORS_MAX);
	assert_int_equal(errors.more, 2001 - CONFIG_ERRORS_MAX); /* and the key 'tenants' */
	config_errors_done(&errors);
}

/* A file of @len bytes: a good configuration and then a comment. */
static int load_file_of(size_t len, struct config_errors *errors)
{
	CLEANUP(closep) int fd = memfd_create("config", MFD_CLOEXEC);
	CLEANUP(freep) char *text = repeat("#", len);
	struct config *config = NULL;
	char path[64];
	int r;

	memcpy(text, GOOD, strlen(GOOD));
	assert_true(write(fd, text, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = config_load_file(path, &config, errors);
	config_free(config);
	return r;
}

static void a_file_may_have_one_mebibyte_and_no_byte_more(void **state)
{
	struct config_errors errors;

	(void)state;
	assert_int_equal(load_file_of(CONFIG_FILE_MAX_BYTES, &errors), 0);
	config_errors_done(&errors);
	assert_int_equal(load_file_of(CONFIG_FILE_MAX_BYTES + 1, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.items[0].text, "more than 1048576 bytes");
	config_errors_done(&errors);
	assert_int_equal(load_file_of(2 * CONFIG_FILE_MAX_BYTES, &errors), -EINVAL);
	config_errors_done(&errors);
}

static void a_hundred_thousand_groups_are_compared_at_once(void **state)
{
	CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX_BYTES);
	size_t used;

	(void)state;
	assert_non_null(text);
	used = (size_t)snprintf(text, CONFIG_FILE_MAX_BYTES,
				"tenants: [{name: t, identities: [{unix_uid: 0}],"
				" sources: [{netns: n, groups: [");
	for (unsigned group = 65535; group > 0; group--) /* each once, in the wrong order */
		used += (size_t)snprintf(text + used, CONFIG_FILE_MAX_BYTES - used, "%u,", group);
	used += (size_t)snprintf(text + used, CONFIG_FILE_MAX_BYTES - used, "]}]}]\n");
	assert_int_equal(try(text, used), 0);
}

static char *read_example(size_t *ret_len)
{
	FILE *file = fopen(CONFIG_DIR "/nflogd.yaml", "re");
	char *text = calloc(1, CONFIG_FILE_MAX_BYTES);

	assert_non_null(file);
	assert_non_null(text);
	*ret_len = fread(text, 1, CONFIG_FILE_MAX_BYTES, file);
	assert_true(*ret_len > 1000);
	(void)fclose(file);
	return text;
}

static void the_example_cut_at_every_length_never_crashes(void **state)
{
	size_t len;
	CLEANUP(freep) char *text = read_example(&len);
	CLEANUP(freep) char *cut = NULL;

	(void)state;
	for (size_t i = 0; i <= len; i++) {
		free(cut);
		cut = malloc(i + 1); /* its own size: AddressSanitizer sees a read past it */
		assert_non_null(cut);
		memcpy(cut, text, i);
		(void)try(cut, i);
	}
	assert_int_equal(try(text, len), 0);
}

static void the_example_with_any_byte_damaged_never_crashes(void **state)
{
	static const char damage[] = {'\0', '\n', ':', '[', '\xff', '\x1b'};
	size_t len;
	CLEANUP(freep) char *text = read_example(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char whole = text[i];

		text[i] = damage[i % sizeof(damage)];
		(void)try(text, len);
		text[i] = whole;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nesting_of_30000_levels_ends_at_the_limit),
	    cmocka_unit_test(what_an_error_shows_of_the_file_cannot_drive_a_terminal),
	    cmocka_unit_test(an_alias_bomb_is_refused_without_expanding_it),
	    cmocka_unit_test(errors_beyond_the_limit_are_counted),
	    cmocka_unit_test(a_file_may_have_one_mebibyte_and_no_byte_more),
	    cmocka_unit_test(a_hundred_thousand_groups_are_compared_at_once),
	    cmocka_unit_test(the_example_cut_at_every_length_never_crashes),
	    cmocka_unit_test(the_example_with_any_byte_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
