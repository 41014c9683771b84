/* SPDX-License-Identifier: MIT */
/*
 * Builds the daemon from the configuration in the one order that works, and takes it down again.
 *
 * Signals are blocked and every namespace that exists is entered before gRPC starts its threads: they
 * inherit the signal mask, and one made in another namespace would stay there for ever. Main then
 * waits for signals, and wakes rpc for the keeper, which enters namespaces and so calls nothing of
 * gRPC.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "deadline.h"
#include "history.h"
#include "intake.h"
#include "keeper.h"
#include "log.h"
#include "notify.h"
#include "opener.h"
#include "plan.h"
#include "presence.h"
#include "rpc.h"
#include "source.h"
#include "wanted.h"

#define DEFAULT_SOCKET "/run/nflogd/nflogd.sock"
#define DEFAULT_FOLDER "/run/nflogd"

/* The promise is 5 s from the signal to the end. Intake needs 1 s at most. */
#define STOP_MAX_MS   4800
#define STOP_GRACE_MS 3000

#define SCAN_MAX_MS 30000 /* thousands of namespaces on a busy machine */

#define QUOTED_BYTES 600 /* of an error text or a path in a log line */

struct server {
	struct history *history;
	struct history_account **accounts; /* owned, one for each tenant; NULL: has no budget */
	size_t account_count;
	struct registry *registry;
	struct intake *intake;
	struct opener *opener;
	struct keeper *keeper;
	struct rpc *rpc;
	int signal_fd;
	int changed_fd; /* eventfd: the keeper has changed sources */
};

static void server_done(struct server *server)
{
	keeper_free(server->keeper);
	intake_free(server->intake);
	rpc_free(server->rpc);
	registry_free(server->registry);
	for (size_t i = 0; i < server->account_count; i++)
		history_account_free(server->accounts[i]);
	free(server->accounts);
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

/* gRPC's listener dies for good when accept runs out of descriptors (CVE-2023-4785). */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("server.limit", "error=\"RLIMIT_NOFILE stays as it is\"");
}

/* --- sources ----------------------------------------------------------------------------- */

static int make_accounts(struct server *server, const struct config *config)
{
	server->accounts = calloc(config->tenant_count, sizeof(struct history_account *));
	if (!server->accounts)
		return -ENOMEM;
	server->account_count = config->tenant_count;
	for (size_t i = 0; i < config->tenant_count; i++) {
		uint64_t bytes = config->tenants[i].limits.history_bytes;
		int r =
		    bytes ? history_account_new(server->history, bytes, &server->accounts[i]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static void tell_main(void *data)
{
	struct server *server = data;
	const uint64_t one = 1;

	(void)!write(server->changed_fd, &one, sizeof(one)); /* full: it is told already */
}

static int make_keeper(struct server *server, const struct config *config, struct rules *rules)
{
	const struct keeper_options options = {
	    .rules = rules,
	    .log_bytes = config->history.bytes_per_source,
	    .changed = tell_main,
	    .data = server,
	};

	server->changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->changed_fd < 0)
		return -errno;
	return keeper_new(&options, server->opener, server->registry, server->intake,
			  &server->keeper);
}

static int start_opener(struct server *server, struct rules *rules)
{
	const struct opener_options options = {.rules = rules, .names = PRESENCE_NAMES};

	return opener_start(&options, &server->opener);
}

static int open_sources(struct server *server, const struct config *config)
{
	CLEANUP(rules_done) struct rules rules = {0};
	int r = history_new(config->history.bytes_total, &server->history);

	if (r == 0)
		r = make_accounts(server, config);
	if (r == 0)
		r = plan_make(config, server->accounts, &rules);
	if (r == 0)
		r = start_opener(server, &rules);
	if (r == 0)
		r = take_signals(server);
	if (r == 0)
		r = registry_new(server->history, &server->registry);
	if (r == 0)
		r = intake_new(server->registry, &server->intake);
	if (r == 0)
		r = make_keeper(server, config, &rules);
	if (r == 0)
		r = keeper_scan(server->keeper, SCAN_MAX_MS);
	if (r < 0)
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	return r;
}

/* --- gRPC -------------------------------------------------------------------------------- */

/* systemd makes it (RuntimeDirectory=); a daemon started by hand has to. */
static void make_default_folder(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		const char *path = config->listens[i].unix_path;

		if (path && strcmp(path, DEFAULT_SOCKET) == 0 && mkdir(DEFAULT_FOLDER, 0755) < 0 &&
		    errno != EEXIST)
			log_warn("server.folder", "path=%s error=\"%s\"", DEFAULT_FOLDER,
				 strerrordesc_np(errno));
	}
}

/* Of two limits; 0, none, is looser than any. */
static uint64_t looser(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return 0;
	return a > b ? a : b;
}

/* As long as tenants are not told apart, each has what the most generous limits allow. */
static struct config_limits loosest_limits(const struct config *config)
{
	struct config_limits loosest =
	    config->tenant_count ? config->tenants[0].limits : (struct config_limits){0};

	for (size_t i = 1; i < config->tenant_count; i++) {
		const struct config_limits *limits = &config->tenants[i].limits;

		if (limits->subscriptions > loosest.subscriptions)
			loosest.subscriptions = limits->subscriptions;
		if (limits->stall_timeout_ms > loosest.stall_timeout_ms)
			loosest.stall_timeout_ms = limits->stall_timeout_ms;
		loosest.payload_bytes =
		    (uint32_t)looser(loosest.payload_bytes, limits->payload_bytes);
		loosest.packets_per_second =
		    looser(loosest.packets_per_second, limits->packets_per_second);
	}
	return loosest;
}

/* Texts are the configuration's. */
static void set_endpoint(const struct config_listen *listen, struct rpc_tls *tls,
			 struct rpc_endpoint *endpoint)
{
	*tls = (struct rpc_tls){
	    .certificate = listen->tls.certificate,
	    .private_key = listen->tls.private_key,
	    .client_ca = listen->tls.client_ca,
	};
	*endpoint = (struct rpc_endpoint){
	    .unix_path = listen->unix_path,
	    .mode = listen->mode,
	    .group = listen->group,
	    .tcp = listen->tcp,
	    .tls = listen->tls.given ? tls : NULL,
	};
}

static int open_rpc(struct server *server, const struct config *config)
{
	CLEANUP(freep)
	struct rpc_endpoint *endpoints = calloc(config->listen_count, sizeof(struct rpc_endpoint));
	CLEANUP(freep) struct rpc_tls *tls = calloc(config->listen_count, sizeof(struct rpc_tls));
	const struct config_limits limits = loosest_limits(config);
	struct rpc_options options = {
	    .endpoints = endpoints,
	    .endpoint_count = config->listen_count,
	    .version = NFLOGD_VERSION,
	    .tenant = config->tenant_count == 1 ? config->tenants[0].name : "all",
	    .config_load_time_ns = config->load_time_ns,
	    .max_subscriptions = limits.subscriptions,
	    .max_payload_bytes = limits.payload_bytes,
	    .packets_per_second = limits.packets_per_second,
	    .stall_timeout_ns = limits.stall_timeout_ms * NS_PER_MS,
	};
	struct rpc_error err = {0};
	char text[QUOTED_BYTES];
	int r;

	if (!endpoints || !tls) {
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; i < config->listen_count; i++)
		set_endpoint(&config->listens[i], &tls[i], &endpoints[i]);
	make_default_folder(config);
	r = rpc_new(&options, server->registry, &server->rpc, &err);
	if (r < 0)
		log_error("server.failed", "error=%s", log_quote(text, sizeof(text), err.text));
	return r;
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

static int configure(int fd, const char *netns, uint16_t group, void *data)
{
	const struct server *server = data;

	return opener_configure(server->opener, fd, netns, group, NULL);
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
	if (r < 0) {
		intake_stop(server->intake);
		rpc_stop(server->rpc, 0);
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	}
	return r;
}

/* The keeper has news: streams are to look, and so may people. */
static void pass_on(struct server *server)
{
	struct keeper_counts counts = keeper_counts(server->keeper);
	uint64_t times;

	(void)!read(server->changed_fd, &times, sizeof(times)); /* that it is readable says all */
	rpc_wake(server->rpc);
	(void)notify_status("%zu of %zu sources listening", counts.listening, counts.sources);
}

/* The signal that ends the daemon, or 0. */
static int take_signal(const struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP)
		return (int)info.ssi_signo;
	log_warn("config.reload", "error=\"not available in this version\" "
				  "effect=\"the configuration stays as it is\"");
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

/* Returns the signal that ends the daemon. */
static int wait_for_end(struct server *server)
{
	int64_t ping_ns = 0;
	int end = 0;

	while (!end) {
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
static void stop(struct server *server, int signal_number)
{
	int64_t deadline_ns = monotonic_ns() + STOP_MAX_MS * NS_PER_MS;
	struct deadline deadline;
	bool has_deadline;

	(void)notify_stopping();
	log_info("server.stopping", "signal=%s", sigabbrev_np(signal_number));
	has_deadline = deadline_start(&deadline, deadline_ns) == 0;
	keeper_stop(server->keeper);
	intake_stop(server->intake);
	rpc_stop(server->rpc, STOP_GRACE_MS);
	server_done(server);
	*server = (struct server){.signal_fd = -1, .changed_fd = -1};
	log_info("server.stopped", "signal=%s", sigabbrev_np(signal_number));
	if (has_deadline)
		deadline_stop(&deadline);
}

int serve(const struct config *config)
{
	CLEANUP(server_done) struct server server = {.signal_fd = -1, .changed_fd = -1};
	struct keeper_counts counts;

	raise_descriptor_limit();
	if (open_sources(&server, config) < 0 || open_rpc(&server, config) < 0 ||
	    start(&server) < 0)
		return 1;
	counts = keeper_counts(server.keeper);
	log_info("server.started", "version=%s epoch=%s sources=%zu listening=%zu", NFLOGD_VERSION,
		 rpc_epoch(server.rpc), counts.sources, counts.listening);
	(void)notify_status("%zu of %zu sources listening", counts.listening, counts.sources);
	(void)notify_ready();
	stop(&server, wait_for_end(&server));
	return 0;
}
