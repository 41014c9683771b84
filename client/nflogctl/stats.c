/* SPDX-License-Identifier: MIT */
/* nflogctl stats: the counters of sources and subscriptions, once or again and again with rates. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"
#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "interrupt.h"
#include "report.h"

struct stats_settings {
	struct report_settings report;
	bool watch;
	uint32_t interval_ms; /* 0: not given */
	uint64_t count;       /* 0: without end */
};

static struct stats_settings settings;

#define DEFAULT_INTERVAL_MS 2000

#define FIELD(name) offsetof(struct stats_settings, name)

static const struct option_spec options[] = {
    {"output", 'o', "FORMAT", FIELD(report.json), parse_report_format, "table (default) or json"},
    {"utc", 0, NULL, FIELD(report.utc), parse_flag, "times in UTC"},
    {"watch", 'w', NULL, FIELD(watch), parse_flag,
     "again and again, with packets a second;\nJSON: one object a line"},
    {"interval", 'i', "SECONDS", FIELD(interval_ms), parse_interval,
     "of --watch: so often (default: 2)"},
    {"count", 'c', "NUMBER", FIELD(count), parse_count, "of --watch: end after so many times"},
};

/* A terminal shows the newest answer alone. */
static void begin_block(bool first)
{
	const char *term = getenv("TERM");

	if (isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0)
		(void)fputs("\033[H\033[J", stdout);
	else if (!first)
		(void)putchar('\n');
}

static int show(const struct nfl_client_stats *now, const struct nfl_client_stats *before)
{
	struct answers_stats stats = {.now = now, .before = before, .utc = settings.report.utc};
	struct json json = {.f = stdout};

	if (!settings.report.json)
		return answers_print_stats(&stats);
	json_open(&json, NULL, '{');
	answers_put_stats(&json, &stats);
	json_close(&json, '}');
	(void)putchar('\n');
	return 0;
}

/* Shows the next counters. Returns an exit code. */
static int step(struct nfl_client *client, bool first, struct nfl_client_stats **before)
{
	struct nfl_client_error err = {0};
	struct nfl_client_stats *now = NULL;
	int r = nfl_client_get_stats(client, REPORT_TIMEOUT_MS, &now, &err);

	if (r < 0)
		return complain_call(r, err.code, err.message);
	if (settings.watch && !settings.report.json)
		begin_block(first);
	r = show(now, *before);
	nfl_client_stats_free(*before);
	*before = now;
	return r < 0 ? complain_call(r, 0, "") : EXIT_DONE;
}

/* Until the time has come for the next counters; false: a signal came first. */
static bool wait_until(int64_t at_ns)
{
	int64_t left_ns = at_ns - monotonic_ns();
	sigset_t set;
	struct timespec timeout;

	if (left_ns < 0)
		left_ns = 0;
	timeout = (struct timespec){.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	return sigtimedwait(&set, NULL, &timeout) < 0;
}

/* A server that is away for a while is told of, and asked again. Returns an exit code. */
static int watch(struct nfl_client *client)
{
	CLEANUP(answers_stats_freep) struct nfl_client_stats *before = NULL;
	uint32_t interval_ms = settings.interval_ms ? settings.interval_ms : DEFAULT_INTERVAL_MS;
	int64_t at_ns = monotonic_ns();
	int r = EXIT_DONE;

	for (uint64_t done = 0; settings.count == 0 || done < settings.count; done++) {
		if (!wait_until(at_ns))
			return EXIT_INTERRUPTED;
		r = step(client, done == 0, &before);
		if (r != EXIT_DONE && (done == 0 || r != EXIT_UNAVAILABLE))
			return r;
		if (fflush(stdout) != 0 || ferror(stdout))
			return r; /* main() tells why */
		at_ns += interval_ms * NS_PER_MS;
		if (at_ns < monotonic_ns())
			at_ns = monotonic_ns(); /* the server took longer than that */
	}
	return r;
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(answers_stats_freep) struct nfl_client_stats *now = NULL;
	int r;

	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	if (!settings.watch && (settings.interval_ms || settings.count))
		return complain_usage(command, "--interval and --count are for --watch");
	if (settings.watch)
		interrupt_block();
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	return settings.watch ? watch(client) : step(client, true, &now);
}

const struct command command_stats = {
    .name = "stats",
    .arguments = "",
    .summary = "show the counters of sources and subscriptions",
    .text = "Show what every source that you may read has received and lost, and the running\n"
	    "subscriptions of your tenant; with --watch again and again, with packets a second.",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &settings,
    .run = run,
};
