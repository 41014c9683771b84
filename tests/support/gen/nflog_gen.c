/* SPDX-License-Identifier: MIT */
/*
 * nflog_gen: UDP packets in network namespaces, for rules to log. What it says it sent was handed to
 * the kernel exactly so often, so a test can compare it with what a subscriber got.
 *
 * One socket for each namespace, all on one thread; the namespaces take turns, a batch each.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "error.h"
#include "netns.h"
#include "options.h"

#define BATCH        64 /* packets of one sendmmsg(2) */
#define SNDBUF_BYTES (4 << 20)

struct target {
	int fd;
	uint64_t number; /* of the next packet */
};

struct generator {
	const struct gen_options *options;
	struct target targets[GEN_NETNS_MAX];
	unsigned target_count;
	uint64_t sent;
	uint64_t errors;
	int last_error;
	uint8_t payloads[BATCH][GEN_SIZE_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* For netns_call(): a socket of the namespace that the thread is in, or -errno. */
static int target_open(void *data)
{
	const struct gen_options *o = data;
	CLEANUP(closep) int fd = socket(o->destination.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const int sndbuf = SNDBUF_BYTES;

	if (fd < 0)
		return -errno;
	/* a smaller buffer only slows down */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof(sndbuf));
	if (connect(fd, (const struct sockaddr *)&o->destination, o->destination_len) < 0)
		return -errno;
	return take_fd(&fd);
}

static int target_open_in(const char *name, struct gen_options *o)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_NAME, .name = name};
	CLEANUP(closep) int ns = -1;
	struct nfl_error err = {.text = ""};
	int fd = netns_open(&netns, &ns, &err);

	if (fd >= 0)
		fd = netns_call(ns, target_open, o, &err);
	if (fd < 0)
		fprintf(stderr, "nflog_gen: %s: %s\n", name, *err.text ? err.text : strerror(-fd));
	return fd;
}

static int generator_open(struct generator *g, struct gen_options *o)
{
	g->options = o;
	for (unsigned i = 0; i < o->netns_count; i++) {
		int fd = target_open_in(o->netns[i], o);

		if (fd < 0)
			return fd;
		g->targets[g->target_count++].fd = fd;
	}
	if (!o->netns_count) {
		int fd = target_open(o);

		if (fd < 0) {
			fprintf(stderr, "nflog_gen: socket: %s\n", strerror(-fd));
			return fd;
		}
		g->targets[g->target_count++].fd = fd;
	}
	for (size_t i = 0; i < BATCH; i++) {
		g->parts[i] = (struct iovec){g->payloads[i], o->size};
		g->messages[i].msg_hdr.msg_iov = &g->parts[i];
		g->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

static void generator_closep(struct generator **g)
{
	if (!*g)
		return;
	for (unsigned i = 0; i < (*g)->target_count; i++)
		closep(&(*g)->targets[i].fd);
	free(*g);
}

static uint64_t generator_attempts(const struct generator *g)
{
	return g->sent + g->errors;
}

static void stamp(struct generator *g, uint64_t number, unsigned count)
{
	uint64_t now = (uint64_t)monotonic_ns();

	for (unsigned i = 0; i < count; i++) {
		uint64_t values[] = {number + i, now};

		memcpy(g->payloads[i], values, sizeof(values));
	}
}

/* Hands `count` packets to the kernel, until each of them was taken or has failed. */
static void target_send(struct generator *g, struct target *target, unsigned count)
{
	while (count && !stopped) {
		int n;

		if (g->options->has_stamp)
			stamp(g, target->number, count);
		n = sendmmsg(target->fd, g->messages, count, 0);
		if (n < 0) {
			/* a closed port's answer to an earlier packet; this one was not tried */
			if (errno == ECONNREFUSED || errno == EINTR)
				continue;
			g->last_error = errno;
			g->errors++;
			n = 1;
		} else {
			g->sent += (uint64_t)n;
		}
		target->number += (uint64_t)n;
		count -= (unsigned)n;
	}
}

/* How many packets may go now: at most a batch. Waits until one may; 0 when all are sent or at a
 * signal. */
static unsigned pace(const struct generator *g, int64_t start_ns)
{
	const struct gen_options *o = g->options;
	uint64_t attempts = generator_attempts(g);
	uint64_t left = o->count ? o->count - attempts : BATCH;
	uint64_t due = BATCH;

	if (o->rate && left) {
		int64_t next_ns =
		    start_ns + (int64_t)((double)attempts * NS_PER_S / (double)o->rate);
		int64_t late_ns = monotonic_ns() - next_ns;

		if (late_ns < 0) {
			struct timespec until = {next_ns / NS_PER_S, next_ns % NS_PER_S};

			if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
				return 0;
			late_ns = 0;
		}
		due = 1 + (uint64_t)late_ns * o->rate / NS_PER_S;
	}
	due = due < BATCH ? due : BATCH;
	return (unsigned)(due < left ? due : left);
}

static void generator_run(struct generator *g)
{
	const struct gen_options *o = g->options;
	int64_t start_ns = monotonic_ns();
	int64_t end_ns = start_ns + o->time_ns;
	double seconds;

	for (unsigned turn = 0; !stopped; turn = (turn + 1) % g->target_count) {
		unsigned count = pace(g, start_ns);

		if (!count || monotonic_ns() >= end_ns)
			break;
		target_send(g, &g->targets[turn], count);
	}
	seconds = (double)(monotonic_ns() - start_ns) / NS_PER_S;
	printf("{\"sent\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"seconds\":%.6f,\"pps\":%.0f}\n",
	       g->sent, g->errors, seconds, seconds > 0 ? (double)g->sent / seconds : 0);
	if (g->errors)
		fprintf(stderr, "nflog_gen: %" PRIu64 " packets not sent, the last: %s\n",
			g->errors, strerror(g->last_error));
}

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0) {
		fprintf(stderr, "nflog_gen: CPU %d: %s\n", cpu, strerror(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	/* without SA_RESTART, so that a wait ends */
	const struct sigaction action = {.sa_handler = on_signal};
	CLEANUP(generator_closep) struct generator *g = NULL;
	struct gen_options options;
	int status;

	if (!gen_options_parse(argc, argv, &options, &status))
		return status;
	g = calloc(1, sizeof(*g));
	if (!g || sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) {
		perror("nflog_gen");
		return EXIT_FAILURE;
	}
	if (options.cpu >= 0 && pin(options.cpu) < 0)
		return EXIT_FAILURE;
	if (generator_open(g, &options) < 0)
		return EXIT_FAILURE;
	generator_run(g);
	return g->errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
