/* SPDX-License-Identifier: MIT */
/*
 * opener: a real warden and a real worker, which need no rights to look, to refuse and to survive
 *
 * What needs rights, sockets in namespaces, is shown end to end. Here the test plays the daemon, also
 * one that is in the hands of an attacker: opener_fd() is its end of the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "opener.h"
#include "protocol.h"

#define PATIENCE_NS    (20 * NS_PER_S)
#define GROUP          100
#define ADAPTIVE_GROUP 102

/* What the reports say, as text: "{host}" is a whole report of one name, "+a" and "-a" are changes. */
struct fixture {
	char folder[64];
	char ended[96]; /* a file that the warden writes a byte to when it ends */
	char gate[96];  /* a file: while it exists, a reload fails */
	struct rules rules;
	struct opener *opener;
	char told[512];
	uint64_t dev; /* of "host" */
	uint64_t inode;
};

/* --- in the opener ----------------------------------------------------------------------- */

static void note_end(void *data)
{
	const struct fixture *f = data;
	int fd = open(f->ended, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)!write(fd, "x", 1);
	(void)close(fd);
}

/* The configuration as it is now: only group 7 of the host. */
static int reload(void *data, struct rules *ret)
{
	const struct fixture *f = data;
	const struct rule rule = {.kind = PRESENCE_OWN, .first = 7, .last = 7};

	if (access(f->gate, F_OK) == 0)
		return -EBADMSG;
	if (rules_add(ret, PRESENCE_HOST, &rule) < 0)
		return -ENOMEM;
	rules_sort(ret);
	return 0;
}

/* --- fixture ----------------------------------------------------------------------------- */

static void start(struct fixture *f)
{
	const struct opener_options options = {
	    .rules = &f->rules, .names = f->folder, .reload = reload, .ended = note_end, .data = f};

	assert_int_equal(opener_start(&options, &f->opener), 0);
}

static int setup(void **state)
{
	static struct fixture f;
	const struct rule rule = {.kind = PRESENCE_OWN, .first = GROUP, .last = GROUP};
	const struct rule adaptive = {.kind = PRESENCE_OWN,
				      .first = ADAPTIVE_GROUP,
				      .last = ADAPTIVE_GROUP,
				      .wanted.options.profile = NFL_PROFILE_ADAPTIVE};

	memset(&f, 0, sizeof(f));
	strcpy(f.folder, "/tmp/nfl-opener-XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	(void)snprintf(f.ended, sizeof(f.ended), "%s/ended", f.folder);
	(void)snprintf(f.gate, sizeof(f.gate), "%s/gate", f.folder);
	assert_int_equal(rules_add(&f.rules, PRESENCE_HOST, &rule), 0);
	assert_int_equal(rules_add(&f.rules, PRESENCE_HOST, &adaptive), 0);
	rules_sort(&f.rules);
	*state = &f;
	return 0;
}

static int setup_started(void **state)
{
	(void)setup(state);
	start(*state);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	opener_stop(f->opener);
	rules_done(&f->rules);
	(void)unlink(f->ended);
	(void)unlink(f->gate);
	return rmdir(f->folder);
}

static void tell(const struct opener_event *event, void *data)
{
	struct fixture *f = data;
	size_t len = strlen(f->told);

	switch (event->kind) {
	case OPENER_ALL:
		(void)snprintf(f->told + len, sizeof(f->told) - len, "{");
		break;
	case OPENER_SPACE:
		(void)snprintf(f->told + len, sizeof(f->told) - len, "%s%s",
			       event->is_there ? "+" : "-", event->shown);
		f->dev = event->dev;
		f->inode = event->inode;
		break;
	case OPENER_END:
		(void)snprintf(f->told + len, sizeof(f->told) - len, "}");
		break;
	}
}

/* Takes reports until one is complete; returns what they said. */
static const char *next_report(struct fixture *f)
{
	int64_t deadline_ns = monotonic_ns() + PATIENCE_NS;

	f->told[0] = '\0';
	while (!strchr(f->told, '}')) {
		struct pollfd readable = {.fd = opener_fd(f->opener), .events = POLLIN};

		assert_true(monotonic_ns() < deadline_ns);
		if (!opener_has_events(f->opener))
			(void)poll(&readable, 1, 100);
		assert_int_equal(opener_take(f->opener, tell, f), 0);
	}
	return f->told;
}

/* --- the processes ----------------------------------------------------------------------- */

/* The only child of a process that is called so; 0: there is none. */
static pid_t find_child(pid_t parent, const char *name)
{
	char path[64], comm[64] = "";
	long child = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%ld", &child) != 1)
		child = 0;
	(void)fclose(file);
	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", child);
	file = child ? fopen(path, "re") : NULL;
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	(void)fclose(file);
	return strncmp(comm, name, strlen(name)) == 0 ? (pid_t)child : 0;
}

static pid_t await_child(pid_t parent, const char *name, pid_t other_than)
{
	int64_t deadline_ns = monotonic_ns() + PATIENCE_NS;
	pid_t child;

	do {
		assert_true(monotonic_ns() < deadline_ns);
		(void)poll(NULL, 0, 1); /* the pace of looking */
		child = find_child(parent, name);
	} while (child == 0 || child == other_than);
	return child;
}

static pid_t warden(void)
{
	return await_child(getpid(), "nflogd-warden", 0);
}

static pid_t worker(void)
{
	return await_child(warden(), "nflogd-opener", 0);
}

/* How often the warden has said that it ended; waits for at least once. */
static long await_ended(const struct fixture *f)
{
	int64_t deadline_ns = monotonic_ns() + PATIENCE_NS;
	struct stat st = {0};

	while (stat(f->ended, &st) < 0 || st.st_size == 0) {
		assert_true(monotonic_ns() < deadline_ns);
		(void)poll(NULL, 0, 1);
	}
	return (long)st.st_size;
}

/* --- what may be asked, whoever asks ----------------------------------------------------- */

static int open_group(struct fixture *f, const char *shown, uint16_t group)
{
	struct nfl_error err = {0};
	int fd = -1;
	int r = opener_open(f->opener, shown, f->dev, f->inode, group, &fd, &err);

	if (fd >= 0)
		close(fd);
	assert_true(r == 0 || err.text[0] != '\0');
	return r;
}

/* Answers, and as before: what is not configured is refused. */
static void assert_serves(struct fixture *f)
{
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP + 1), -EACCES);
}

static void first_report_has_all_that_there_is(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_string_equal(next_report(f), "{+host}");
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(f->dev, st.st_dev);
	assert_int_equal(f->inode, st.st_ino);
}

static void what_is_not_configured_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nfl_error err = {0};
	int fd = -1;

	(void)next_report(f);
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP - 1), -EACCES);
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP + 1), -EACCES);
	assert_int_equal(open_group(f, "red", GROUP), -EACCES);
	assert_int_equal(open_group(f, "", GROUP), -EACCES);
	assert_int_equal(open_group(f, "/proc/1/ns/net", GROUP), -EACCES);
	assert_int_equal(open_group(f, "../../proc/1/ns/net", GROUP), -EACCES);
	assert_int_equal(opener_links(f->opener, "red", f->dev, f->inode, &fd, &err), -EACCES);
	assert_int_equal(fd, -1);
}

static void another_namespace_than_reported_is_not_entered(void **state)
{
	struct fixture *f = *state;

	(void)next_report(f);
	f->inode++;
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP), -ESTALE);
	f->inode--;
	f->dev++;
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP), -ESTALE);
}

static void name_that_is_too_long_is_refused_on_this_side(void **state)
{
	struct fixture *f = *state;
	char name[PROTOCOL_TEXT_MAX + 1];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(open_group(f, name, GROUP), -ENAMETOOLONG);
	name[PROTOCOL_TEXT_MAX - 1] = '\0';
	assert_int_equal(open_group(f, name, GROUP), -EACCES);
}

static void only_netfilter_sockets_are_unbound(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(opener_unbind(f->opener, ends[0], GROUP), -EINVAL);
	assert_int_equal(opener_unbind(f->opener, STDERR_FILENO, GROUP), -EINVAL);
	assert_true(opener_unbind(f->opener, -1, GROUP) < 0);
	assert_int_equal(write(ends[0], "x", 1), 1); /* stays ours */
	close(ends[0]);
	close(ends[1]);
	assert_serves(f);
}

/* About what is no socket: -EINVAL once the rules have let it pass. */
static int configure(struct fixture *f, uint16_t group, unsigned batching)
{
	struct nfl_error err = {0};

	return opener_configure(f->opener, STDERR_FILENO, PRESENCE_HOST, group,
				(enum batching)batching, &err);
}

static void batchings_are_those_of_an_adaptive_group_and_no_other(void **state)
{
	struct fixture *f = *state;

	for (unsigned b = BATCHING_SINGLE; b <= BATCHING_LARGE; b++) {
		assert_int_equal(configure(f, ADAPTIVE_GROUP, b), -EINVAL);
		assert_int_equal(configure(f, GROUP, b), b == BATCHING_SINGLE ? -EINVAL : -EACCES);
		assert_int_equal(configure(f, GROUP + 1, b), -EACCES);
	}
	assert_int_equal(configure(f, ADAPTIVE_GROUP, BATCHING_LARGE + 1), -EACCES);
	assert_int_equal(configure(f, ADAPTIVE_GROUP, UINT32_MAX), -EACCES);
	assert_serves(f);
}

/* --- garbage ----------------------------------------------------------------------------- */

static void send_fds(int socket, const void *bytes, size_t len, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(200 * sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *header = (struct cmsghdr *)control;
	const int fd = STDERR_FILENO;

	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
	}
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(fd));
	assert_int_equal(sendmsg(socket, &message, MSG_NOSIGNAL), len);
}

static void datagram_of_no_bytes_ends_nothing(void **state)
{
	struct fixture *f = *state;
	pid_t before = worker();

	for (int i = 0; i < 10; i++)
		send_fds(opener_fd(f->opener), "", 0, (size_t)i % 2);
	assert_serves(f);
	assert_int_equal(worker(), before);
}

static void datagrams_of_every_size_end_nothing(void **state)
{
	static char bytes[3 * sizeof(struct protocol_request)];
	struct fixture *f = *state;
	pid_t before = worker();

	memset(bytes, 0xff, sizeof(bytes));
	for (size_t len = 1; len < sizeof(bytes); len += 61) {
		send_fds(opener_fd(f->opener), bytes, len, len % 3);
		if (len % 8 == 0)
			assert_serves(f); /* makes room in the socket as well */
	}
	assert_serves(f);
	assert_int_equal(worker(), before);
}

/* Of the right size, but with each field at its extremes, and with descriptors that do not belong. */
static void requests_out_of_their_wits_end_nothing(void **state)
{
	const uint32_t values[] = {0,         1, 2, 3, 4, 5, 6, 7, 99, UINT16_MAX, UINT16_MAX + 1,
				   UINT32_MAX};
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct fixture *f = *state;
	pid_t before = worker();

	for (size_t i = 0; i < count * count * 2; i++) {
		struct protocol_request request = {
		    .op = values[i % count],
		    .group = values[i / count % count],
		    .dev = UINT64_MAX,
		    .inode = i,
		    .seq = UINT32_MAX - (uint32_t)i,
		};

		memset(request.shown, i % 5 ? 'a' : '%', sizeof(request.shown) - i % 2);
		send_fds(opener_fd(f->opener), &request, sizeof(request), i % 4);
		if (i % 8 == 0)
			assert_serves(f);
	}
	assert_serves(f);
	assert_int_equal(worker(), before);
}

static void hundreds_of_descriptors_end_nothing(void **state)
{
	const struct protocol_request request = {.op = PROTOCOL_UNBIND, .group = GROUP};
	struct fixture *f = *state;
	pid_t before = worker();

	for (int i = 0; i < 50; i++) { /* ten thousand: more than it may have open */
		send_fds(opener_fd(f->opener), &request, sizeof(request), 200);
		assert_serves(f);
	}
	assert_int_equal(worker(), before);
}

/* Tries to, for so long at most. */
static bool send_within(int socket, const struct protocol_request *request, int64_t time_ns)
{
	int64_t deadline_ns = monotonic_ns() + time_ns;

	while (send(socket, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (monotonic_ns() > deadline_ns)
			return false;
		(void)poll(NULL, 0, 1);
	}
	return true;
}

static void daemon_that_does_not_read_its_answers_stops_nothing(void **state)
{
	const struct protocol_request request = {
	    .op = PROTOCOL_OPEN, .group = GROUP + 1, .shown = "host"};
	struct fixture *f = *state;

	(void)next_report(f);
	while (send_within(opener_fd(f->opener), &request, NS_PER_S / 5))
		; /* until the answers fill their side, and the requests then theirs */
	assert_true(send_within(opener_fd(f->opener), &request, PATIENCE_NS));
	assert_serves(f);
}

/* --- its life ---------------------------------------------------------------------------- */

static void signals_for_the_whole_group_do_not_end_it(void **state)
{
	const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct fixture *f = *state;
	pid_t before = worker();

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_int_equal(kill(before, signals[i]), 0);
		assert_int_equal(kill(warden(), signals[i]), 0);
		assert_serves(f);
	}
	assert_int_equal(worker(), before);
}

static void worker_that_was_killed_is_started_again_and_reports_all(void **state)
{
	struct fixture *f = *state;
	pid_t before = worker();

	assert_string_equal(next_report(f), "{+host}");
	assert_int_equal(kill(before, SIGKILL), 0);
	assert_string_equal(next_report(f), "{+host}");
	assert_true(await_child(warden(), "nflogd-opener", before) != before);
	assert_serves(f);
}

static void request_to_a_worker_that_dies_of_it_does_not_hang(void **state)
{
	struct fixture *f = *state;
	int64_t begun_ns = monotonic_ns();
	pid_t before = worker();

	(void)next_report(f);
	assert_int_equal(kill(before, SIGSTOP), 0); /* it has the request, and no answer comes */
	if (fork() == 0) {
		while (monotonic_ns() < begun_ns + NS_PER_S / 2)
			(void)poll(NULL, 0, 10);
		_exit(kill(before, SIGKILL));
	}
	assert_true(open_group(f, PRESENCE_HOST, GROUP + 1) < 0);
	assert_true(wait(NULL) > 0);
	assert_string_equal(next_report(f), "{+host}");
	assert_serves(f);
}

/* Not for ever, however many requests find no room in the socket. */
static void worker_that_hangs_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct protocol_request request = {.op = PROTOCOL_REPORT};
	pid_t before = worker();

	(void)next_report(f);
	assert_int_equal(kill(before, SIGSTOP), 0);
	while (send(opener_fd(f->opener), &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) >
	       0)
		; /* as many requests before it as there is room for */
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP), -ETIMEDOUT);
	assert_int_equal(kill(before, SIGCONT), 0);
	assert_serves(f);
}

/* What is said of the death is not taken for the answer to what is asked later. */
static void death_before_a_request_does_not_fail_it(void **state)
{
	struct fixture *f = *state;
	pid_t before = worker();
	int ends[2];

	(void)next_report(f);
	assert_int_equal(kill(before, SIGKILL), 0);
	(void)await_child(warden(), "nflogd-opener", before);
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP + 1), -EACCES);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(opener_unbind(f->opener, ends[0], GROUP), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

static void log_that_nobody_reads_ends_nothing(void **state)
{
	struct fixture *f = *state;
	int log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	int ends[2];

	assert_true(log >= 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	start(f);
	assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
	close(log);
	close(ends[0]);
	close(ends[1]);
	assert_string_equal(next_report(f), "{+host}");
	send_fds(opener_fd(f->opener), "x", 1, 0); /* the worker logs it */
	assert_serves(f);
	assert_int_equal(kill(worker(), SIGKILL), 0); /* the warden logs it */
	assert_string_equal(next_report(f), "{+host}");
	assert_serves(f);
}

static void warden_that_was_killed_is_the_end_for_good(void **state)
{
	struct fixture *f = *state;
	int64_t deadline_ns = monotonic_ns() + PATIENCE_NS;

	(void)next_report(f);
	assert_int_equal(kill(warden(), SIGKILL), 0);
	while (opener_take(f->opener, tell, f) == 0)
		assert_true(monotonic_ns() < deadline_ns);
	assert_int_equal(opener_take(f->opener, tell, f), -EPIPE);
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP), -EPIPE);
}

static void stop_ends_both_and_tells_once(void **state)
{
	struct fixture *f = *state;
	pid_t gone = worker();

	opener_stop(f->opener);
	f->opener = NULL;
	assert_int_equal(await_ended(f), 1);
	assert_int_equal(kill(gone, 0), -1);
}

static void worker_that_hangs_does_not_outlive_the_daemon(void **state)
{
	struct fixture *f = *state;

	(void)next_report(f);
	assert_int_equal(kill(worker(), SIGSTOP), 0);
	opener_stop(f->opener);
	f->opener = NULL;
	assert_int_equal(await_ended(f), 1);
}

/* The daemon is another process here, which is killed; what it leaves becomes ours. */
static void daemon_that_was_killed_leaves_no_process(void **state)
{
	struct fixture *f = *state;
	pid_t daemon;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	daemon = fork();
	if (daemon == 0) {
		start(f);
		(void)pause();
		_exit(0);
	}
	(void)await_child(await_child(daemon, "nflogd-warden", 0), "nflogd-opener", 0);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	assert_int_equal(await_ended(f), 1);
	while (wait(NULL) > 0)
		; /* all of them end: the daemon, the warden; the worker is the warden's */
	assert_int_equal(errno, ECHILD);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* --- reload ------------------------------------------------------------------------------ */

static void reload_takes_the_new_rules_and_reports_all_again(void **state)
{
	struct nfl_error err = {0};
	struct fixture *f = *state;

	assert_string_equal(next_report(f), "{+host}");
	assert_int_equal(open_group(f, PRESENCE_HOST, 7), -EACCES);
	assert_int_equal(opener_reload(f->opener, &err), 0);
	assert_string_equal(next_report(f), "{+host}");
	assert_int_equal(open_group(f, PRESENCE_HOST, GROUP), -EACCES);
	assert_int_not_equal(open_group(f, PRESENCE_HOST, 7), -EACCES);
}

static void reload_that_fails_changes_nothing(void **state)
{
	struct nfl_error err = {0};
	struct fixture *f = *state;
	int fd;

	(void)next_report(f);
	fd = open(f->gate, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(opener_reload(f->opener, &err), -EBADMSG);
	assert_true(err.text[0] != '\0');
	assert_int_equal(open_group(f, PRESENCE_HOST, 7), -EACCES);
	assert_int_not_equal(open_group(f, PRESENCE_HOST, GROUP), -EACCES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_started, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(first_report_has_all_that_there_is),
	    CASE(what_is_not_configured_is_refused),
	    CASE(another_namespace_than_reported_is_not_entered),
	    CASE(name_that_is_too_long_is_refused_on_this_side),
	    CASE(only_netfilter_sockets_are_unbound),
	    CASE(batchings_are_those_of_an_adaptive_group_and_no_other),
	    CASE(datagram_of_no_bytes_ends_nothing),
	    CASE(datagrams_of_every_size_end_nothing),
	    CASE(requests_out_of_their_wits_end_nothing),
	    CASE(hundreds_of_descriptors_end_nothing),
	    CASE(daemon_that_does_not_read_its_answers_stops_nothing),
	    CASE(signals_for_the_whole_group_do_not_end_it),
	    CASE(worker_that_was_killed_is_started_again_and_reports_all),
	    CASE(request_to_a_worker_that_dies_of_it_does_not_hang),
	    CASE(worker_that_hangs_is_not_waited_for),
	    CASE(death_before_a_request_does_not_fail_it),
	    cmocka_unit_test_setup_teardown(log_that_nobody_reads_ends_nothing, setup, teardown),
	    CASE(warden_that_was_killed_is_the_end_for_good),
	    CASE(stop_ends_both_and_tells_once),
	    CASE(worker_that_hangs_does_not_outlive_the_daemon),
	    cmocka_unit_test_setup_teardown(daemon_that_was_killed_leaves_no_process, setup,
					    teardown),
	    CASE(reload_takes_the_new_rules_and_reports_all_again),
	    CASE(reload_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
