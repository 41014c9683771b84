/* SPDX-License-Identifier: MIT */
/*
 * The server's life: made with its endpoints, started, stopped in order, freed.
 *
 * Stop: no new connection; gRPC refuses new calls; each completion thread ends its calls, streams
 * after what they have queued; what is left at the end of the grace time is cancelled; when gRPC
 * says that no call is left the threads end.
 */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <grpc/support/time.h>

#include "bearer.h"
#include "cleanup.h"
#include "clock.h"
#include "contract.h"
#include "core_log.h"
#include "endpoint.h"
#include "inlet.h"
#include "log.h"
#include "peers.h"
#include "policy.h"
#include "ports.h"
#include "tally.h"
#include "token.h"

#define KEEPALIVE_MS      30000
#define KEEPALIVE_WAIT_MS 10000
#define PING_INTERVAL_MS  10000 /* of a client without calls; more often is an offence */
#define CQ_MAX            16

static const struct rpc_limits default_limits = {
    .connections = 1024,
    .connections_per_user = 512,
    .streams_per_connection = 100,
    .anonymous_calls = 256,
    .request_bytes = TOKEN_BYTES_MAX + 65536,
    .header_bytes = 8192,
    .receive_bytes_per_second = 262144,
    .handshake_timeout_ms = 5000,
    .idle_timeout_ms = 300000,
};

static uint32_t given(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static struct rpc_limits limits_in_force(const struct rpc_limits *wanted)
{
	const struct rpc_limits *initial = &default_limits;

	return (struct rpc_limits){
	    .connections = given(wanted->connections, initial->connections),
	    .connections_per_user =
		given(wanted->connections_per_user, initial->connections_per_user),
	    .streams_per_connection =
		given(wanted->streams_per_connection, initial->streams_per_connection),
	    .anonymous_calls = given(wanted->anonymous_calls, initial->anonymous_calls),
	    .request_bytes = given(wanted->request_bytes, initial->request_bytes),
	    .header_bytes = given(wanted->header_bytes, initial->header_bytes),
	    .receive_bytes_per_second =
		given(wanted->receive_bytes_per_second, initial->receive_bytes_per_second),
	    .handshake_timeout_ms =
		given(wanted->handshake_timeout_ms, initial->handshake_timeout_ms),
	    .idle_timeout_ms = given(wanted->idle_timeout_ms, initial->idle_timeout_ms),
	};
}

static grpc_arg integer(const char *key, uint32_t value)
{
	/* gRPC's struct is older than const; it does not write. */
	return (grpc_arg){
	    .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = (int)value};
}

static grpc_server *server_new(const struct rpc_limits *limits)
{
	grpc_arg args[] = {
	    integer(GRPC_ARG_ALLOW_REUSEPORT, 0), /* or a second daemon shares the port silently */
	    integer(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits->streams_per_connection),
	    integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, limits->request_bytes),
	    integer(GRPC_ARG_MAX_METADATA_SIZE, limits->header_bytes),
	    integer(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits->handshake_timeout_ms),
	    integer(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits->idle_timeout_ms),
	    integer(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
	    integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_WAIT_MS),
	    integer(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MS),
	    integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1), /* none */
	    integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
	};
	grpc_channel_args list = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};

	return grpc_server_create(&list, NULL);
}

static int make_epoch(struct rpc *rpc)
{
	if (getrandom(&rpc->epoch_number, sizeof(rpc->epoch_number), 0) !=
		(ssize_t)sizeof(rpc->epoch_number) ||
	    getrandom(rpc->token_keys, sizeof(rpc->token_keys), 0) !=
		(ssize_t)sizeof(rpc->token_keys))
		return -errno;
	(void)snprintf(rpc->epoch, sizeof(rpc->epoch), "%016" PRIx64, rpc->epoch_number);
	return 0;
}

static int set_options(struct rpc *rpc, const struct rpc_options *options)
{
	int r;

	rpc->start_time_ns = realtime_ns();
	atomic_store(&rpc->config_load_time_ns, options->config_load_time_ns);
	rpc->policy = policy_ref(options->policy);
	rpc->limits = limits_in_force(&options->limits);
	rpc->version = strdup(options->version);
	if (!rpc->version)
		return -ENOMEM;
	r = tally_tenants(&rpc->live.tallies, rpc->policy); /* nobody has a subscription yet */
	return r < 0 ? r : make_epoch(rpc);
}

/* Measured with two cores: a second queue costs a quarter more for each message, for the two threads
 * wake each other for every event of a connection; and intake needs a core as well. */
static size_t count_threads(uint32_t wanted)
{
	long cpus = wanted ? (long)wanted : (sysconf(_SC_NPROCESSORS_ONLN) + 1) / 2;

	return cpus < 1 ? 1 : cpus > CQ_MAX ? CQ_MAX : (size_t)cpus;
}

static int make_queues(struct rpc *rpc, uint32_t threads)
{
	size_t count = count_threads(threads);

	rpc->stop_queue = grpc_completion_queue_create_for_pluck(NULL);
	rpc->cqs = calloc(count, sizeof(struct cq));
	if (!rpc->cqs || !rpc->stop_queue)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int r;

		rpc->cq_count++; /* cq_done takes a half-made one */
		r = cq_init(&rpc->cqs[i], rpc);
		if (r < 0)
			return r;
		grpc_server_register_completion_queue(rpc->server, rpc->cqs[i].queue, NULL);
	}
	return 0;
}

static int add_endpoints(struct rpc *rpc, const struct rpc_options *options, struct rpc_error *err)
{
	rpc->peers = peers_new(rpc->limits.connections, rpc->limits.connections_per_user);
	if (!rpc->peers)
		return -ENOMEM;
	rpc->acceptor = acceptor_new(rpc->server, rpc->peers, rpc->sockets);
	rpc->ports = ports_new(rpc->server, options->endpoint_count);
	if (!rpc->acceptor || !rpc->ports)
		return -ENOMEM;
	for (size_t i = 0; i < options->endpoint_count; i++) {
		const struct rpc_endpoint *endpoint = &options->endpoints[i];
		int r = endpoint->unix_path ? 0 : ports_add(rpc->ports, endpoint, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int build(struct rpc *rpc, const struct rpc_options *options, struct rpc_error *err)
{
	int r = set_options(rpc, options);

	if (r < 0)
		return r;
	inlet_start(&(struct inlet_limits){
	    .connections = rpc->limits.connections,
	    .bytes_per_second = rpc->limits.receive_bytes_per_second,
	    .burst_bytes = rpc->limits.request_bytes + rpc->limits.request_bytes / 2,
	    .hello_timeout_ms = rpc->limits.handshake_timeout_ms,
	});
	r = contract_new(&rpc->contract);
	if (r < 0)
		return r;
	rpc->server = server_new(&rpc->limits);
	if (!rpc->server)
		return -ENOMEM;
	r = make_queues(rpc, options->threads);
	if (r < 0)
		return r;
	return add_endpoints(rpc, options, err);
}

static int init(struct rpc *rpc)
{
	int r = subscriptions_init(&rpc->live);

	if (r < 0)
		return r;
	r = -pthread_mutex_init(&rpc->policy_lock, NULL);
	if (r < 0)
		subscriptions_done(&rpc->live);
	return r;
}

int rpc_new(const struct rpc_options *options, struct registry *registry, struct rpc **ret,
	    struct rpc_error *err)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));
	int r;

	err->text[0] = '\0';
	r = rpc ? init(rpc) : -ENOMEM;
	if (r < 0) {
		rpc_unbind(options->sockets);
		free(rpc);
		return r;
	}
	rpc->sockets = options->sockets;
	rpc->registry = registry;
	core_log_start();
	bearer_start();
	grpc_init();
	r = build(rpc, options, err);
	if (r < 0) {
		if (!err->text[0])
			(void)snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
		rpc_free(rpc);
		return r;
	}
	*ret = rpc;
	return 0;
}

int rpc_start(struct rpc *rpc)
{
	int r = 0;

	grpc_server_start(rpc->server);
	for (size_t i = 0; i < rpc->cq_count && r == 0; i++)
		r = cq_start(&rpc->cqs[i]);
	if (r == 0)
		r = acceptor_start(rpc->acceptor);
	return r;
}

void rpc_wake(struct rpc *rpc)
{
	for (size_t i = 0; i < rpc->cq_count; i++)
		cq_wake(&rpc->cqs[i]);
}

void rpc_drain(struct rpc *rpc)
{
	atomic_store(&rpc->draining, true);
	for (size_t i = 0; i < rpc->cq_count; i++)
		cq_renew(&rpc->cqs[i]);
}

/* Is the shutdown complete before the deadline? */
static bool wait_for_calls(struct rpc *rpc, gpr_timespec deadline)
{
	grpc_event event = grpc_completion_queue_pluck(rpc->stop_queue, rpc, deadline, NULL);

	return event.type == GRPC_OP_COMPLETE;
}

static void end_calls(struct rpc *rpc, int64_t grace_ns)
{
	int64_t deadline_ns = monotonic_ns() + grace_ns;

	grpc_server_shutdown_and_notify(rpc->server, rpc->stop_queue, rpc);
	for (size_t i = 0; i < rpc->cq_count; i++)
		if (rpc->cqs[i].running)
			cq_stop(&rpc->cqs[i]);
	if (wait_for_calls(rpc, gpr_time_from_nanos(deadline_ns, GPR_CLOCK_MONOTONIC)))
		return;
	log_warn("rpc.stop", "subscriptions=%u, cancelling: the grace time is over",
		 subscriptions_count(&rpc->live));
	grpc_server_cancel_all_calls(rpc->server); /* clients see UNAVAILABLE, too */
	(void)wait_for_calls(rpc, gpr_inf_future(GPR_CLOCK_MONOTONIC));
}

void rpc_stop(struct rpc *rpc, int grace_ms)
{
	if (rpc->stopped)
		return;
	rpc->stopped = true;
	if (rpc->acceptor)
		acceptor_stop(rpc->acceptor);
	if (rpc->stop_queue)
		end_calls(rpc, grace_ms * NS_PER_MS);
	for (size_t i = 0; i < rpc->cq_count; i++)
		cq_join(&rpc->cqs[i]);
}

void rpc_free(struct rpc *rpc)
{
	if (!rpc)
		return;
	if (rpc->server)
		rpc_stop(rpc, 0);
	acceptor_free(rpc->acceptor);
	rpc_unbind(rpc->sockets);
	if (rpc->server)
		grpc_server_destroy(rpc->server);
	for (size_t i = 0; i < rpc->cq_count; i++)
		cq_done(&rpc->cqs[i]);
	free(rpc->cqs);
	if (rpc->stop_queue) {
		grpc_completion_queue_shutdown(rpc->stop_queue);
		grpc_completion_queue_destroy(rpc->stop_queue);
	}
	ports_free(rpc->ports);
	peers_free(rpc->peers);
	subscriptions_done(&rpc->live);
	contract_free(rpc->contract);
	free(rpc->version);
	(void)policy_unref(rpc->policy);
	(void)pthread_mutex_destroy(&rpc->policy_lock);
	free(rpc);
	inlet_stop();
	grpc_shutdown();
}

void rpc_set_policy(struct rpc *rpc, struct policy *policy, int64_t config_load_time_ns)
{
	struct policy *before;

	(void)pthread_mutex_lock(&rpc->live.lock);
	(void)tally_tenants(&rpc->live.tallies, policy); /* else with the first subscription */
	(void)pthread_mutex_unlock(&rpc->live.lock);
	(void)pthread_mutex_lock(&rpc->policy_lock);
	before = rpc->policy;
	rpc->policy = policy_ref(policy);
	(void)atomic_fetch_add(&rpc->policy_generation, 1);
	(void)pthread_mutex_unlock(&rpc->policy_lock);
	(void)policy_unref(before);
	atomic_store(&rpc->config_load_time_ns, config_load_time_ns);
	for (size_t i = 0; i < rpc->cq_count; i++)
		cq_renew(&rpc->cqs[i]);
}

int rpc_reload_tls(struct rpc *rpc, struct rpc_error *err)
{
	return ports_reload_tls(rpc->ports, err);
}

const char *rpc_epoch(const struct rpc *rpc)
{
	return rpc->epoch;
}
