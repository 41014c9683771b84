/* SPDX-License-Identifier: MIT */
/* Interface names of a namespace while its interfaces come, go and change their names. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <net/if.h>

#include "lab.h"
#include "links.h"
#include "reader.h"

static int index_of(void *name)
{
	return (int)if_nametoindex(name);
}

/* @type: bridges are one link, and there where veth and bridge are all that a kernel has. */
static uint32_t link_add_type(const struct lab *lab, const char *name, const char *type)
{
	char copy[IFNAMSIZ] = {0};
	int index;

	test_run("ip -n %s link add %s type %s", lab->netns.name, name, type);
	memcpy(copy, name, strlen(name));
	index = test_netns_call(&lab->netns, index_of, copy);
	assert_true(index > 0);
	return (uint32_t)index;
}

static uint32_t link_add(const struct lab *lab, const char *name)
{
	return link_add_type(lab, name, "bridge");
}

static struct links *open_links(const struct lab *lab)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_NAME, .name = lab->netns.name};
	struct links *links = NULL;
	struct nfl_error err = {0};

	if (links_open(&netns, &links, &err) < 0)
		fail_msg("%s", err.text);
	return links;
}

static void assert_name(struct links *links, uint32_t index, const char *expected)
{
	struct nfl_bytes name = links_find(links, index);

	if (name.len != strlen(expected) || (name.len && memcmp(name.data, expected, name.len)))
		fail_msg("link %u: expected \"%s\", got \"%.*s\"", index, expected, (int)name.len,
			 name.data);
}

static bool is_readable(const struct links *links)
{
	struct pollfd fd = {.fd = links_fd(links), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void links_that_were_there_are_named_and_zero_is_none(void **state)
{
	const struct lab *lab = *state;
	uint32_t index = link_add(lab, "first");
	struct links *links = open_links(lab);

	assert_name(links, 1, "lo");
	assert_name(links, index, "first");
	assert_name(links, 0, "");
	assert_name(links, 4711, "");
	assert_false(is_readable(links));
	links_close(links);
}

static void a_link_that_comes_later_is_named_at_its_first_packet(void **state)
{
	const struct lab *lab = *state;
	struct links *links = open_links(lab);
	uint32_t index = link_add(lab, "later");

	assert_name(links, index, "later");
	links_close(links);
}

static void a_renamed_link_has_its_new_name_and_a_removed_one_none(void **state)
{
	const struct lab *lab = *state;
	uint32_t index = link_add(lab, "before");
	struct links *links = open_links(lab);

	test_run("ip -n %s link set before name after", lab->netns.name);
	assert_true(is_readable(links));
	assert_int_equal(links_update(links), 0);
	assert_name(links, index, "after");
	test_run("ip -n %s link del after", lab->netns.name);
	assert_int_equal(links_update(links), 0);
	assert_name(links, index, "");
	links_close(links);
}

static void leaving_a_bridge_is_not_leaving_the_namespace(void **state)
{
	const struct lab *lab = *state;
	uint32_t index = link_add_type(lab, "port", "veth");
	struct links *links = open_links(lab);

	test_run("ip -n %s link add br0 type bridge && ip -n %s link set port master br0 && "
		 "ip -n %s link set port nomaster",
		 lab->netns.name, lab->netns.name, lab->netns.name);
	assert_int_equal(links_update(links), 0);
	assert_name(links, index, "port");
	links_close(links);
}

static void an_overrun_is_made_good_by_a_new_dump(void **state)
{
	const struct lab *lab = *state;
	uint32_t removed = link_add(lab, "removed"), renamed = link_add(lab, "renamed"), added;
	struct links *links = open_links(lab);
	const int least = 1;

	assert_int_equal(setsockopt(links_fd(links), SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)),
			 0);
	test_run("for i in 1 2 3 4 5 6 7 8 9 10; do"
		 " ip -n %s link set lo mtu $((60000 + i)); done",
		 lab->netns.name);
	test_run("ip -n %s link del removed && ip -n %s link set renamed name anew",
		 lab->netns.name, lab->netns.name);
	added = link_add(lab, "added");
	assert_int_equal(links_update(links), 0);
	assert_name(links, removed, "");
	assert_name(links, renamed, "anew");
	assert_name(links, added, "added");
	links_close(links);
}

static void as_many_links_as_need_many_datagrams_are_all_named(void **state)
{
	const struct lab *lab = *state;
	uint32_t first, last;
	struct links *links;

	first = link_add(lab, "many0");
	test_run("seq -f 'link add many%%.0f type bridge' 1 299 | ip -n %s -batch -",
		 lab->netns.name);
	last = link_add(lab, "many300");
	links = open_links(lab);
	assert_int_equal(last - first, 300);
	for (uint32_t i = 0; i <= 300; i++) {
		char name[IFNAMSIZ];

		(void)snprintf(name, sizeof(name), "many%u", i);
		assert_name(links, first + i, name);
	}
	links_close(links);
}

static void no_such_namespace_is_an_error_with_a_text(void **state)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_NAME, .name = "nflt-no-such-namespace"};
	struct links *links = NULL;
	struct nfl_error err = {0};

	(void)state;
	assert_int_equal(links_open(&netns, &links, &err), -ENOENT);
	assert_null(links);
	assert_non_null(strstr(err.text, "nflt-no-such-namespace"));
	links_close(NULL);
}

static void a_process_without_rights_follows_the_links_of_a_passed_socket(void **state)
{
	const struct lab *lab = *state;
	const struct nfl_netns netns = {.kind = NFL_NETNS_NAME, .name = lab->netns.name};
	struct reader_request request = {.action = READER_ADOPT_LINKS};
	struct reader reader = reader_start();
	struct reader_report report;
	int fd = -1;

	assert_int_equal(links_socket_open(&netns, &fd, NULL), 0);
	request.index = link_add(lab, "before"); /* not heard of before the dump, and then twice */
	report = reader_ask(&reader, &request, fd);
	assert_int_equal(report.r, 0);
	assert_false(report.has_capabilities);
	request.action = READER_FIND_LINK;
	assert_string_equal(reader_ask(&reader, &request, -1).link, "before");
	test_run("ip -n %s link set before name after", lab->netns.name);
	assert_string_equal(reader_ask(&reader, &request, -1).link, "after");
	test_run("ip -n %s link del after", lab->netns.name);
	assert_string_equal(reader_ask(&reader, &request, -1).link, "");
	request.index = 1;
	assert_string_equal(reader_ask(&reader, &request, -1).link, "lo");
	reader_end(&reader);
}

int links_suite(void)
{
	const struct CMUnitTest tests[] = {
	    LAB_TEST(links_that_were_there_are_named_and_zero_is_none),
	    LAB_TEST(a_link_that_comes_later_is_named_at_its_first_packet),
	    LAB_TEST(a_renamed_link_has_its_new_name_and_a_removed_one_none),
	    LAB_TEST(leaving_a_bridge_is_not_leaving_the_namespace),
	    LAB_TEST(an_overrun_is_made_good_by_a_new_dump),
	    LAB_TEST(as_many_links_as_need_many_datagrams_are_all_named),
	    LAB_TEST(no_such_namespace_is_an_error_with_a_text),
	    LAB_TEST(a_process_without_rights_follows_the_links_of_a_passed_socket),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
