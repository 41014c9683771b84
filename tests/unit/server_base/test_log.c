/* SPDX-License-Identifier: MIT */
/* Log lines as a reader of stderr gets them: stderr is a socket that keeps each write apart. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE_BYTES 8192
#define TIME_BYTES strlen("2026-11-23T12:00:00.123456789Z")

static int reader = -1;
static int saved_stderr = -1;

static int redirect(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	if (dup2(pair[1], STDERR_FILENO) < 0)
		return -1;
	(void)close(pair[1]);
	reader = pair[0];
	return 0;
}

static int restore(void **state)
{
	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	return close(reader);
}

/* What one write brought, without its newline; NULL when there was none. */
static const char *next_line(void)
{
	static char line[LINE_BYTES];
	ssize_t n = recv(reader, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	assert_true(n > 0);
	line[n] = '\0';
	assert_int_equal(line[n - 1], '\n');
	line[n - 1] = '\0';
	assert_null(strchr(line, '\n'));
	return line;
}

/* The line behind its time. */
static void assert_text(const char *expected)
{
	const char *line = next_line();

	assert_non_null(line);
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[TIME_BYTES - 1], 'Z');
	assert_string_equal(line + TIME_BYTES, expected);
	assert_null(next_line());
}

static void assert_json(const char *expected)
{
	static const char start[] = "{\"time\":\"";
	const char *line = next_line();

	assert_non_null(line);
	assert_memory_equal(line, start, strlen(start));
	assert_string_equal(line + strlen(start) + TIME_BYTES, expected);
	assert_null(next_line());
}

static void text_has_time_level_event_and_pairs(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_warn("listener.failed", "netns=%s group=%u", "red", 100U);
	assert_text(" warn listener.failed netns=red group=100");
	log_info("server.ready", "%s", "");
	assert_text(" info server.ready");
}

static void lines_above_the_level_are_dropped(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	log_debug("x.debug", "a=%d", 1);
	log_info("x.info", "a=%d", 1);
	assert_null(next_line());
	log_error("x.error", "a=%d", 1);
	assert_text(" error x.error a=1");
	log_setup(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_debug("x.debug", "a=%d", 1);
	assert_text(" debug x.debug a=1");
}

static void the_journal_gets_a_priority_and_no_time(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_error("listener.failed", "netns=%s", "red");
	assert_string_equal(next_line(), "<3>listener.failed netns=red");
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT); /* asked for, so it is not the journal's */
	log_error("listener.failed", "netns=%s", "red");
	assert_text(" error listener.failed netns=red");
}

static void a_stderr_that_was_redirected_is_no_journal(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_info("a.b", "c=%d", 1);
	assert_text(" info a.b c=1");
}

static void json_has_a_member_for_each_pair(void **state)
{
	char quoted[64];

	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_warn("listener.failed", "netns=%s group=%u error=%s", "red", 100U,
		 log_quote(quoted, sizeof(quoted), "say \"no\" \\ \x1b"));
	assert_json("\",\"level\":\"warn\",\"event\":\"listener.failed\",\"netns\":\"red\","
		    "\"group\":100,\"error\":\"say \\\"no\\\" \\\\ \\\\x1b\"}");
	log_info("server.ready", "%s", "");
	assert_json("\",\"level\":\"info\",\"event\":\"server.ready\"}");
}

static void json_is_whole_for_pairs_of_any_form(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a", "%s", "two words");
	assert_json("\",\"level\":\"info\",\"event\":\"a\",\"message\":\"two words\"}");
	log_info("a", "%s", "error=No such file group=007 big=12345678901234567890 empty= z=0");
	assert_json("\",\"level\":\"info\",\"event\":\"a\",\"error\":\"No such file\","
		    "\"group\":\"007\",\"big\":\"12345678901234567890\",\"empty\":\"\",\"z\":0}");
	log_info("a", "%s", "cut=\"no end \\");
	assert_json("\",\"level\":\"info\",\"event\":\"a\",\"cut\":\"no end \\\\\"}");
	log_info("a", "%s", "=\"x\"= \xff");
	assert_non_null(next_line());
}

static void hostile_values_stay_on_their_line(void **state)
{
	char quoted[64];

	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("a", "name=%s",
		 log_quote(quoted, sizeof(quoted), "x\n2026 error forged \x1b[2J\"\xff"));
	assert_text(" info a name=\"x\\x0a2026 error forged \\x1b[2J\\\"\\xff\"");
	log_info("a", "name=%s", "x\nforged\x1b[2J\x7f"); /* forgotten quote */
	assert_text(" info a name=x?forged?[2J?");
	log_info("a", "name=%s",
		 "\xc2\x9b\xe2\x80\xae\xe2\x81\xa6"
		 "z\xff\xc3"); /* CSI, bidi, no UTF-8 */
	assert_text(" info a name=????????z??");
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a", "name=%s", "x\nforged\"\xff");
	assert_json("\",\"level\":\"info\",\"event\":\"a\",\"name\":\"x?forged\\\"?\"}");
}

static void a_long_line_is_cut_and_still_whole(void **state)
{
	char value[3000];
	const char *line;

	(void)state;
	memset(value, '"', sizeof(value)); /* of what JSON must escape */
	value[sizeof(value) - 1] = '\0';
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("a", "v=%s", value);
	line = next_line();
	assert_non_null(line);
	assert_in_range(strlen(line), 1000, 1100);
	assert_string_equal(line + strlen(line) - 3, "...");

	memset(value, '\\', sizeof(value) - 1);
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a", "v=%s", value);
	line = next_line();
	assert_non_null(line);
	assert_in_range(strlen(line), 2000, 4095);
	assert_string_equal(line + strlen(line) - 5, "...\"}");
}

/* Each pair of quotes would be a member of its own. */
static void a_forgotten_value_of_nothing_but_quotes_is_one_message(void **state)
{
	char value[3000];
	const char *line;

	(void)state;
	memset(value, '"', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("a", "%s", value);
	line = next_line();
	assert_non_null(line);
	assert_non_null(strstr(line, ",\"message\":\"\\\"\\\""));
	assert_string_equal(line + strlen(line) - 7, "\\\"...\"}");
}

static void a_quoted_value_keeps_its_quotes_when_it_is_cut(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(log_quote(buf, sizeof(buf), "abcdefgh"), "\"abcde\"");
	assert_string_equal(log_quote(buf, sizeof(buf), "abcde"), "\"abcde\"");
	assert_string_equal(log_quote(buf, 3, "abcde"), "\"\"");
	assert_string_equal(log_quote(buf, sizeof(buf), NULL), "\"\"");
}

/* What follows would else be read as a part of the value, and the value's end as keys. */
static void a_value_that_is_cut_inside_of_an_escape_cannot_hide_its_closing_quote(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(log_quote(buf, sizeof(buf), "abcd\""), "\"abcd\"");
	assert_string_equal(log_quote(buf, sizeof(buf), "abc\""), "\"abc\\\"\"");
	assert_string_equal(log_quote(buf, sizeof(buf), "abc\\x"), "\"abc\\\\\"");
	assert_string_equal(log_quote(buf, sizeof(buf), "ab\\\\"), "\"ab\\\\\"");
	assert_string_equal(log_quote(buf, sizeof(buf), "abcd\xc3\xbc"), "\"abcd\"");
}

static void errno_survives_a_line(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	(void)shutdown(STDERR_FILENO, SHUT_WR);
	errno = ENOENT;
	log_info("a", "b=%d", 1);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(text_has_time_level_event_and_pairs, redirect, restore),
	    cmocka_unit_test_setup_teardown(lines_above_the_level_are_dropped, redirect, restore),
	    cmocka_unit_test_setup_teardown(the_journal_gets_a_priority_and_no_time, redirect,
					    restore),
	    cmocka_unit_test_setup_teardown(a_stderr_that_was_redirected_is_no_journal, redirect,
					    restore),
	    cmocka_unit_test_setup_teardown(json_has_a_member_for_each_pair, redirect, restore),
	    cmocka_unit_test_setup_teardown(json_is_whole_for_pairs_of_any_form, redirect, restore),
	    cmocka_unit_test_setup_teardown(hostile_values_stay_on_their_line, redirect, restore),
	    cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_still_whole, redirect, restore),
	    cmocka_unit_test_setup_teardown(a_forgotten_value_of_nothing_but_quotes_is_one_message,
					    redirect, restore),
	    cmocka_unit_test(a_quoted_value_keeps_its_quotes_when_it_is_cut),
	    cmocka_unit_test(a_value_that_is_cut_inside_of_an_escape_cannot_hide_its_closing_quote),
	    cmocka_unit_test_setup_teardown(errno_survives_a_line, redirect, restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
