/* SPDX-License-Identifier: MIT */
/*
 * rpc/inlet.h - what a connection may send, and how many there may be
 *
 * gRPC 1.51.1 parses whatever comes, at any rate, before a call is known to us: endless headers cost CPU
 * with the square of their length, calls that are reset at once cost memory for good, and a listener
 * that meets EMFILE once never accepts again. None of its settings helps. So the two system calls by
 * which it gets connections and bytes, accept4(2) and recvmsg(2), are functions of this file: the
 * linker lets libgrpc call those of the program. A connection that sends more than its budget is shut
 * down before gRPC sees the bytes.
 *
 * The budget is a rate with a burst; what is sent to a peer earns it a little more, because a fast
 * reader has to answer with window updates.
 *
 * Threads: start before gRPC's, stop after them; all else any. There is one inlet in a process, because
 * there is one recvmsg.
 */
#ifndef RPC_INLET_H
#define RPC_INLET_H

#include <stdint.h>

/* The default request at its largest, and half of it. A burst of headers that are reset at once becomes
 * a hundred times as much memory before gRPC hands the first of the calls out. */
#define INLET_BURST_BYTES 393216

struct inlet_limits {
	uint32_t connections;      /* over TCP, at the same time */
	uint32_t bytes_per_second; /* of each connection */
	uint32_t burst_bytes;      /* at once; less than INLET_BURST_BYTES: that */
	uint32_t hello_timeout_ms; /* from the accept to the first bytes of HTTP/2 or TLS */
};

/* Until then, and after the stop, connections are not limited. */
void inlet_start(const struct inlet_limits *limits);
void inlet_stop(void);

/* Shuts connections down that have not said hello in time. Returns when to look again, in ms; -1: when
 * there is another connection. */
int inlet_sweep(int64_t now_ns);

struct inlet_counts {
	uint64_t overdrawn; /* connections shut down for sending too much */
	uint64_t silent;    /* for saying nothing */
	uint64_t refused;   /* at once: too many, or no descriptor for one more */
};

struct inlet_counts inlet_counts(void);

#endif
