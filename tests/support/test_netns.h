/* SPDX-License-Identifier: MIT */
/*
 * test_netns.h - network namespaces, nft rules and packets for end-to-end tests in C
 *
 * Names begin with nflt-<pid>-. Every call fails the running cmocka test when it does not succeed.
 * Threads: any, but a namespace is one thread's at a time.
 */
#ifndef TEST_NETNS_H
#define TEST_NETNS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct test_netns {
	char name[32];
};

/**
 * test_netns_guard - run the tests of a program in a child, then remove their namespaces
 * @tests: returns the program's exit status
 * However the child ends, also by a signal, none of its namespaces is left. Without root nothing is
 * run and the result is a failure: an end-to-end test that skips proves nothing.
 */
int test_netns_guard(int (*tests)(void));

/* A new namespace with lo up; the name of a second one with the same label is the same. */
struct test_netns test_netns_add(const char *label);
void test_netns_delete(const struct test_netns *netns);

/* Runs a shell command. */
void test_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Loads an nft ruleset in the namespace, in place of the one that is there. */
void test_nft(const struct test_netns *netns, const char *ruleset);

/* Runs fn inside the namespace, on the calling thread, and returns its value. */
int test_netns_call(const struct test_netns *netns, int (*fn)(void *data), void *data);

/* An UDP socket inside the namespace; the caller closes it. */
int test_udp_open(const struct test_netns *netns);

/* Sends datagrams of @len bytes to 127.0.0.1; each begins with a number of its own, counting up
 * from *number, which is advanced. Nobody needs to receive them. */
void test_udp_send(int fd, uint16_t port, size_t len, size_t count, uint32_t *number);

/* Offset of test_udp_send()'s number in an IPv4 packet; it is in host order. */
#define TEST_UDP_NUMBER_OFFSET 28

#endif
