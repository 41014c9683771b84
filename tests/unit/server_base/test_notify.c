/* SPDX-License-Identifier: MIT */
/* The service manager's side of sd_notify: a datagram socket, by path and by abstract name. */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

static int manager = -1;
static char folder[] = "/tmp/nfl-notify-XXXXXX";
static char path[sizeof(folder) + sizeof("/socket")];

static void listen_on(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int listen_on_path(void **state)
{
	(void)state;
	listen_on(path);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unsetenv("NOTIFY_SOCKET");
	return close(manager);
}

static void assert_told(const char *expected)
{
	char message[1024];
	ssize_t n = recv(manager, message, sizeof(message) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	message[n] = '\0';
	assert_string_equal(message, expected);
}

static void states_are_told_by_path(void **state)
{
	(void)state;
	assert_int_equal(notify_ready(), 1);
	assert_told("READY=1");
	assert_int_equal(notify_watchdog(), 1);
	assert_told("WATCHDOG=1");
	assert_int_equal(notify_status("%u sources, %u subscribers", 2U, 1U), 1);
	assert_told("STATUS=2 sources, 1 subscribers");
	assert_int_equal(notify_stopping(), 1);
	assert_told("STOPPING=1");
}

static void states_are_told_by_abstract_name(void **state)
{
	char name[64];

	(void)state;
	(void)snprintf(name, sizeof(name), "@nfl-notify-%d", (int)getpid());
	listen_on(name);
	assert_int_equal(notify_ready(), 1);
	assert_told("READY=1");
	(void)stop(NULL);
}

static void a_reload_has_the_time_it_began(void **state)
{
	int64_t before = monotonic_ns() / NS_PER_US;
	char message[128];
	int64_t told;
	ssize_t n;

	(void)state;
	assert_int_equal(notify_reloading(), 1);
	n = recv(manager, message, sizeof(message) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	message[n] = '\0';
	assert_int_equal(sscanf(message, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &told), 1);
	assert_in_range(told, before, monotonic_ns() / NS_PER_US);
}

static void a_status_cannot_smuggle_in_another_variable(void **state)
{
	char message[1024];
	char text[2000];

	(void)state;
	assert_int_equal(notify_status("%s", "red\nMAINPID=1"), 1);
	assert_told("STATUS=red MAINPID=1");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(notify_status("%s", text), 1);
	assert_int_equal(recv(manager, message, sizeof(message), MSG_DONTWAIT), 511);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(notify_ready(), 0);
	assert_int_equal(notify_status("x"), 0);
}

static void a_socket_that_cannot_be_told_is_an_error(void **state)
{
	char name[256];

	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1), 0);
	assert_int_equal(notify_ready(), -ENOENT);
	assert_int_equal(setenv("NOTIFY_SOCKET", "vsock:2:1234", 1), 0);
	assert_int_equal(notify_ready(), -EAFNOSUPPORT);
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	assert_int_equal(notify_ready(), -EAFNOSUPPORT);
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(notify_ready(), -ENAMETOOLONG);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

static void the_watchdog_is_for_the_watched_process_only(void **state)
{
	char pid[32];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(notify_watchdog_interval_ms(), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 15000);
	assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 15000);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 0);
	assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "soon", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(states_are_told_by_path, listen_on_path, stop),
	    cmocka_unit_test(states_are_told_by_abstract_name),
	    cmocka_unit_test_setup_teardown(a_reload_has_the_time_it_began, listen_on_path, stop),
	    cmocka_unit_test_setup_teardown(a_status_cannot_smuggle_in_another_variable,
					    listen_on_path, stop),
	    cmocka_unit_test(without_a_manager_nothing_happens),
	    cmocka_unit_test(a_socket_that_cannot_be_told_is_an_error),
	    cmocka_unit_test(the_watchdog_is_for_the_watched_process_only),
	};
	int rc;

	if (!mkdtemp(folder))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return rc;
}
