/* SPDX-License-Identifier: MIT */
/* test_netns.c - see the header. ip(8) and nft(8) do the work, as an operator would. */
#include "test_netns.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "netns.h"

#define NETNS_DIR   "/run/netns"
#define COMMAND_MAX 512
#define PAYLOAD_MAX 65507

/* Of the process that runs the tests: children of the tests make no namespaces. */
static pid_t owner;

static void remove_all(pid_t pid)
{
	char prefix[32], command[COMMAND_MAX];
	DIR *dir = opendir(NETNS_DIR);
	const struct dirent *entry;

	(void)snprintf(prefix, sizeof(prefix), "nflt-%jd-", (intmax_t)pid);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(command, sizeof(command), "ip netns del '%s'", entry->d_name);
		if (system(command) != 0)
			fprintf(stderr, "left behind: %s\n", entry->d_name);
	}
	if (dir)
		(void)closedir(dir); /* it was only read */
}

int test_netns_guard(int (*tests)(void))
{
	pid_t pid;
	int status;

	if (geteuid() != 0) {
		fprintf(stderr, "this test makes network namespaces: run it as root\n");
		return EXIT_FAILURE;
	}
	pid = fork();
	if (pid == 0) {
		owner = getpid();
		exit(tests());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return EXIT_FAILURE;
	remove_all(pid);
	if (WIFSIGNALED(status))
		fprintf(stderr, "the tests were ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

void test_run(const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_in_range(len, 1, sizeof(command) - 1);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

struct test_netns test_netns_add(const char *label)
{
	struct test_netns netns;

	(void)snprintf(netns.name, sizeof(netns.name), "nflt-%jd-%s", (intmax_t)owner, label);
	test_run("ip netns add %s && ip -n %s link set lo up", netns.name, netns.name);
	return netns;
}

void test_netns_delete(const struct test_netns *netns)
{
	test_run("ip netns del %s", netns->name);
}

void test_nft(const struct test_netns *netns, const char *ruleset)
{
	char command[COMMAND_MAX];
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "ip netns exec %s nft -f -", netns->name);
	pipe = popen(command, "we");
	assert_non_null(pipe);
	fprintf(pipe, "flush ruleset\n%s\n", ruleset);
	if (pclose(pipe) != 0)
		fail_msg("nft refused: %s", ruleset);
}

int test_netns_call(const struct test_netns *netns, int (*fn)(void *data), void *data)
{
	const struct nfl_netns where = {.kind = NFL_NETNS_NAME, .name = netns->name};
	CLEANUP(closep) int fd = -1;
	struct nfl_error err;

	if (netns_open(&where, &fd, &err) < 0)
		fail_msg("%s", err.text);
	return netns_call(fd, fn, data, NULL);
}

static int open_udp(void *data)
{
	(void)data;
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

int test_udp_open(const struct test_netns *netns)
{
	int fd = test_netns_call(netns, open_udp, NULL);

	assert_true(fd >= 0);
	return fd;
}

void test_udp_send(int fd, uint16_t port, size_t len, size_t count, uint32_t *number)
{
	/* Not connected: that nobody listens would otherwise be an error of every second send. */
	const struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	CLEANUP(freep) uint8_t *payload = NULL;

	assert_in_range(len, sizeof(*number), PAYLOAD_MAX);
	payload = calloc(1, len);
	assert_non_null(payload);
	for (size_t i = 0; i < count; i++) {
		memcpy(payload, number, sizeof(*number));
		assert_int_equal(
		    sendto(fd, payload, len, 0, (const struct sockaddr *)&to, sizeof(to)), len);
		++*number;
	}
}
