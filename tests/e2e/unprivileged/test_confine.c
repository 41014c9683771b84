/* SPDX-License-Identifier: MIT */
/* What is left of the system calls: the daemon's work, and nothing of an attacker's. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "child.h"

/* --- deadly -------------------------------------------------------------------------------- */

static int enters_a_namespace(void *data)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	(void)data;
	return child_confine() != 0 || setns(fd, CLONE_NEWNET) == 0;
}

static int runs_a_program(void *data)
{
	char name[] = "true";
	char *const argv[] = {name, NULL};

	(void)data;
	return child_confine() != 0 || execv("/bin/true", argv) == 0;
}

static int makes_a_namespace(void *data)
{
	(void)data;
	return child_confine() != 0 || unshare(CLONE_NEWUSER) == 0;
}

static int mounts(void *data)
{
	(void)data;
	return child_confine() != 0 || mount("none", "/mnt", "tmpfs", 0, NULL) == 0;
}

static int changes_its_root(void *data)
{
	(void)data;
	return child_confine() != 0 || chroot("/tmp") == 0;
}

static int loads_a_program_into_the_kernel(void *data)
{
	(void)data;
	return child_confine() != 0 || syscall(SYS_bpf, 0, NULL, 0) == 0;
}

static int writes_into_a_process(void *data)
{
	(void)data;
	return child_confine() != 0 ||
	       syscall(SYS_process_vm_writev, getpid(), NULL, 0, NULL, 0, 0) != 0;
}

static void what_only_an_attacker_does_ends_the_process(void **state)
{
	static int (*const attacks[])(void *) = {
	    enters_a_namespace,    runs_a_program,
	    makes_a_namespace,     mounts,
	    changes_its_root,      loads_a_program_into_the_kernel,
	    writes_into_a_process,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		assert_int_equal(child_run(attacks[i], NULL), -SIGSYS);
}

/* --- refused ------------------------------------------------------------------------------- */

static int refused(void *data)
{
	const char *path = data;
	struct rlimit limit = {64, 64};

	if (child_confine() != 0)
		return 1;
	CHILD_EXPECT(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) < 0 && errno == EPERM);
	CHILD_EXPECT(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	/* Its owner may write it; the filter says no. */
	CHILD_EXPECT(open(path, O_WRONLY | O_CLOEXEC) < 0 && errno == EPERM);
	CHILD_EXPECT(open(path, O_RDWR | O_CLOEXEC) < 0 && errno == EPERM);
	CHILD_EXPECT(open(path, O_RDONLY | O_TRUNC | O_CLOEXEC) < 0 && errno == EPERM);
	CHILD_EXPECT(open("/tmp/nflogd-test-new", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) < 0 &&
		     errno == EPERM);
	CHILD_EXPECT(setrlimit(RLIMIT_NOFILE, &limit) < 0 && errno == EPERM);
	CHILD_EXPECT(syscall(SYS_setresuid, 0, 0, 0) < 0 && errno == EPERM);
	return 0;
}

static void other_sockets_and_all_writing_of_files_give_eperm(void **state)
{
	char path[] = "/tmp/nflogd-test-own-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	(void)close(fd);
	assert_int_equal(child_run(refused, path), 0);
	assert_int_equal(unlink(path), 0);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED /* these the sanitizers need themselves */
static int makes_no_process_and_no_code(void *data)
{
	int *parent = data;
	void *page;

	if (child_confine() != 0)
		return 1;
	CHILD_EXPECT(fork() < 0 && errno == EPERM);
	CHILD_EXPECT(kill(*parent, 0) < 0 && errno == EPERM);
	CHILD_EXPECT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 && errno == EPERM);
	CHILD_EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
		     errno == EPERM);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_EXPECT(page != MAP_FAILED);
	CHILD_EXPECT(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM);
	return 0;
}

static void no_process_no_signal_to_another_and_no_code_from_memory(void **state)
{
	int parent = getpid();

	(void)state;
	assert_int_equal(child_run(makes_no_process_and_no_code, &parent), 0);
}

static int traces(void *data)
{
	(void)data;
	return child_confine() != 0 || syscall(SYS_ptrace, 0, 0, NULL, NULL) == 0;
}

static void tracing_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(child_run(traces, NULL), -SIGSYS);
}
#endif

/* --- allowed ------------------------------------------------------------------------------- */

static void *wakes(void *data)
{
	(void)pthread_setname_np(pthread_self(), "test");
	return eventfd_write(*(int *)data, 1) == 0 ? data : NULL;
}

static int thread_wakes_epoll(void)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event wanted = {.events = EPOLLIN};
	struct epoll_event got;
	void *woke = NULL;
	pthread_t thread;

	CHILD_EXPECT(event >= 0 && timer >= 0 && epoll >= 0);
	CHILD_EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) == 0);
	CHILD_EXPECT(pthread_create(&thread, NULL, wakes, &event) == 0);
	CHILD_EXPECT(epoll_wait(epoll, &got, 1, 10000) == 1);
	CHILD_EXPECT(pthread_join(thread, &woke) == 0 && woke == &event);
	(void)close(event);
	(void)close(timer);
	(void)close(epoll);
	return 0;
}

/* An abstract address: nothing is left behind. */
static int unix_sockets_talk(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char byte = 0;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int server;

	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "nflogd-test-%d",
		       getpid());
	CHILD_EXPECT(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHILD_EXPECT(listen(listener, 1) == 0);
	CHILD_EXPECT(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHILD_EXPECT(server >= 0);
	CHILD_EXPECT(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0);
	CHILD_EXPECT(send(client, "x", 1, MSG_NOSIGNAL) == 1);
	CHILD_EXPECT(recv(server, &byte, 1, 0) == 1 && byte == 'x');
	(void)close(server);
	(void)close(client);
	(void)close(listener);
	return 0;
}

static int reads(void)
{
	char bytes[64];
	struct rlimit limit;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	CHILD_EXPECT(fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0);
	CHILD_EXPECT(close(fd) == 0);
	CHILD_EXPECT(getpwnam("nobody"));
	CHILD_EXPECT(!getpwnam("no-such-user"));
	CHILD_EXPECT(getgrnam("root"));
	CHILD_EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	return 0;
}

/* The opener, which is a child from before. */
static int reaps(pid_t opener)
{
	int status = 0;

	CHILD_EXPECT(waitpid(opener, &status, 0) == opener);
	CHILD_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	return 0;
}

static int works(void *data)
{
	pid_t opener = fork();
	int fd;

	(void)data;
	if (opener == 0)
		_exit(3);
	if (child_confine() != 0)
		return 1;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHILD_EXPECT(fd >= 0 && close(fd) == 0);
	return reads() || unix_sockets_talk() || thread_wakes_epoll() || reaps(opener);
}

static void threads_sockets_reading_accounts_and_the_end_of_a_child_work(void **state)
{
	(void)state;
	assert_int_equal(child_run(works, NULL), 0);
}

static int aborts(void *data)
{
	(void)data;
	if (child_confine() != 0)
		return 1;
	abort();
}

static void abort_ends_the_process_as_ever(void **state)
{
	(void)state;
	assert_int_equal(child_run(aborts, NULL), -SIGABRT);
}

int confine_suite(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_only_an_attacker_does_ends_the_process),
	    cmocka_unit_test(other_sockets_and_all_writing_of_files_give_eperm),
#ifndef SANITIZED
	    cmocka_unit_test(no_process_no_signal_to_another_and_no_code_from_memory),
	    cmocka_unit_test(tracing_ends_the_process),
#endif
	    cmocka_unit_test(threads_sockets_reading_accounts_and_the_end_of_a_child_work),
	    cmocka_unit_test(abort_ends_the_process_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
