/* SPDX-License-Identifier: MIT */
/* The generator's bounds: no run without an end, no packet to anybody else's network. */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX (2 * GEN_NETNS_MAX + 16)

/* Parses words of a command line; returns the exit status, -1 to go on. */
static int parse(const char *line, struct gen_options *ret)
{
	static char copy[8192];
	char name[] = "nflog_gen";
	char *argv[ARGS_MAX] = {name};
	int argc = 1;
	int status;

	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < ARGS_MAX - 1);
		argv[argc++] = word;
	}
	optind = 0; /* glibc: begin anew */
	return gen_options_parse(argc, argv, ret, &status) ? -1 : status;
}

static void all_options_are_taken(void **state)
{
	struct gen_options o;
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)&o.destination;

	(void)state;
	assert_int_equal(
	    parse("--netns a --netns b --count 100000 --rate 5000 --seconds 60 --size 64 "
		  "--destination 10.1.2.3 --port 5001 --stamp --cpu 1",
		  &o),
	    -1);
	assert_int_equal(o.netns_count, 2);
	assert_string_equal(o.netns[1], "b");
	assert_int_equal(o.count, 100000);
	assert_int_equal(o.rate, 5000);
	assert_int_equal(o.time_ns, INT64_C(60000000000));
	assert_int_equal(o.size, 64);
	assert_int_equal(o.cpu, 1);
	assert_true(o.has_stamp);
	assert_int_equal(ip4->sin_addr.s_addr, htonl(0x0a010203));
	assert_int_equal(ip4->sin_port, htons(5001));
}

static void destinations_outside_test_networks_are_refused(void **state)
{
	static const char *const good[] = {"-c 1 -d 10.0.0.1", "-c 1 -d 127.0.0.1", "-c 1 -d ::1",
					   "-c 1 -d fd99::2"};
	static const char *const bad[] = {
	    "-c 1 -d 192.168.0.1", "-c 1 -d 8.8.8.8", "-c 1 -d 11.0.0.1", "-c 1 -d fe80::1",
	    "-c 1 -d 2001:db8::1", "-c 1 -d ::",      "-c 1 -d fc00::1",  "-c 1 -d ::ffff:8.8.8.8",
	    "-c 1 -d localhost",   "-c 1 -d ff02::1"};
	struct gen_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(parse(good[i], &o), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse(bad[i], &o), 2);
}

static void a_run_has_an_end_and_sane_numbers(void **state)
{
	static const char *const bad[] = {
	    "",          "-n red",        "-t 61",        "-t 0",   "-c 0",      "-c -1",
	    "-c 1x",     "-c 1 -s 15 -S", "-c 1 -s 8193", "-c 1 x", "-c 1 -p 0", "-c 1 -p 65536",
	    "-c 1 -r 0", "-c 1 -C x",     "-c 1 --what",  "-c",
	};
	struct gen_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (parse(bad[i], &o) != 2)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(parse("-t 1", &o), -1);
	assert_int_equal(parse("--help", &o), 0);
}

static void namespaces_beyond_the_table_are_refused(void **state)
{
	char line[8192] = "-c 1";
	struct gen_options o;

	(void)state;
	for (unsigned i = 0; i < GEN_NETNS_MAX; i++)
		strcat(line, " -n a");
	assert_int_equal(parse(line, &o), -1);
	assert_int_equal(o.netns_count, GEN_NETNS_MAX);
	strcat(line, " -n a");
	assert_int_equal(parse(line, &o), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_options_are_taken),
	    cmocka_unit_test(destinations_outside_test_networks_are_refused),
	    cmocka_unit_test(a_run_has_an_end_and_sane_numbers),
	    cmocka_unit_test(namespaces_beyond_the_table_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
