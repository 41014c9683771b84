/* SPDX-License-Identifier: MIT */
/*
 * Builds the daemon from the configuration in the one order that works, and takes it down again.
 *
 * First the opener is forked, while there is no thread, and the unix sockets are bound; then every
 * privilege is given up. Signals are blocked before gRPC starts its threads, which inherit the mask.
 * Main then waits for signals, and passes on to rpc what the keeper has changed.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "deadline.h"
#include "endpoints.h"
#include "history.h"
#include "intake.h"
#include "keeper.h"
#include "load.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "opener.h"
#include "options.h"
#include "plan.h"
#include "policy.h"
#include "presence.h"
#include "privileges.h"
#include "rpc.h"
#include "server.h"
#include "source.h"
#include "wanted.h"

/* The promise is 5 s from the signal to the end. Intake needs 1 s at most. */
#define STOP_MAX_MS   4800
#define STOP_GRACE_MS 3000

#define SCAN_MAX_MS 30000 /* thousands of namespaces on a busy machine */

static void server_done(struct server *server)
{
	metrics_free(server->metrics);
	keeper_free(server->keeper);
	intake_free(server->intake);
	rpc_free(server->rpc);
	rpc_unbind(server->sockets);
	registry_free(server->registry);
	budgets_done(&server->budgets);
	history_free(server->history);
	opener_stop(server->opener);
	closep(&server->signal_fd);
	closep(&server->changed_fd);
}

static int take_signals(struct server *server)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return server->signal_fd < 0 ? -errno : 0;
}

/* Before the limits of a user are all that there is. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("server.limit", "error=\"RLIMIT_NOFILE stays as it is\"");
}

/* --- with privileges ----------------------------------------------------------------------- */

static void accounts_freep(struct history_account ***accounts)
{
	free(*accounts);
}

int server_plan(struct server *server, const struct config *config, struct rules *ret)
{
	CLEANUP(accounts_freep)
	struct history_account **accounts =
	    calloc(config->tenant_count + 1, sizeof(struct history_account *));
	int r = accounts ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < config->tenant_count; i++)
		r = budgets_get(&server->budgets, server->history, config->tenants[i].name,
				config->tenants[i].limits.history_bytes, &accounts[i]);
	return r < 0 ? r : plan_make(config, accounts, ret);
}

/* In the opener: the rules of the file as it is now. */
static int read_rules(void *data, struct rules *ret)
{
	const struct server *server = data;
	struct config *config;
	bool is_file;
	int r = load_config(server->options, LOAD_DEFAULT_PATH, &config, &is_file, stderr);

	if (r < 0)
		return r;
	r = plan_make(config, NULL, ret);
	config_free(config);
	return r;
}

/* In the opener, after the daemon's end. */
static void clean_up(void *data)
{
	const struct server *server = data;

	endpoints_remove_stale(server->config);
}

static int start_opener(struct server *server, struct rules *rules)
{
	const struct opener_options options = {
	    .rules = rules,
	    .names = PRESENCE_NAMES,
	    .reload = server->is_file ? read_rules : NULL,
	    .ended = clean_up,
	    .data = server,
	};

	return opener_start(&options, &server->opener);
}

/* Says what it cannot read any more, before a reload finds out. */
static void check_file(const struct server *server)
{
	if (server->is_file && access(server->config->path, R_OK) < 0)
		log_warn("config.unreadable", "path=%s error=\"%s\" effect=\"no reload will work\"",
			 server->config->path, strerrordesc_np(errno));
}

static int fail(const char *text)
{
	log_error("server.failed", "error=\"%s\"", text);
	return -EPERM;
}

/* What is to be done as who started us; then we are nobody. */
static int give_up_privileges(struct server *server)
{
	struct privileges_user user = {.uid = geteuid(), .gid = getegid()};
	struct privileges_error err;
	int r = privileges_find_user(server->options->become, &user, &err);

	if (r < 0)
		return fail(err.text);
	endpoints_make_folder(server->config, user.uid, user.gid);
	if (endpoints_bind(server->config, &server->sockets) < 0)
		return -EADDRINUSE;
	if (privileges_drop(r > 0 ? &user : NULL, &err) < 0)
		return fail(err.text);
	if (r > 0)
		log_info("server.user", "name=%s uid=%u", user.name, user.uid);
	check_file(server);
	return 0;
}

/* --- without -------------------------------------------------------------------------------- */

static void tell_main(void *data)
{
	struct server *server = data;
	const uint64_t one = 1;

	(void)!write(server->changed_fd, &one, sizeof(one)); /* full: it is told already */
}

static int make_keeper(struct server *server, struct rules *rules)
{
	const struct keeper_options options = {
	    .rules = rules,
	    .log_bytes = server->config->history.bytes_per_source,
	    .changed = tell_main,
	    .data = server,
	};

	server->changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->changed_fd < 0)
		return -errno;
	return keeper_new(&options, server->opener, server->registry, server->intake,
			  &server->keeper);
}

static int open_sources(struct server *server, struct rules *rules)
{
	int r = take_signals(server);

	if (r == 0)
		r = registry_new(server->history, &server->registry);
	if (r == 0)
		r = intake_new(server->registry, &server->intake);
	if (r == 0)
		r = make_keeper(server, rules);
	if (r == 0)
		r = keeper_scan(server->keeper, SCAN_MAX_MS);
	if (r < 0)
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	return r;
}

/* The filter is there before gRPC is, with all its threads. */
static int open_rpc(struct server *server)
{
	struct policy *policy;
	struct privileges_error err;
	int r = load_policy(server->config, server->config->path, &policy, stderr);

	if (r < 0)
		return r;
	if (privileges_confine(&err) < 0)
		r = fail(err.text);
	else
		r = endpoints_open(server->config, TAKE_PTR(server->sockets), policy,
				   server->registry, &server->rpc);
	(void)policy_unref(policy);
	return r;
}

static int open_metrics(struct server *server)
{
	const struct metrics_options options = {
	    .listen = server->config->metrics_listen,
	    .version = NFLOGD_VERSION,
	    .registry = server->registry,
	    .rpc = server->rpc,
	};
	int r = options.listen ? metrics_open(&options, &server->metrics) : 0;

	if (r < 0)
		log_error("server.failed", "error=\"metrics: %s: %s\"", options.listen,
			  strerrordesc_np(-r));
	else if (options.listen)
		log_info("metrics.listening", "tcp=%s", options.listen);
	return r;
}

static int build(struct server *server)
{
	CLEANUP(rules_done) struct rules rules = {0};
	int r = history_new(server->config->history.bytes_total, &server->history);

	if (r == 0)
		r = server_plan(server, server->config, &rules);
	if (r == 0)
		r = start_opener(server, &rules);
	if (r < 0) {
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
		return r;
	}
	r = give_up_privileges(server);
	if (r == 0)
		r = open_sources(server, &rules);
	if (r == 0)
		r = open_rpc(server);
	return r < 0 ? r : open_metrics(server);
}

/* --- running ----------------------------------------------------------------------------- */

static void on_news(void *data)
{
	const struct server *server = data;

	rpc_wake(server->rpc);
}

static void on_failed(struct source *source, void *data)
{
	const struct server *server = data;

	(void)source; /* its state says all */
	keeper_feed_failed(server->keeper);
}

static int unbind(int fd, uint16_t group, void *data)
{
	const struct server *server = data;

	return opener_unbind(server->opener, fd, group);
}

static int configure(int fd, const char *netns, uint16_t group, enum batching batching, void *data)
{
	const struct server *server = data;

	return opener_configure(server->opener, fd, netns, group, batching, NULL);
}

static int start(struct server *server)
{
	const struct intake_events events = {.wake = on_news,
					     .failed = on_failed,
					     .unbind = unbind,
					     .configure = configure,
					     .data = server};
	int r = rpc_start(server->rpc);

	if (r == 0)
		r = intake_start(server->intake, &events);
	if (r == 0)
		r = keeper_start(server->keeper);
	if (r == 0 && server->metrics)
		r = metrics_start(server->metrics);
	if (r < 0) {
		intake_stop(server->intake);
		rpc_stop(server->rpc, 0);
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	}
	return r;
}

static void tell_status(const struct server *server)
{
	struct keeper_counts counts = keeper_counts(server->keeper);

	(void)notify_status("%zu of %zu sources listening", counts.listening, counts.sources);
}

/* The keeper has news: streams are to look, and so may people. */
static void pass_on(struct server *server)
{
	uint64_t times;

	(void)!read(server->changed_fd, &times, sizeof(times)); /* that it is readable says all */
	rpc_wake(server->rpc);
	tell_status(server);
}

/* The signal that ends the daemon, or 0. */
static int take_signal(struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP)
		return (int)info.ssi_signo;
	server_reload(server);
	return 0;
}

/* How long main may wait before the manager wants to hear of it; -1: for ever. */
static int ping_when_due(int64_t *next_ns)
{
	int64_t interval_ns = notify_watchdog_interval_ms() * NS_PER_MS;
	int64_t now_ns = monotonic_ns();

	if (interval_ns <= 0)
		return -1;
	if (now_ns >= *next_ns) {
		(void)notify_watchdog(); /* nobody to tell of a failure but the manager */
		*next_ns = now_ns + interval_ns;
	}
	return (int)((*next_ns - now_ns) / NS_PER_MS) + 1;
}

/* Returns the signal that ends the daemon, or 0: nothing can be opened any more. */
static int wait_for_end(struct server *server)
{
	int64_t ping_ns = 0;
	int end = 0;

	while (!end && !keeper_is_lost(server->keeper)) {
		struct pollfd fds[] = {{.fd = server->signal_fd, .events = POLLIN},
				       {.fd = server->changed_fd, .events = POLLIN}};

		if (poll(fds, ARRAY_SIZE(fds), ping_when_due(&ping_ns)) <= 0)
			continue;
		if (fds[1].revents)
			pass_on(server);
		if (fds[0].revents)
			end = take_signal(server);
	}
	return end;
}

/* First the keeper, so that nothing is opened any more; then the sources, so that streams get their
 * last packets; then the streams. */
static void stop(struct server *server, const char *reason)
{
	int64_t deadline_ns = monotonic_ns() + STOP_MAX_MS * NS_PER_MS;
	struct deadline deadline;
	bool has_deadline;

	(void)notify_stopping();
	log_info("server.stopping", "reason=\"%s\"", reason);
	has_deadline = deadline_start(&deadline, deadline_ns) == 0;
	rpc_drain(server->rpc);
	keeper_stop(server->keeper);
	intake_stop(server->intake);
	rpc_stop(server->rpc, STOP_GRACE_MS);
	server_done(server);
	*server = (struct server){.signal_fd = -1, .changed_fd = -1};
	log_info("server.stopped", "reason=\"%s\"", reason);
	if (has_deadline)
		deadline_stop(&deadline);
}

int serve(const struct options *options, const struct config *config, bool is_file)
{
	CLEANUP(server_done)
	struct server server = {.options = options,
				.config = config,
				.is_file = is_file,
				.signal_fd = -1,
				.changed_fd = -1};
	struct keeper_counts counts;
	int end;

	raise_descriptor_limit();
	if (build(&server) < 0 || start(&server) < 0)
		return 1;
	counts = keeper_counts(server.keeper);
	log_info("server.started", "version=%s epoch=%s sources=%zu listening=%zu", NFLOGD_VERSION,
		 rpc_epoch(server.rpc), counts.sources, counts.listening);
	tell_status(&server);
	(void)notify_ready();
	end = wait_for_end(&server);
	stop(&server, end ? sigabbrev_np(end) : "the opener process is lost");
	return end ? 0 : 1;
}
