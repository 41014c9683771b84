/* SPDX-License-Identifier: MIT */
/*
 * nflogctl top: who logs most, now. A thread reads the stream and counts; main waits for keys,
 * signals and the next second, and draws. Signals are blocked and come through a descriptor, so
 * that every end of the program gives the terminal back.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "filter_options.h"
#include "options.h"
#include "top_count.h"
#include "top_screen.h"

struct top_settings {
	struct text_list netns;
	struct group_list groups;
	uint32_t interval_ms;
	struct filter_settings filter;
};

static struct top_settings settings = {.interval_ms = 1000};

#define FIELD(name) offsetof(struct top_settings, name)

static const struct option_spec options[] = {
    {"netns", 'n', "NAME", FIELD(netns), parse_texts,
     "only this network namespace; may be repeated\n(default: all you may read)"},
    {"group", 'g', "NUMBER", FIELD(groups), parse_groups, "only this NFLOG group; may be repeated"},
    {"interval", 0, "SECONDS", FIELD(interval_ms), parse_interval, "draw so often (default: 1)"},
    FILTER_OPTIONS(FIELD(filter)),
};

struct top {
	struct nfl_client_stream *stream; /* owned */
	struct top_count count;
	struct top_screen screen;
	struct top_snapshot *snapshot; /* owned */
	pthread_t reader;
	bool reading; /* there is a reader to be joined */
	int over_fd;  /* readable when the reader has ended */
	int signal_fd;
	int64_t counted_ns; /* monotonic: of the snapshot */
	int result;         /* of nfl_client_next(); main's after the join */
};

/* --- the reader -------------------------------------------------------------------------- */

static void *read_stream(void *data)
{
	struct top *top = data;
	struct nfl_client_event event;
	int r;

	while ((r = nfl_client_next(top->stream, -1, &event)) == 1)
		top_count_event(&top->count, &event);
	top->result = r;
	(void)eventfd_write(top->over_fd, 1); /* of 2^64 - 1 possible ones the first: cannot fail */
	return NULL;
}

static void end_reader(struct top *top)
{
	if (!top->reading)
		return;
	nfl_client_cancel(top->stream);
	(void)pthread_join(top->reader, NULL);
	top->reading = false;
}

/* --- signals ----------------------------------------------------------------------------- */

static void watched_signals(sigset_t *set)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT};

	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(set, numbers[i]);
}

/* Returns -1 to go on, or an exit code. */
static int take_signals(struct top *top)
{
	struct signalfd_siginfo info;

	while (read(top->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			top_screen_suspend(&top->screen);
		else if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			top_screen_resize(&top->screen);
		else
			return EXIT_INTERRUPTED;
	}
	return -1;
}

/* --- main's loop ------------------------------------------------------------------------- */

/* Counts anew where it is time, and not paused. */
static void take_snapshot(struct top *top, bool now)
{
	int64_t now_ns = monotonic_ns(), passed_ns = now_ns - top->counted_ns;

	if (!now && (top->screen.paused || passed_ns < settings.interval_ms * NS_PER_MS))
		return;
	top_count_snapshot(&top->count, (double)passed_ns / (double)NS_PER_S, top->snapshot);
	top->counted_ns = now_ns;
}

/* Returns -1 to go on, or an exit code. */
static int take_keys(struct top *top)
{
	switch (top_screen_keys(&top->screen)) {
	case TOP_WISH_NONE:
		break;
	case TOP_WISH_QUIT:
		return EXIT_DONE;
	case TOP_WISH_CLEAR:
		top_count_clear(&top->count);
		take_snapshot(top, true);
		break;
	}
	return -1;
}

static int wait_ms(const struct top *top)
{
	int64_t left_ns = top->counted_ns + settings.interval_ms * NS_PER_MS - monotonic_ns();

	if (top->screen.paused)
		return -1;
	return left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0;
}

/* Until a key, a signal or the end of the stream ends it. Returns an exit code. */
static int show(struct top *top)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = top->signal_fd, .events = POLLIN},
			       {.fd = top->over_fd, .events = POLLIN}};
	int r = -1;

	take_snapshot(top, true);
	while (r < 0) {
		top_screen_draw(&top->screen, top->snapshot);
		if (poll(fds, ARRAY_SIZE(fds), wait_ms(top)) < 0 && errno != EINTR)
			return EXIT_ERROR;
		if (fds[2].revents)
			return EXIT_DONE; /* the reader's result says why */
		r = take_signals(top);
		if (r < 0 && fds[0].revents & (POLLHUP | POLLERR))
			return EXIT_INTERRUPTED; /* the terminal is gone */
		if (r < 0 && fds[0].revents)
			r = take_keys(top);
		take_snapshot(top, false);
	}
	return r;
}

/* The terminal is as it was: now there is room for words. */
static int finish(const struct top *top, int r)
{
	const struct nfl_client_status *status = nfl_client_status(top->stream);

	if (r != EXIT_DONE || top->result == -ECANCELED)
		return r;
	return top->result < 0 ? complain_call(top->result, status->code, status->message) : r;
}

static int complain_screen(int r)
{
	const char *term = getenv("TERM");

	if (r == -ENOTTY)
		return complain_usage(&command_top, "top needs a terminal; nflogctl stats --watch "
						    "does not");
	complain("this terminal is not known: TERM=%s", term ? term : "");
	return EXIT_ERROR;
}

static int start_reader(struct top *top)
{
	int r = -pthread_create(&top->reader, NULL, read_stream, top);

	top->reading = r == 0;
	return r;
}

static void top_done(struct top *top)
{
	end_reader(top);
	nfl_client_stream_free(top->stream);
	top_count_done(&top->count);
	free(top->snapshot);
	closep(&top->over_fd);
	closep(&top->signal_fd);
}

static int open_parts(struct top *top, struct nfl_client *client)
{
	const struct nfl_client_subscribe_options request = {
	    .size = sizeof(request),
	    .netns = settings.netns.items,
	    .netns_count = settings.netns.count,
	    .groups = settings.groups.items,
	    .group_count = settings.groups.count,
	    .include = settings.filter.include.items,
	    .include_count = settings.filter.include.count,
	    .exclude = settings.filter.exclude.items,
	    .exclude_count = settings.filter.exclude.count,
	    .label = "nflogctl top",
	};
	sigset_t set;
	int r;

	watched_signals(&set);
	top->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	top->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (top->signal_fd < 0 || top->over_fd < 0)
		return -errno;
	top->snapshot = calloc(1, sizeof(*top->snapshot));
	if (!top->snapshot)
		return -ENOMEM;
	r = top_count_init(&top->count);
	return r == 0 ? nfl_client_subscribe(client, &request, &top->stream) : r;
}

static int show_stream(struct nfl_client *client, const char *server)
{
	CLEANUP(top_done)
	struct top top = {.over_fd = -1, .signal_fd = -1, .screen = {.server = server}};
	int code = EXIT_ERROR, r = open_parts(&top, client);

	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	top.counted_ns = monotonic_ns();
	r = top_screen_open(&top.screen);
	if (r < 0)
		return complain_screen(r);
	r = start_reader(&top);
	if (r == 0)
		code = show(&top);
	top_screen_close(&top.screen);
	end_reader(&top);
	if (r < 0)
		complain("%s", strerror(-r));
	return finish(&top, code);
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	sigset_t set;
	int r;

	(void)command;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return complain_screen(-ENOTTY);
	watched_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	r = filter_finish(&settings.filter, argc, argv);
	if (r == EXIT_DONE)
		r = open_client(common, &client);
	if (r == EXIT_DONE)
		r = show_stream(client, server_address(common, 0));
	filter_settings_done(&settings.filter);
	return r;
}

const struct command command_top = {
    .name = "top",
    .arguments = "[TCPDUMP-EXPRESSION]",
    .summary = "show live which sources, prefixes and flows log most",
    .text = "Show a live table of the packets that are logged, by source, by prefix or by\n"
	    "flow, on the whole terminal. Keys: q quits; Tab, 1, 2, 3 switch the view; < and >\n"
	    "choose the column to sort by; space pauses; up, down and page keys scroll; c\n"
	    "counts anew.",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &settings,
    .run = run,
};
