/* SPDX-License-Identifier: MIT */
/*
 * Builds the daemon from the configuration in the one order that works, and takes it down again.
 *
 * Signals are blocked and every namespace is entered before gRPC starts its threads: they inherit
 * the signal mask, and one made in another namespace would stay there for ever. Main then waits for
 * signals; intake and rpc have threads of their own.
 */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "deadline.h"
#include "history.h"
#include "intake.h"
#include "log.h"
#include "notify.h"
#include "plan.h"
#include "rpc.h"
#include "source.h"

#define DEFAULT_SOCKET "/run/nflogd/nflogd.sock"
#define DEFAULT_FOLDER "/run/nflogd"

/* The promise is 5 s from the signal to the end. Intake needs 1 s at most. */
#define STOP_MAX_MS   4800
#define STOP_GRACE_MS 3000

#define QUOTED_BYTES 600 /* of an error text or a path in a log line */

struct server {
	struct history *history;
	struct registry *registry;
	struct intake *intake;
	struct rpc *rpc;
	size_t sources;
	size_t listening;
};

static void server_done(struct server *server)
{
	intake_free(server->intake);
	rpc_free(server->rpc);
	registry_free(server->registry);
	history_free(server->history);
}

static void block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, ret, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
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

static void log_source(const struct plan_source *planned, int r, const char *why)
{
	char text[QUOTED_BYTES];
	unsigned group = planned->options.group;

	if (r == 0)
		log_info("listener.bound", "netns=%s group=%u", planned->netns, group);
	else if (r == -ENOENT)
		log_warn("listener.waiting", "netns=%s group=%u error=%s", planned->netns, group,
			 log_quote(text, sizeof(text), why));
	else
		log_error("listener.failed", "netns=%s group=%u error=%s", planned->netns, group,
			  log_quote(text, sizeof(text), why));
}

static int open_source(struct server *server, const struct plan_source *planned, size_t log_bytes)
{
	const struct source_spec spec = {
	    .netns = planned->netns, .group = planned->options.group, .log_bytes = log_bytes};
	struct nfl_error err = {0};
	struct source *source;
	int r;

	r = registry_add(server->registry, &spec, &source);
	if (r < 0)
		return r;
	server->sources++;
	r = intake_add(server->intake, source, &planned->options, &err);
	server->listening += r == 0;
	log_source(planned, r, err.text);
	return 0;
}

static void plan_donep(struct plan *plan)
{
	plan_done(plan);
}

static int open_sources(struct server *server, const struct config *config)
{
	CLEANUP(plan_donep) struct plan plan = {0};
	int r;

	r = history_new(config->history.bytes_total, &server->history);
	if (r == 0)
		r = registry_new(server->history, &server->registry);
	if (r == 0)
		r = intake_new(server->registry, &server->intake);
	if (r == 0)
		r = plan_make(config, PLAN_NETNS_FOLDER, &plan);
	for (size_t i = 0; r == 0 && i < plan.count; i++)
		r = open_source(server, &plan.sources[i], config->history.bytes_per_source);
	if (r < 0)
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	else if (plan.count == 0)
		log_warn("server.no_sources", "effect=\"nothing can be subscribed to\"");
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

static uint32_t most_subscriptions(const struct config *config)
{
	uint32_t most = 0;

	for (size_t i = 0; i < config->tenant_count; i++)
		if (config->tenants[i].limits.subscriptions > most)
			most = config->tenants[i].limits.subscriptions;
	return most;
}

/* 0, no limit, is more than any number. */
static uint32_t most_payload_bytes(const struct config *config)
{
	uint32_t most = 0;

	for (size_t i = 0; i < config->tenant_count; i++) {
		uint32_t limit = config->tenants[i].limits.payload_bytes;

		if (limit == 0)
			return 0;
		if (limit > most)
			most = limit;
	}
	return most;
}

static int open_rpc(struct server *server, const struct config *config)
{
	CLEANUP(freep)
	struct rpc_endpoint *endpoints = calloc(config->listen_count, sizeof(struct rpc_endpoint));
	struct rpc_options options = {
	    .endpoints = endpoints,
	    .endpoint_count = config->listen_count,
	    .version = NFLOGD_VERSION,
	    .tenant = config->tenant_count == 1 ? config->tenants[0].name : "all",
	    .config_load_time_ns = config->load_time_ns,
	    .max_subscriptions = most_subscriptions(config),
	    .max_payload_bytes = most_payload_bytes(config),
	};
	struct rpc_error err = {0};
	char text[QUOTED_BYTES];
	int r;

	if (!endpoints) {
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; i < config->listen_count; i++)
		endpoints[i] = (struct rpc_endpoint){
		    .unix_path = config->listens[i].unix_path,
		    .mode = config->listens[i].mode,
		    .group = config->listens[i].group,
		    .tcp = config->listens[i].tcp,
		};
	make_default_folder(config);
	r = rpc_new(&options, server->registry, &server->rpc, &err);
	if (r < 0)
		log_error("server.failed", "error=%s", log_quote(text, sizeof(text), err.text));
	return r;
}

/* --- running ----------------------------------------------------------------------------- */

static void wake_rpc(void *data)
{
	rpc_wake(data);
}

static int start(struct server *server)
{
	int r = rpc_start(server->rpc);

	if (r == 0) {
		r = intake_start(server->intake, wake_rpc, server->rpc);
		if (r < 0)
			rpc_stop(server->rpc, 0);
	}
	if (r < 0)
		log_error("server.failed", "error=\"%s\"", strerrordesc_np(-r));
	return r;
}

/* Returns the signal that ends the daemon. */
static int wait_for_end(const sigset_t *signals)
{
	int64_t ping_ms = notify_watchdog_interval_ms();
	const struct timespec ping = {
	    .tv_sec = (time_t)(ping_ms / 1000),
	    .tv_nsec = (long)(ping_ms % 1000 * NS_PER_MS),
	};

	for (;;) {
		int got =
		    ping_ms > 0 ? sigtimedwait(signals, NULL, &ping) : sigwaitinfo(signals, NULL);

		if (got == SIGTERM || got == SIGINT)
			return got;
		if (got == SIGHUP)
			log_warn("config.reload", "error=\"not available in this version\" "
						  "effect=\"the configuration stays as it is\"");
		else if (got < 0 && errno == EAGAIN)
			(void)notify_watchdog(); /* nobody to tell of a failure but the manager */
	}
}

/* First the sources, so that streams get their last packets, then the streams. */
static void stop(struct server *server, int signal_number)
{
	int64_t deadline_ns = monotonic_ns() + STOP_MAX_MS * NS_PER_MS;
	struct deadline deadline;
	bool has_deadline;

	(void)notify_stopping();
	log_info("server.stopping", "signal=%s", sigabbrev_np(signal_number));
	has_deadline = deadline_start(&deadline, deadline_ns) == 0;
	intake_stop(server->intake);
	rpc_stop(server->rpc, STOP_GRACE_MS);
	server_done(server);
	*server = (struct server){0};
	log_info("server.stopped", "signal=%s", sigabbrev_np(signal_number));
	if (has_deadline)
		deadline_stop(&deadline);
}

int serve(const struct config *config)
{
	CLEANUP(server_done) struct server server = {0};
	sigset_t signals;

	block_signals(&signals);
	raise_descriptor_limit();
	if (open_sources(&server, config) < 0 || open_rpc(&server, config) < 0 ||
	    start(&server) < 0)
		return 1;
	log_info("server.started", "version=%s epoch=%s sources=%zu listening=%zu", NFLOGD_VERSION,
		 rpc_epoch(server.rpc), server.sources, server.listening);
	(void)notify_status("%zu of %zu sources listening", server.listening, server.sources);
	(void)notify_ready();
	stop(&server, wait_for_end(&signals));
	return 0;
}
