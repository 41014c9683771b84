/* SPDX-License-Identifier: MIT */
/*
 * rpc/rpc.h - the gRPC server: the only room that sees gRPC and protobuf-c
 *
 * Threads: new, start, stop, free from main; rpc_wake from any thread. Completion threads are its
 * own: one for each completion queue. gRPC starts threads of its own in rpc_new, so block signals
 * and be in the right network namespace before.
 */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <stddef.h>
#include <stdint.h>

struct policy;
struct registry;
struct rpc;
struct rpc_sockets;

struct rpc_error {
	char text[256];
};

/* Files of PEM. */
struct rpc_tls {
	const char *certificate; /* and its chain */
	const char *private_key;
	const char *client_ca; /* NULL: clients need no certificate */
};

/* Where to listen: a unix socket path or a numeric TCP address, which is loopback or has TLS. */
struct rpc_endpoint {
	const char *unix_path;     /* or NULL */
	unsigned mode;             /* of the socket file, such as 0660 */
	const char *group;         /* owner group of the socket file, or NULL for the process's */
	const char *tcp;           /* "127.0.0.1:7443", "[::1]:7443", or NULL */
	const struct rpc_tls *tls; /* of tcp; NULL: plaintext */
};

/* Of the server as a whole, whoever the peer is. 0: the default. */
struct rpc_limits {
	uint32_t connections;          /* of the unix sockets together, and of TCP; default 1024 */
	uint32_t connections_per_user; /* of one uid on the unix sockets; default 512 */
	uint32_t streams_per_connection; /* calls at the same time; default 100 */
	uint32_t anonymous_calls; /* of health and reflection, at the same time; default 256 */
	uint32_t request_bytes;   /* default: the largest token and 64 KiB */
	uint32_t header_bytes;    /* default 8 KiB */
	uint32_t receive_bytes_per_second; /* of a connection, beyond a burst; default 256 KiB */
	uint32_t handshake_timeout_ms;     /* default 5 s */
	uint32_t idle_timeout_ms;          /* of a connection without calls; default 5 min */
};

struct rpc_options {
	const struct rpc_endpoint *endpoints; /* borrowed for rpc_new */
	size_t endpoint_count;
	struct rpc_sockets *sockets; /* of the same endpoints; taken over, also on failure */
	const char *version;
	struct policy *policy;       /* a reference is taken */
	int64_t config_load_time_ns; /* CLOCK_REALTIME */
	struct rpc_limits limits;
	uint32_t threads; /* completion queues; 0: one for two CPUs */
};

/**
 * rpc_bind - bind the unix sockets, while there are rights to do so; calls nothing of gRPC
 * Nobody is answered before rpc_start(). A socket's folder is made when only that is missing; the
 * socket file of a dead server is replaced.
 * Returns 0, -EADDRINUSE: another server lives there, or another -errno, with @err.
 */
int rpc_bind(const struct rpc_endpoint *endpoints, size_t count, struct rpc_sockets **ret,
	     struct rpc_error *err);
/* Of sockets that rpc_new() did not get; NULL is allowed. */
void rpc_unbind(struct rpc_sockets *sockets);
/* Removes the socket file of a server that is dead. 0, also when there is none, -EADDRINUSE: one that
 * lives, -EEXIST: no socket, or another -errno. */
int rpc_remove_stale(const char *unix_path);

/**
 * rpc_new - make the server and its endpoints; nobody is served before rpc_start()
 * @registry: borrowed; after the server
 * Returns 0; -EADDRINUSE, another server lives there; -EINVAL, an address that is not
 * loopback and has no TLS, or broken files of TLS; or another -errno. @err says why in every case.
 */
int rpc_new(const struct rpc_options *options, struct registry *registry, struct rpc **ret,
	    struct rpc_error *err);
int rpc_start(struct rpc *rpc);

/* New records were published: streams look at their logs. Never waits. Not after rpc_stop(). */
void rpc_wake(struct rpc *rpc);

/* The end is near: health is NOT_SERVING from now on, all else goes on. Main only, while it runs. */
void rpc_drain(struct rpc *rpc);

/* Ends every call with UNAVAILABLE after what it has queued is sent, @grace_ms at most; then
 * cancels what is left. Returns when no call is left and the socket files are gone. What is to be
 * sent must have been published before. */
void rpc_stop(struct rpc *rpc, int grace_ms);
void rpc_free(struct rpc *rpc);

/* Who may see what, from now on. Streams get not one record more of what is revoked; those that asked for
 * it by name, or whose principal is not the same tenant any more, end with PERMISSION_DENIED. Streams that
 * nothing has changed for do not notice. Never waits; a message in flight may still arrive. Main only,
 * while it runs. */
void rpc_set_policy(struct rpc *rpc, struct policy *policy, int64_t config_load_time_ns);

/* Reads the files of every TLS endpoint again. Running connections go on. Where a file is broken, or
 * key and certificate do not belong together, that endpoint keeps what it has: -errno, and @err says
 * which and why of the first one. Main only. */
int rpc_reload_tls(struct rpc *rpc, struct rpc_error *err);

/* --- what is counted ------------------------------------------------------------------------- */

#define RPC_LOSS_STAGES 4

/* Of all subscriptions of one tenant since the start, those that are over included. */
struct rpc_tenant_counts {
	char *name;             /* owned */
	uint64_t subscriptions; /* now */
	uint64_t started;
	uint64_t packets_sent;
	uint64_t bytes_sent;
	uint64_t packets_filtered;
	uint64_t packets_lost[RPC_LOSS_STAGES]; /* reported: by the kernel's socket,
	decoding, the history, the rate limit */
	uint64_t packets_pending;               /* in the history, still to be sent or filtered */
	uint64_t bytes_pending;                 /* the same, of the history */
};

struct rpc_counts {
	struct rpc_tenant_counts *tenants; /* owned; all that have ever been configured */
	size_t tenant_count;
	int64_t start_time_ns; /* CLOCK_REALTIME, as the next */
	int64_t config_load_time_ns;
	uint64_t calls_refused;   /* of no tenant */
	uint64_t anonymous_calls; /* now */
	uint64_t cut_overdrawn;   /* connections ended for sending too much */
	uint64_t cut_silent;      /* for saying nothing */
	uint64_t cut_refused;     /* at once: too many, or no descriptor for one more */
};

/* Any thread. 0 or -ENOMEM; rpc_counts_done() ends it. */
int rpc_count(struct rpc *rpc, struct rpc_counts *ret);
void rpc_counts_done(struct rpc_counts *counts);

/* The server's epoch, a random text that changes with every start; const after rpc_new. */
const char *rpc_epoch(const struct rpc *rpc);

#endif
