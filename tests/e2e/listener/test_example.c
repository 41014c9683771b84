/* SPDX-License-Identifier: MIT */
/* tests/examples/nflog_print.c, a program that has only libnfl.so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lab.h"

#define PACKETS 3

static FILE *start_example(const char *arguments)
{
	char command[512];
	FILE *output;

	(void)snprintf(command, sizeof(command), "exec %s %s", EXAMPLE, arguments);
	output = popen(command, "re");
	assert_non_null(output);
	return output;
}

static void the_example_prints_prefix_and_payload_of_each_packet(void **state)
{
	struct lab *lab = *state;
	char arguments[64], line[1024];
	FILE *output;

	(void)snprintf(arguments, sizeof(arguments), "5 4 %s", lab->netns.name);
	output = start_example(arguments);
	assert_non_null(fgets(line, sizeof(line), output));
	assert_string_equal(line, "listening to group 5\n");
	lab_send(lab, PACKETS);
	for (int i = 0; i < PACKETS; i++) {
		assert_non_null(fgets(line, sizeof(line), output));
		/* An IPv4 packet of 128 bytes: version, no TOS, length. */
		assert_memory_equal(line, "\"lab\" 45000080", 14);
		assert_int_equal(strlen(line), strlen("\"lab\" \n") + 2 * (size_t)128);
	}
	assert_int_equal(pclose(output), 0);
}

static void the_example_says_why_it_cannot_listen(void **state)
{
	char line[512];
	FILE *output = start_example("5 1 nflt-no-such-namespace 2>&1");

	(void)state;
	assert_non_null(fgets(line, sizeof(line), output));
	assert_string_equal(line, "network namespace \"nflt-no-such-namespace\" does not exist\n");
	assert_int_not_equal(pclose(output), 0);
}

int example_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(the_example_prints_prefix_and_payload_of_each_packet),
	    LAB_TEST(the_example_says_why_it_cannot_listen),
	};

	return cmocka_run_group_tests_name("example", tests, NULL, NULL);
}
