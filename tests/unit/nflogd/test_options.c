/* SPDX-License-Identifier: MIT */
/* options: what nflogd's command line means, and what is refused with which words */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "options.h"

#define ARGS_MAX  12
#define ARG_BYTES (2 * OPTIONS_TEXT_MAX)

static char storage[ARGS_MAX][ARG_BYTES]; /* argv has to be writable */
static char *complaints;                  /* of the last parse */

static int parse(struct options *ret, const char *const *args)
{
	char *argv[ARGS_MAX + 1] = {storage[0]};
	size_t len = 0;
	FILE *out;
	int argc = 1;
	int r;

	free(complaints);
	out = open_memstream(&complaints, &len);
	assert_non_null(out);
	strcpy(storage[0], "nflogd");
	for (; *args; args++, argc++)
		argv[argc] = strcpy(storage[argc], *args);
	r = options_parse(argc, argv, ret, out);
	fclose(out);
	return r;
}

#define PARSE(ret, ...)     parse(ret, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSED(words, ...) assert_refused(words, (const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const char *words, const char *const *args)
{
	struct options options;

	assert_int_equal(parse(&options, args), -EINVAL);
	if (!strstr(complaints, words))
		fail_msg("expected \"%s\" in: %s", words, complaints);
	options_done(&options);
}

static void nothing_given_means_run_with_defaults(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, (const char *const[]){NULL}), 0);
	assert_int_equal(options.action, OPTIONS_RUN);
	assert_null(options.config_path);
	assert_int_equal(options.netns.count + options.groups.count + options.listens.count, 0);
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_int_equal(options.log_format, LOG_FORMAT_AUTO);
	assert_string_equal(complaints, "");
	options_done(&options);
}

static void repeatable_options_keep_every_value_in_order(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, "--netns", "red", "--group=0", "--netns=cni-*", "--group",
			       "110-119", "--listen", "/a", "--listen", "127.0.0.1:1"),
			 0);
	assert_int_equal(options.netns.count, 2);
	assert_string_equal(options.netns.items[0], "red");
	assert_string_equal(options.netns.items[1], "cni-*");
	assert_int_equal(options.groups.count, 2);
	assert_string_equal(options.groups.items[1], "110-119");
	assert_int_equal(options.listens.count, 2);
	assert_string_equal(options.listens.items[1], "127.0.0.1:1");
	options_done(&options);
}

static void config_and_log_options_are_taken(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(
	    PARSE(&options, "-c", "x.yaml", "--log-level", "debug", "--log-format=json"), 0);
	assert_string_equal(options.config_path, "x.yaml");
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(options.log_format, LOG_FORMAT_JSON);
	options_done(&options);
	assert_int_equal(PARSE(&options, "--check-config", "y.yaml"), 0);
	assert_int_equal(options.action, OPTIONS_CHECK_CONFIG);
	assert_string_equal(options.config_path, "y.yaml");
	options_done(&options);
}

static void user_is_who_to_become_not_who_started_it(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, "--user", "daemon"), 0);
	assert_string_equal(options.become, "daemon");
	assert_int_equal(options.user, getuid());
	options_done(&options);
	assert_int_equal(PARSE(&options, "--group", "7"), 0);
	assert_null(options.become);
	options_done(&options);
	REFUSED("--user", "--user", "");
}

static void help_and_version_win_over_what_follows(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, "--netns", "red", "--help", "--group", "x"), 0);
	assert_int_equal(options.action, OPTIONS_HELP);
	options_done(&options);
	assert_int_equal(PARSE(&options, "-V"), 0);
	assert_int_equal(options.action, OPTIONS_VERSION);
	options_done(&options);
}

static void group_is_a_number_or_a_rising_range(void **state)
{
	static const char *const bad[] = {"",  "-1", "65536", "1x",    "5-3",    "1-",
					  "-", " 1", "+1",    "1-2-3", "1-70000"};
	static const char *const good[] = {"0", "65535", "0-65535", "7-7"};
	struct options options;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED("--group", "--group", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(PARSE(&options, "--group", good[i]), 0);
		options_done(&options);
	}
}

static void wrong_usage_names_the_option(void **state)
{
	char text[OPTIONS_TEXT_MAX + 2];

	(void)state;
	REFUSED("'--colour'", "--colour");
	REFUSED("'-x'", "-x");
	REFUSED("'--config'", "--config");
	REFUSED("'-c'", "-c");
	REFUSED("--log-level loud", "--log-level", "loud");
	REFUSED("--log-format xml", "--log-format", "xml");
	REFUSED("--netns", "--netns", "");
	REFUSED("'extra'", "extra");
	REFUSED("only one", "--config", "a", "--check-config", "b");
	REFUSED("cannot be given with one", "--config", "a", "--netns", "red");
	REFUSED("cannot be given with one", "--group", "1", "--check-config", "a");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	REFUSED("more than 1024 bytes", "--netns", text);
}

static void help_names_every_option_within_80_columns(void **state)
{
	static const char *const names[] = {
	    "--config", "--check-config", "--netns",      "--group",   "--listen",
	    "--user",   "--log-level",    "--log-format", "--version", "--help"};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	options_help(out);
	fclose(out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strstr(text, names[i]))
			fail_msg("%s is not in the help", names[i]);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	free(text);
}

static int free_complaints(void **state)
{
	(void)state;
	free(complaints);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_given_means_run_with_defaults),
	    cmocka_unit_test(repeatable_options_keep_every_value_in_order),
	    cmocka_unit_test(config_and_log_options_are_taken),
	    cmocka_unit_test(user_is_who_to_become_not_who_started_it),
	    cmocka_unit_test(help_and_version_win_over_what_follows),
	    cmocka_unit_test(group_is_a_number_or_a_rising_range),
	    cmocka_unit_test(wrong_usage_names_the_option),
	    cmocka_unit_test(help_names_every_option_within_80_columns),
	};

	return cmocka_run_group_tests(tests, NULL, free_complaints);
}
